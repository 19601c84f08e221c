"""Settings as Linphone loads them from an address: its "remote provisioning", the keys of linphonerc in XML."""

from typing import Final
from xml.etree import ElementTree

from tenant_app.lines.server import SipServer

MEDIA_TYPE: Final = "application/xml"
NAMESPACE: Final = "http://www.linphone.org/xsds/lpconfig.xsd"


def linphone_configuration(server: SipServer, *, username: str, password: str) -> bytes:
    """One account that registers over TCP at the edge and answers challenges of the company's realm."""
    proxy = f"<sip:{server.proxy};transport=tcp>"
    sections = {
        "proxy_0": {
            "reg_identity": f"sip:{username}@{server.domain}",
            "reg_proxy": proxy,
            "reg_route": proxy,
            "reg_sendregister": "1",
            "realm": server.realm,
        },
        "auth_info_0": {
            "username": username,
            "passwd": password,
            "realm": server.realm,
            "domain": server.domain,
        },
    }
    root = ElementTree.Element("config", {"xmlns": NAMESPACE})
    for name, entries in sections.items():
        section = ElementTree.SubElement(root, "section", {"name": name})
        for key, value in entries.items():
            ElementTree.SubElement(section, "entry", {"name": key, "overwrite": "true"}).text = value
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
