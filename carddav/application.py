"""The verbs. Radicale answers PROPFIND for homes and unusual properties; what phones ask all the time is ours."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote
from xml.etree.ElementTree import Element

from radicale import config
from radicale.app import Application
from radicale.app.propfind import xml_propfind
from xml.etree import ElementTree as ET  # noqa: N817  # its usual name
