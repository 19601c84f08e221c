"""The SIP engine pjsua2, built on this machine from Debian's source package; beside it a wheel for where that fails.

``python -m deploy.telephony`` builds what is missing. The result lies in ``~/.cache/centrala/pjsua2``, outside the
checkout, so that it is built once for all checkouts.
"""
