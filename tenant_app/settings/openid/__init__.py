"""Providers of OpenID Connect that a company trusts."""
