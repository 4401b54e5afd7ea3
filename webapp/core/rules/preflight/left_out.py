"""What of a content cannot work in a mail, or goes from it, for the person who writes: each thing in a sentence, with its place.

Nothing goes without a word: whoever cleans the HTML asks the same judges (`links`, `css`, `sanitise`). None of it keeps from sending.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, MarkupTag, Piece
from webapp.core.rules.message import css, links, sanitise
from webapp.core.rules.tags import TagProblem, lexer
from webapp.core.rules.tags.foreign import foreign
from webapp.core.rules.tags.placeholders import Placeholders

MOST_PROBLEMS_A_FIELD = 50
"""No more problems than these are listed for one field."""

_GONE = {
    "script": "A script is left out: no mail program runs one.",
    "form": "A form is left out, and its text stays: link to a page with the form.",
    "input": "A field of a form is left out: link to a page with the form.",
    "select": "A field of a form is left out: link to a page with the form.",
    "textarea": "A field of a form is left out: link to a page with the form.",
    "iframe": "A frame with another page is left out: link to the page.",
    "object": "An embedded object is left out.",
    "embed": "An embedded object is left out.",
    "applet": "An embedded object is left out.",
    "svg": "A drawing (svg) is left out: most mail programs do not show it. Use a picture.",
    "math": "A formula (math) is left out: mail programs do not show it. Use a picture.",
    "video": "A video is left out, and what stands in for it stays: link to it with a picture.",
    "audio": "A sound is left out: link to it.",
    "base": "The address that all links begin with (base) is left out: write it into each link.",
    "frameset": "Frames are left out.",
}  # fmt: skip
_WITH_ADDRESS = frozenset({
    "a", "area", "body", "div", "img", "source", "table", "tbody", "td", "th", "tr", "v:fill", "v:imagedata", "v:rect", "v:roundrect",
})  # fmt: skip


def complaints(subject: str, html: str, text: str | None, preheader: str = "") -> list[TagProblem]:
    """Everything of this kind in a content, in the order of reading."""
    lines = (*of_text(subject, "subject"), *of_text(preheader, "preheader"))
    return [*lines, *of_html(html), *of_text(text or "", "text")]


@lru_cache(maxsize=32)
def of_text(source: str, field: str) -> tuple[TagProblem, ...]:
    """Tags of other systems in a subject or plain text."""
    return _listed(SourceWithoutTags(source, field).foreign(0, len(source)))


@lru_cache(maxsize=32)
def of_html(source: str) -> tuple[TagProblem, ...]:
    """Links and pictures that go or cannot work, what is left out whole, and tags of other systems in a source of HTML."""
    return _listed(SourceWithoutTags(source, "html").of_markup()) if source.strip() else ()


def _listed(found: Iterator[TagProblem]) -> tuple[TagProblem, ...]:
    """In order, each sentence once, with the number of places it is true of."""
    first: dict[str, TagProblem] = {}
    times: dict[str, int] = {}
    for problem in found:
        first.setdefault(problem.message, problem)
        times[problem.message] = times.get(problem.message, 0) + 1
    for message, count in times.items():
        if count > 1:
            first[message] = first[message].repeated(count)
    return tuple(sorted(first.values(), key=lambda problem: problem.start)[:MOST_PROBLEMS_A_FIELD])


class SourceWithoutTags:
    """A source with words in place of its tags, and the way back from a place in it to one in what was written."""

    def __init__(self, source: str, field: str):
        self.source, self.field = source, field
        self.tokens = [
            token for token in lexer.tokens(source, is_html=field == "html") if token.kind in ("output", "block")
        ]
        self.words = Placeholders(source)
        self.plain = self.words.put(source, self.tokens)
        self.lines = [0, *(match.end() for match in re.finditer("\n", source))]
        self.moved: list[tuple[int, int]] = [(0, 0)]
        for match in self.words.pattern.finditer(self.plain):
            self.moved.append((match.end(), self.tokens[int(match["number"])].end - match.end()))

    def problem(self, start: int, end: int, message: str, name: str = "", meant: str | None = None) -> TagProblem:
        """`start` and `end` are places in `plain`."""
        start, end = self._written_at(start), self._written_at(end)
        line = bisect_right(self.lines, start)
        column = start - self.lines[line - 1] + 1
        return TagProblem(self.field, line, column, name, self.as_written(message), meant, start, end, blocking=False)

    def of_markup(self) -> Iterator[TagProblem]:
        found = list(markup.tags_and_texts(self.plain))
        for place, piece in enumerate(found):
            if isinstance(piece, MarkupTag):
                yield from self.of_tag(piece, found[place + 1 : place + 12])
            elif piece.place is MarkupContext.RAW and piece.element == "style":
                for sentence in css.complaints_of_sheet(self.plain[piece.start : piece.end]):
                    yield self.problem(piece.start, piece.start, sentence)
            elif piece.place is MarkupContext.TEXT:
                yield from self.foreign(piece.start, piece.end)

    def of_tag(self, tag: MarkupTag, behind: list[MarkupTag | Piece]) -> Iterator[TagProblem]:
        if sentence := _GONE.get(tag.element) or _instruction(tag):
            yield self.problem(tag.start, tag.end, sentence)
            return
        for attribute, (start, end) in tag.spans.items():
            if attribute == "style":
                for sentence in css.complaints(tag.attributes["style"]):
                    yield self.problem(start, end, sentence)
            elif (judge := links.ADDRESSES.get(attribute.rpartition(":")[2])) and tag.element in _WITH_ADDRESS:
                address = tag.attributes[attribute]
                if not self.words.pattern.match(address.strip()) and (
                    sentence := judge(self._with_domains(address)).complaint
                ):
                    yield self.problem(start, end, sentence + self._which(tag, behind))
            yield from self.foreign(start, end)
        if tag.element == "img" and not {"src", "srcset"} & tag.attributes.keys():
            yield self.problem(tag.start, tag.end, links.picture("").complaint + self._which(tag, behind))

    def foreign(self, start: int, end: int) -> Iterator[TagProblem]:
        for found in foreign(self.plain, start, end):
            hint = f" Write {{{{ {found.meant} }}}} for it." if found.meant else ""
            shown = markup.meant(found.source)
            sentence = (
                f"{shown} is a tag of another system. Here it is none, and every recipient would read it so.{hint}"
            )
            yield self.problem(found.start, found.end, sentence, found.name, found.meant)

    def _which(self, tag: MarkupTag, behind: list[MarkupTag | Piece]) -> str:
        """Which link or picture it is, by its words."""
        words = tag.attributes.get("alt", "")
        if tag.element == "a":
            for piece in behind:
                if isinstance(piece, MarkupTag):
                    if piece.element == "/a":
                        break
                    words += piece.attributes.get("alt", "")
                elif piece.place is MarkupContext.TEXT:
                    words += self.plain[piece.start : piece.end]
        words = " ".join(markup.meant(words).split())
        return f" Its text is “{words[:40]}{'…' if len(words) > 40 else ''}”." if words else ""

    def _with_domains(self, address: str) -> str:
        """A tag in an address may be a domain as well as a part of one."""
        return self.words.pattern.sub(lambda match: f"{match[0]}.tag", address)

    def as_written(self, message: str) -> str:
        message = re.sub(rf"{self.words.pattern.pattern}(?:\.tag)?", self._of_word, message)
        return re.sub(rf"{self.words.stem}\w*(?:\.\w*)?…", "…", message)

    def _of_word(self, match: re.Match[str]) -> str:
        token = self.tokens[int(match["number"])]
        return self.source[token.start : token.end]

    def _written_at(self, place: int) -> int:
        return place + self.moved[bisect_right(self.moved, place, key=lambda moved: moved[0]) - 1][1]


def _instruction(tag: MarkupTag) -> str:
    """A sentence about a tag that tells the browser something, where it goes; "" for others."""
    kind = tag.attributes.get("http-equiv", "").strip().lower()
    if tag.element == "meta" and kind == "refresh":
        return "An instruction to go to another page (meta refresh) is left out."
    if tag.element == "link" and "stylesheet" in tag.attributes.get("rel", "").lower():
        return "A style sheet from elsewhere (link) is left out, as mail programs do not fetch it: write its rules into a style element."
    if tag.element in sanitise.DROPPED_WHOLE and tag.element not in ("style", "title", "head", "noscript"):
        return f"The element {tag.element} is left out with all that is in it."
    return ""
