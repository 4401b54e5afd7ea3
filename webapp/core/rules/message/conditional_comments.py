"""Conditional comments (`<!--[if mso]>…<![endif]-->`): Outlook on Windows reads them as HTML, and pasted designs need them there.

Others see a comment. What is in it need not be balanced by itself, so it is not sanitised as a fragment but tag by tag. Guards
(`<!--[if !mso]><!-->`, in all their spellings) hide from Outlook what browsers read; they come in pairs.
"""

import re
from dataclasses import dataclass, field

from webapp.core.rules import markup
from webapp.core.rules.markup import GUARD, HIDDEN_BEGIN, HIDDEN_END, MarkupContext, MarkupTag
from webapp.core.rules.message import css, sanitise
from webapp.core.rules.tags.placeholders import Placeholders

_ELEMENTS = sanitise.ELEMENTS | {"body", "noscript", "style", "xml"}
_OFFICE = re.compile(r"[vow]:[a-z][a-z0-9]*")
"""Elements of what only Office knows: vector pictures, settings."""
_OFFICE_THAT_GO = frozenset(
    {
        "o:oleobject",
        "o:forms",
        "w:attachedtemplate",
        "w:bindata",
        "w:control",
        "w:mailmerge",
        "w:ocx",
        "w:odso",
        "w:subdoc",
    }
)
"""They fetch or run something."""
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9:_-]*")
_OF_WORD = re.compile(r"\[if\s+!?support\w+\]", re.IGNORECASE)
"""Word asks so whether a program knows lists; its answer is always no, and nothing is hidden by it."""

HIDDEN, GUARD_BEGIN, GUARD_END = "oge"
"""Kinds of words that stand for a conditional comment, and for the two halves of a guard."""


@dataclass(slots=True)
class Kept:
    """What stands aside. `comments` by number; `pairs` from the number of a guard's beginning to that of its end."""

    words: Placeholders
    comments: list[str] = field(default_factory=list)
    pairs: dict[int, int] = field(default_factory=dict)

    def stand_in(self, comment: str, kind: str) -> str:
        self.comments.append(comment)
        return f"<!--{self.words.word(len(self.comments) - 1, kind)}-->"

    def guard_of(self, comment: str) -> str:
        """GUARD_BEGIN or GUARD_END for a comment that stands for one, else ""."""
        match = self.words.of_kind(GUARD_BEGIN + GUARD_END).fullmatch(comment[4:-3])
        return match["kind"] if match else ""


def set_aside(source: str, words: Placeholders) -> tuple[str, Kept]:
    """The source with an ordinary comment in place of each conditional one and each half of a guard, without all others but those of
    `words`; and what was there."""
    kept = Kept(words)
    out: list[str] = []
    begun: list[tuple[int, int] | None] = []
    position = 0
    for piece in markup.pieces(source):
        start = piece.start
        if piece.place is not MarkupContext.COMMENT or start < position:
            continue
        is_comment = source.startswith("<!--", start)
        end = markup.comment_end(source, start) if is_comment else piece.end
        comment = source[start:end]
        out.append(source[position:start])
        position = end
        condition = HIDDEN_BEGIN.match(comment) or (GUARD.fullmatch(comment) if len(comment) < 500 else None)
        if condition and words.pattern.search(condition[0]):
            continue  # a tag in a condition of Outlook's is none, and the comment goes as others do
        if GUARD.fullmatch(comment):
            out.append("")
            if "[if" in comment.lower():
                begun.append(None if _OF_WORD.search(comment) else (len(out) - 1, len(kept.comments)))
                if begun[-1] is not None:
                    out[-1] = kept.stand_in(comment, GUARD_BEGIN)
            elif begun and (beginning := begun.pop()) is not None:
                kept.pairs[beginning[1]] = len(kept.comments)
                out[-1] = kept.stand_in(comment, GUARD_END)
        elif is_comment and markup.is_hidden(source, start, end):
            out.append(kept.stand_in(_hidden(comment), HIDDEN))
        elif not is_comment or words.pattern.fullmatch(comment[4:-3]):
            out.append(comment)
    for beginning in begun:
        if beginning is not None:
            out[beginning[0]] = ""
    return "".join([*out, source[position:]]), kept


def put_back(done: str, kept: Kept) -> str:
    """The finished source with the conditional comments again. Where one half of a guard was lost, the other goes too, and so does a guard
    around nothing."""
    if not kept.comments:
        return done
    words = kept.words
    done = re.sub(rf"<!--{words.stem}\d+{GUARD_BEGIN}-->\s*<!--{words.stem}\d+{GUARD_END}-->\s*", "", done)
    pattern = re.compile(rf"<!--{words.of_kind(HIDDEN + GUARD_BEGIN + GUARD_END).pattern}-->")
    there = {int(match["number"]) for match in pattern.finditer(done)}
    whole = {half for begin, end in kept.pairs.items() if {begin, end} <= there for half in (begin, end)}

    def comment(match: re.Match[str]) -> str:
        number = int(match["number"])
        return kept.comments[number] if match["kind"] == HIDDEN or number in whole else ""

    return pattern.sub(comment, done)


def _hidden(comment: str) -> str:
    opening = HIDDEN_BEGIN.match(comment)
    assert opening is not None
    inside = comment[opening.end() : -len(HIDDEN_END)].removesuffix("<!--")
    for _ in range(sanitise.MOST_ROUNDS):
        clean = tag_by_tag(inside)
        if clean == inside:
            break
        inside = clean
    else:
        inside = ""
    return f"{opening[0]}{inside}{HIDDEN_END}"


def tag_by_tag(source: str) -> str:
    """What stands in a conditional comment, of known elements and attributes only. What is between them cannot come together to a tag, or
    end the comment, when something goes."""
    out = []
    for found in markup.tags_and_texts(source):
        if isinstance(found, MarkupTag):
            name = found.element.removeprefix("/")
            if is_known(name):
                out.append(_written(found, source))
        elif found.place is MarkupContext.TEXT:
            out.append(source[found.start : found.end].replace("<", "&lt;").replace(">", "&gt;"))
        elif found.place is MarkupContext.RAW and found.element == "style":
            out.append(css.written(css.rules(source[found.start : found.end])).replace("--!", "--\\21 "))
    return "".join(out)


def is_known(element: str) -> bool:
    """Whether an element may stand in a conditional comment."""
    return element in _ELEMENTS or (_OFFICE.fullmatch(element) is not None and element not in _OFFICE_THAT_GO)


def attribute(element: str, name: str, value: str) -> str | None:
    """The value that an attribute may have in a conditional comment, None where it must go."""
    if not _ATTRIBUTE_NAME.fullmatch(name) or name.startswith("on") or element == "xml":
        return None
    if not (_OFFICE.fullmatch(element) or ":" in name or name == "xmlns" or sanitise.is_allowed(element, name)):
        return None
    return sanitise.attribute(element, name, value)


def _written(tag: MarkupTag, source: str) -> str:
    # Office takes its own elements only in the case it gave them.
    element = source[tag.start + 1 : tag.start + 1 + len(tag.element)]
    if element.startswith("/"):
        return f"<{element}>"
    written = "".join(
        f' {name}="{markup.quoted(kept)}"'
        for name, value in tag.attributes.items()
        if (kept := attribute(tag.element, name, value)) is not None
    )
    return f"<{element}{written}{'/' if tag.self_closing else ''}>"
