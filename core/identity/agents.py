"""What people call the browser that calls itself ``Mozilla/5.0 …``."""

from functools import lru_cache

from ua_parser import parse

from core.foundation.i18n import Message, _


def browser_name(agent: str) -> Message | str:
    """What people call the browser and the system it runs on; if it is unknown, whatever it calls itself."""
    browser, system = _parsed(agent)
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or agent[:60] or _("Unknown browser")


@lru_cache(maxsize=512)
def _parsed(agent: str) -> tuple[str, str]:
    found = parse(agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    return browser.removesuffix(" Mobile").replace("Mobile Safari", "Safari"), system.replace("Mac OS X", "macOS")
