"""What HTML a mail may hold: elements, attributes, addresses and style."""

import re

import nh3

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import Tag

ELEMENTS = nh3.ALLOWED_TAGS | {"address", "big", "font", "main", "section", "tfoot"}
DROPPED_WHOLE = {
    "applet", "audio", "canvas", "embed", "head", "iframe", "math", "noembed", "noframes", "object", "script", "select", "style", "svg",
    "template", "textarea", "title", "video", "xmp",
}  # fmt: skip
"""Elements that go with all that is in them; of others that are not in `ELEMENTS`, the content stays."""

EVERYWHERE = {
    "align", "aria-hidden", "aria-label", "background", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "dir", "face",
    "height", "id", "lang", "role", "size", "style", "title", "valign", "width",
}  # fmt: skip
ATTRIBUTES = {
    "*": EVERYWHERE,
    "a": {"href", "target", "name"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan", "nowrap", "headers"},
    "th": {"colspan", "rowspan", "nowrap", "headers", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value", "type"},
    "time": {"datetime"},
}
_LINK = re.compile(r"\s*(?:https?://|mailto:|tel:|#)", re.IGNORECASE)
_PICTURE = re.compile(r"\s*(?:https?://|cid:)", re.IGNORECASE)
ADDRESSES = {"href": _LINK, "src": _PICTURE, "background": _PICTURE}

_HARMFUL = re.compile(
    r"@import[^;]*;?|@charset[^;]*;?|<!--|-->|</|expression\s*\(|(?:behavior|-moz-binding)\s*:[^;}]*|(?:javascript|vbscript|data)\s*:",
    re.IGNORECASE,
)


def attribute(element: str, name: str, value: str) -> str | None:
    """The value that an attribute may have, or None where the attribute must go."""
    if name in ADDRESSES:
        return value if ADDRESSES[name].match(value) else None
    return css(value) if name == "style" else value


def css(text: str) -> str:
    """A style sheet or a style attribute without what fetches other style sheets or runs anything."""
    while (clean := _HARMFUL.sub("", text)) != text:
        text = clean
    return text


_CLEANER = nh3.Cleaner(
    tags=ELEMENTS,
    clean_content_tags=DROPPED_WHOLE,
    attributes=ATTRIBUTES,
    attribute_filter=attribute,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    strip_comments=False,
    link_rel=None,
)


def fragment(html: str) -> str:
    """Harmless, well-formed HTML. Comments stay: the caller decides which there are. Pictures whose address was refused go."""
    clean = _CLEANER.clean(html)
    if "<img" not in clean:
        return clean
    gone = [
        found
        for found in markup.tags_and_texts(clean)
        if isinstance(found, Tag) and found.element == "img" and "src" not in found.attributes
    ]
    for picture in reversed(gone):
        clean = clean[: picture.start] + clean[picture.end :]
    return clean


def attributes(found: dict[str, str]) -> str:
    """The attributes of an element, as far as any element may have them, as they are written in its tag, with a leading blank."""
    names = [name for name in found if name in EVERYWHERE]
    source = "".join(f' {name}="{quoted(found[name])}"' for name in names)
    first = next(iter(markup.tags_and_texts(fragment(f"<div{source}></div>"))))
    assert isinstance(first, Tag)
    return "".join(f' {name}="{quoted(value)}"' for name, value in first.attributes.items())


def quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


DEEPEST = 200
"""Elements in each other. Real designs have some sixty; parsers give up at 256, and some break down at thousands."""


def refuse_abyss(source: str) -> None:
    """Refuse what would keep a sanitiser busy for minutes: thousands of elements in each other, closed at last or never."""
    now: dict[str, int] = {}
    deepest: dict[str, int] = {}
    for closes, name in _TAG.findall(source.lower()):
        now[name] = max(0, now.get(name, 0) + (-1 if closes else 1))
        deepest[name] = max(deepest.get(name, 0), now[name])
    if sum(count for name, count in deepest.items() if name not in _ENDS_BY_ITSELF) > 1000:
        raise Invalid(_TOO_DEEP, "html")


_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_ENDS_BY_ITSELF = markup.VOID | {
    "colgroup", "dd", "dt", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
_TOO_DEEP = f"The elements of this HTML stand more than {DEEPEST} deep in each other, which mail programs cannot show."


def refuse_depth(body: str) -> None:
    """Refuse well-formed HTML that is too deep for the programs that read it after this, some of which would not survive it."""
    if markup.depth(body) > DEEPEST:
        raise Invalid(_TOO_DEEP, "html")
