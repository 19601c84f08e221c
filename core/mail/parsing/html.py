"""HTML of strangers: made harmless for a sandboxed frame, or turned into plain text."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final

import nh3

TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
ATTRIBUTES: Final = {
    "*": {"style", "align", "valign", "dir", "lang", "title", "width", "height", "bgcolor"},
    "a": {"href"},
    "img": {"src", "alt"},
    "font": {"color", "face", "size"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "table": {"border", "cellpadding", "cellspacing"},
    "ol": {"start", "type"},
}
STYLES: Final = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-collapse",
        "border-color",
        "border-left",
        "border-radius",
        "border-right",
        "border-spacing",
        "border-style",
        "border-top",
        "border-width",
        "color",
        "display",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-width",
        "min-width",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
    ]
)
DROPPED_WITH_CONTENT: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math"})
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "data", "cid"})
DATA_IMAGE: Final = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")

BLOCKS: Final = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "table",
        "ul",
        "ol",
        "pre",
        "hr",
        "dt",
        "dd",
        "center",
    ]
)
PARAGRAPHS: Final = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol"])
SILENT: Final = frozenset({"script", "style", "head", "title", "template"})
MAX_TEXT: Final = 1_000_000


def clean_html(html: str, inline_images: Mapping[str, str], *, with_remote_images: bool = True) -> str:
    """``html`` without anything that acts: scripts, forms, frames, drawings, foreign schemes (ATTACK 11).

    ``inline_images`` maps Content-IDs to data: URLs; other ``cid:`` images vanish, and so do remote ones
    unless asked for (ATTACK 12).
    """

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return _image_source(value, inline_images, with_remote=with_remote_images)
        if name == "href" and value.strip().lower().startswith(("data:", "cid:")):
            return None
        return value

    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=set(DROPPED_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=attribute,
        url_schemes=set(SCHEMES),
        filter_style_properties=set(STYLES),
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def text_of_html(html: str) -> str:
    """Readable plain text: blocks on lines of their own, list items with a dash, links with their address."""
    reader = _TextReader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, RecursionError):  # the parser gives up on some declarations; keep what it read
        pass
    lines = [" ".join(line.split()) for line in "".join(reader.pieces)[:MAX_TEXT].split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _TextReader(HTMLParser):
    """Collects text; ``pieces`` is the result."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the library calls it so
        if tag in SILENT:
            self._silent += 1
        elif tag in BLOCKS:
            self.pieces.append("\n\n" if tag in PARAGRAPHS else "\n")
            if tag == "li":
                self.pieces.append("- ")
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag == "div":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data.replace("\n", " "))


def _image_source(value: str, inline_images: Mapping[str, str], *, with_remote: bool) -> str | None:
    source = value.strip()
    scheme = source.partition(":")[0].lower()
    if scheme == "cid":
        return inline_images.get(source[4:].strip("<>"))
    if scheme == "data":
        return source if DATA_IMAGE.match(source) else None
    return source if with_remote and scheme in {"http", "https"} else None
