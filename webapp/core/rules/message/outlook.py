"""Conditional comments (`<!--[if mso]>…<![endif]-->`): Outlook on Windows reads them as HTML, and pasted designs need them there.

Others see a comment. What is in it need not be balanced by itself, so it is not sanitised as a fragment but tag by tag.
"""

import re

from webapp.core.rules import markup
from webapp.core.rules.markup import CONDITION_END, CONDITIONAL, REVEALED, Place, Tag
from webapp.core.rules.message import sanitise
from webapp.core.rules.tags.words import Words

_ELEMENTS = sanitise.ELEMENTS | {"xml", "noscript"}
_OFFICE = ("v:", "o:", "w:")
"""Namespaces of what only Office knows: vector pictures, settings."""
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9:-]*")


def set_aside(source: str, words: Words) -> tuple[str, dict[str, str]]:
    """The source with an ordinary comment in place of each conditional one, without all others but those of `words`; and what was there."""
    kept: dict[str, str] = {}
    out: list[str] = []
    position = 0
    for piece in markup.pieces(source):
        start = piece.start
        if piece.place is not Place.COMMENT or start < position or not source.startswith("<!--", start):
            continue
        out.append(source[position:start])
        opening, revealed = CONDITIONAL.match(source, start), REVEALED.match(source, start)
        end = revealed.end() if revealed else _end(source, start)
        comment = source[start:end]
        if revealed:
            out.append(_stand_in(comment, kept, words))
        elif opening and comment.endswith(CONDITION_END):
            inside = _tag_by_tag(comment[len(opening[0]) : -len(CONDITION_END)])
            out.append(_stand_in(f"{opening[0]}{inside}{CONDITION_END}", kept, words))
        elif words.pattern.fullmatch(comment[4:-3]):
            out.append(comment)
        position = end
    return "".join([*out, source[position:]]), kept


def put_back(done: str, kept: dict[str, str]) -> str:
    """The finished source with the conditional comments again. Where one half of a pair that hides something from Outlook was lost, the
    other goes too."""
    pair = [stand_in for stand_in, comment in kept.items() if REVEALED.fullmatch(comment) and stand_in in done]
    begun = sum(CONDITIONAL.match(kept[stand_in]) is not None for stand_in in pair)
    lost = set(pair) if begun * 2 != len(pair) else set()
    for stand_in, comment in kept.items():
        done = done.replace(stand_in, "" if stand_in in lost else comment)
    return _NOTHING_BETWEEN.sub("", done)


_NOTHING_BETWEEN = re.compile(r"<!--\[if[^<>\]]*\]><!--+>\s*<!--<!\[endif\]-->\s*", re.IGNORECASE)


def _end(source: str, start: int) -> int:
    end = source.find("-->", start + 2)
    return len(source) if end < 0 else end + 3


def _stand_in(comment: str, kept: dict[str, str], words: Words) -> str:
    stand_in = f"<!--{words.word(len(kept), 'o')}-->"
    kept[stand_in] = comment
    return stand_in


def _tag_by_tag(source: str) -> str:
    out = []
    for found in markup.tags_and_texts(source):
        if isinstance(found, Tag):
            name = found.element.removeprefix("/")
            if name in _ELEMENTS or name == "style" or name.startswith(_OFFICE):
                out.append(_written(found, source))
        elif found.place is Place.TEXT:
            out.append(source[found.start : found.end])
        elif found.place is Place.RAW and found.element == "style":
            out.append(sanitise.css(source[found.start : found.end]))
    return "".join(out).replace("-->", "")


def _written(tag: Tag, source: str) -> str:
    # Office takes its own elements only in the case it gave them.
    element = source[tag.start + 1 : tag.start + 1 + len(tag.element)]
    written = "".join(
        f' {name}="{sanitise.quoted(kept)}"'
        for name, value in tag.attributes.items()
        if _ATTRIBUTE_NAME.fullmatch(name) and not name.startswith("on")
        if (kept := sanitise.attribute(tag.element, name, value)) is not None
    )
    return f"<{element}{written}{'/' if tag.self_closing else ''}>"
