"""The demo companies: two tenants with the same user names, the cast, and a past of some weeks.

Everything goes through the product's own services, so history, search words and sort keys are those of real use. The
same seed gives the same people and conversations; the days count back from today.
"""
