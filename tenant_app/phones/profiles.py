"""The configuration profile by which an iPhone, iPad or Mac sets the account up by itself.

Source: Apple's "Device Management" reference, payload ``com.apple.carddav.account``.
"""

import plistlib
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from tenant_app.phones.server import DavServer

MEDIA_TYPE: Final = "application/x-apple-aspen-config"


def mobileconfig(server: DavServer, *, username: str, password: str, company: str) -> bytes:
    """The profile, which its owner can remove; installing it again for the same client replaces it."""
    name = f"{company}: contacts"
    account = {
        "PayloadType": "com.apple.carddav.account",
        "CardDAVAccountDescription": company,
        "CardDAVHostName": server.host,
        "CardDAVPort": server.port,
        "CardDAVUseSSL": server.uses_tls,
        "CardDAVPrincipalURL": server.principal_path(username),
        "CardDAVUsername": username,
        "CardDAVPassword": password,
        **_identity(server, f"{username}.account", name),
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadOrganization": company,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [account],
        **_identity(server, username, name),
    }
    return plistlib.dumps(profile)


def _identity(server: DavServer, what: str, name: str) -> dict[str, object]:
    return {
        "PayloadVersion": 1,
        "PayloadIdentifier": f"centrala.carddav.{what}",
        "PayloadUUID": str(uuid5(NAMESPACE_URL, f"{server.url}/{what}")).upper(),
        "PayloadDisplayName": name,
    }
