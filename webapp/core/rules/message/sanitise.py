"""What HTML a mail may hold: elements, attributes, addresses and style."""

import re

import nh3

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupTag
from webapp.core.rules.message import css, links

ELEMENTS = nh3.ALLOWED_TAGS | {
    "address", "big", "dir", "font", "main", "menu", "nobr", "picture", "section", "source", "tfoot",
}  # fmt: skip
DROPPED_WHOLE = {
    "applet", "embed", "head", "iframe", "math", "noembed", "noframes", "noscript", "plaintext", "script", "select", "style", "svg",
    "template", "textarea", "title", "xmp",
}  # fmt: skip
"""Elements that go with all that is in them; of others that are not in `ELEMENTS`, the content stays."""

_EVERYWHERE = """
abbr align alink axis background bgcolor border bordercolor bottommargin cellpadding cellspacing char charoff class clear color compact
dir face frame height hidden hspace id itemprop itemscope itemtype lang leftmargin link marginheight marginwidth noshade nowrap
rightmargin role rules size style summary tabindex text title topmargin translate valign vertical-align vlink vspace width
"""
ATTRIBUTES = {
    "*": set(_EVERYWHERE.split()),
    "a": {"href", "target", "name", "rel"},
    "area": {"href", "target", "alt", "shape", "coords", "nohref"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "details": {"open"},
    "img": {"src", "srcset", "sizes", "alt", "usemap", "ismap", "loading"},
    "li": {"value", "type"},
    "map": {"name"},
    "ol": {"start", "type", "reversed"},
    "source": {"srcset", "sizes", "media", "type"},
    "td": {"colspan", "rowspan", "headers", "scope"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "time": {"datetime"},
    "ul": {"type"},
}
PREFIXES = {"aria-", "data-"}


def is_allowed(element: str, name: str) -> bool:
    """Whether an element may have an attribute of this name."""
    return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(element, ()) or name.startswith(tuple(PREFIXES))


def attribute(element: str, name: str, value: str) -> str | None:
    """The value that an attribute may have, or None where the attribute must go."""
    judge = links.ADDRESSES.get(name.rpartition(":")[2])
    if judge:
        return judge(value).value
    return css.declarations(value) if name == "style" else value


_CLEANER = nh3.Cleaner(
    tags=ELEMENTS,
    clean_content_tags=DROPPED_WHOLE,
    attributes=ATTRIBUTES,
    attribute_filter=attribute,
    generic_attribute_prefixes=PREFIXES,
    url_schemes=set(links.LINK_SCHEMES | links.PICTURE_SCHEMES),
    strip_comments=False,
    link_rel=None,
)
MOST_ROUNDS = 4
"""What is clean stays the same when it is read and cleaned again. It does after the second time, or somebody is at work."""


def fragment(html: str) -> str:
    """Harmless, well-formed HTML, that no reading anew turns into something else. Comments stay: the caller decides which there are.
    Pictures whose address was refused go. Raises Invalid for what does not come to rest."""
    for _ in range(MOST_ROUNDS):
        clean = _without_empty(_CLEANER.clean(html))
        if clean == html:
            return clean
        html = clean
    raise Invalid(NOT_CLEAN, "html")


NOT_CLEAN = (
    "This HTML reads as something else each time it is read, which mail programs would each show in their own way."
)


def _without_empty(clean: str) -> str:
    """Without the pictures that have no address."""
    if "<img" not in clean and "<source" not in clean:
        return clean
    out: list[str] = []
    position = 0
    for found in markup.tags_and_texts(clean):
        if (
            isinstance(found, MarkupTag)
            and found.element in ("img", "source")
            and not {"src", "srcset"} & found.attributes.keys()
        ):
            out.append(clean[position : found.start])
            position = found.end
    return "".join([*out, clean[position:]])


def attributes(found: dict[str, str]) -> str:
    """The attributes of an element, as far as any element may have them, as they are written in its tag, with a leading blank."""
    source = "".join(f' {name}="{markup.quoted(value)}"' for name, value in found.items() if _NAME.fullmatch(name))
    first = next(iter(markup.tags_and_texts(fragment(f"<div{source}></div>"))))
    assert isinstance(first, MarkupTag)
    return "".join(f' {name}="{markup.quoted(value)}"' for name, value in first.attributes.items())


_NAME = re.compile(r"[a-z][a-z0-9-]*")


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
