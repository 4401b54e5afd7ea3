"""What is wrong with the tags of a source, for the person who writes it: every problem with its place and the name probably meant."""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, Piece
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.contexts import home_of, misplaced
from webapp.core.rules.tags.expressions import TagError, read_block, read_output
from webapp.core.rules.tags.lexer import Token
from webapp.core.rules.tags.names import (
    BY_NAME,
    DECLINING,
    FIELD_BY_NAME,
    LINK_NAMES,
    LINKS,
    POSITIONS,
    TAGS,
    TagKind,
    available,
    nearest,
    synonym,
    tags_for,
    why_not,
)
from webapp.core.rules.tags.nodes import OPENING, POSITION, ROW, Block, Output
from webapp.core.rules.tags.placeholders import Placeholders

MOST_TAG_PROBLEMS = 100
"""No more problems than these are listed: whoever pastes something else entirely needs not read all."""


DEEPEST = 20
"""Conditions in each other."""

_LOOP = "{% for service in services %} … {% endfor %}"


@dataclass(frozen=True, slots=True)
class TagProblem:
    """One thing wrong with a tag.

    `field` is the part of the content (subject, html, text); `line` and `column` count from 1, `start` and `end` are offsets in its source.
    `name` is the offending name, "" where there is none; `suggestion` the name probably meant. `message` is a whole sentence that includes
    the suggestion. A problem that is not `blocking` is a likely mistake, but the message can be sent with it.
    """

    field: str
    line: int
    column: int
    name: str
    message: str
    suggestion: str | None = None
    start: int = 0
    end: int = 0
    blocking: bool = True

    def repeated(self, times: int) -> "TagProblem":
        """The same problem, where it stands at so many places."""
        return replace(self, message=f"{self.message} ({times} places.)")


def check(
    source: str,
    message_type: MessageType | None,
    *,
    field: str,
    may_decline: bool = True,
    links: Collection[str] = (),
) -> list[TagProblem]:
    """Every problem of the tags in `source`, in the order of reading, at most `MOST_TAG_PROBLEMS`. `field` is "subject", "html" or "text";
    "html" is also checked for tags at places where they cannot stand. With `message_type` None the tags of all types are allowed.
    Not `may_decline`: the message must be told, so it has no link to decline it. `links` are the names of links from a pattern.

    >>> [p.message for p in check("Hi {{ frist_name }}", None, field="text")]
    ['There is no tag frist_name. Did you mean first_name?']
    """
    checker = _TagChecker(source, message_type, field, may_decline, links)
    problems: list[TagProblem] = []
    for problem in checker.problems():
        problems.append(problem)
        if len(problems) == MOST_TAG_PROBLEMS:
            break
    return sorted(problems, key=lambda p: (p.start, p.end))


@dataclass(frozen=True, slots=True)
class Opened:
    """A condition that is open: its token, where in HTML it stands, and whether its {% else %} was seen."""

    token: Token
    keyword: str
    home: object
    had_else: bool = False


class _TagChecker:
    def __init__(
        self, source: str, message_type: MessageType | None, field: str, may_decline: bool, links: Collection[str]
    ):
        self.source, self.type, self.field, self.may_decline = source, message_type, field, may_decline
        self.links, self.addresses = frozenset(links), LINK_NAMES.union(links)
        self.names = [*links, *(tag.name for tag in (tags_for(message_type) if message_type else (*TAGS, *LINKS)))]
        self.lines = [0, *(match.end() for match in re.finditer("\n", source))]
        self.open: list[Opened] = []

    def problem(
        self, token: Token, message: str, name: str = "", suggestion: str | None = None, blocking: bool = True
    ) -> TagProblem:
        line = bisect_right(self.lines, token.start)
        column = token.start - self.lines[line - 1] + 1
        return TagProblem(self.field, line, column, name, message, suggestion, token.start, token.end, blocking)

    def problems(self) -> Iterator[TagProblem]:
        for token, place in self.placed():
            if place and place[0].place is MarkupContext.COMMENT:
                continue
            if (
                place
                and token.kind in ("output", "block")
                and (complaint := misplaced(*place, token.inner, addresses=self.addresses))
            ):
                yield self.problem(token, complaint, token.inner)
                continue
            yield from self.of_token(token, _home(place))
        for opened in self.open:
            end, what = OPENING[opened.keyword], _what(opened.keyword)
            yield self.problem(opened.token, f"This {what} has no end: {{% {end} %}} is missing.", opened.keyword)

    def placed(self) -> Iterator[tuple[Token, tuple[Piece, str] | None]]:
        """Every pair of braces; in HTML, with the piece of the source it stands in and what of that piece is before it."""
        tokens = lexer.tokens(self.source, is_html=self.field == "html")
        if self.field != "html":
            yield from ((token, None) for token in tokens)
            return
        listed = list(tokens)
        words = Placeholders(self.source)
        plain = words.put(self.source, listed)
        for match, piece in markup.spots(plain, words.pattern):
            yield listed[int(match["number"])], (piece, plain[piece.start : match.start()])

    def of_token(self, token: Token, home: object) -> Iterator[TagProblem]:
        match token.kind:
            case "open":
                if token.end - token.start > 2:
                    yield self.problem(token, "There is a brace too many: a tag has two, {{ first_name }}.")
                else:
                    close = "}}" if self.source.startswith("{{", token.start) else "%}"
                    yield self.problem(token, f"This tag is not closed: {close} is missing.")
            case "torn":
                yield self.problem(
                    token, "Formatting stands between the braces of this tag. Delete it and insert the tag again."
                )
            case "single":
                yield from self.single(token)
            case "output":
                yield from self.read(token, home, read_output)
            case "block":
                yield from self.read(token, home, read_block)

    def single(self, token: Token) -> Iterator[TagProblem]:
        name = token.inner.lstrip("$ \t")
        meant = name if name in BY_NAME else synonym(name) if token.inner.startswith("$") else None
        if meant or token.inner.startswith("$"):
            hint = f" Did you mean {{{{ {meant} }}}}?" if meant else ""
            yield self.problem(
                token, f"{{{token.inner}}} is no tag and stays as it is.{hint}", name, meant, blocking=False
            )

    def read(self, token: Token, home: object, reader: Callable[[str], Output | Block]) -> Iterator[TagProblem]:
        try:
            found = reader(token.inner)
        except TagError as error:
            meant = error.suggestion if error.is_right else self.meant(error.suggestion or "")
            hint = f" Did you mean {meant}?" if meant and not error.is_right else ""
            yield self.problem(token, f"{error}{hint}", error.name, meant or error.suggestion)
            return
        names = found.names() if isinstance(found, Output) else found.condition.names() if found.condition else ()
        for name in dict.fromkeys(names):
            yield from self.name(token, name)
            if name in self.addresses and (isinstance(found, Block) or found.filters):
                yield self.problem(token, f"{{{{ {name} }}}} stands alone: it takes no filter, and no condition.", name)
        if isinstance(found, Block):
            yield from self.block(token, found, home)
        elif found.key != found.name:
            yield from self.typed(token, found)

    def typed(self, token: Token, output: Output) -> Iterator[TagProblem]:
        """A filter for dates, amounts or numbers behind something else."""
        name, wanted = output.name, output.filters[0].name
        tag = BY_NAME.get(name) or FIELD_BY_NAME.get(name)
        if tag is None or tag.kind == wanted:
            return
        fitting = [one.name for one in (*BY_NAME.values(), *FIELD_BY_NAME.values()) if one.kind == wanted]
        usable = [one for one in fitting if available(one, self.type) or (one.startswith(ROW) and self.in_loop)]
        kind = {TagKind.DATE: "a date", TagKind.MONEY: "an amount", TagKind.NUMBER: "a number"}[TagKind(wanted)]
        can = f" It can follow {', '.join(usable)}." if usable else ""
        yield self.problem(token, f"{name} is not {kind}, as the filter {wanted} needs it.{can}", name)

    @property
    def in_loop(self) -> bool:
        """Whether there is a service to speak of: in a list, and not where it says what stands there without any."""
        return any(opened.keyword == "for" and not opened.had_else for opened in self.open)

    def in_list(self, token: Token, name: str) -> Iterator[TagProblem]:
        """A name with a dot: of a service, or of the place in a list."""
        known = (*FIELD_BY_NAME, *POSITIONS)
        if name not in known:
            meant = nearest(name, known)
            yield self.problem(token, f"There is no {name}.{f' Did you mean {meant}?' if meant else ''}", name, meant)
        elif not self.in_loop:
            alone = name.replace(".", "_")
            meant = alone if available(alone, self.type) else None
            hint = f" Did you mean {meant}?" if meant else ""
            yield self.problem(token, f"{name} stands in a list of services, {_LOOP}.{hint}", name, meant)

    def name(self, token: Token, name: str) -> Iterator[TagProblem]:
        if name.startswith((ROW, POSITION)):
            yield from self.in_list(token, name)
            return
        if name == "services":
            words = f"services is a list: {_LOOP} writes one after another, {{{{ service_count }}}} how many there are."
            yield self.problem(token, words, name)
            return
        if name in DECLINING and not self.may_decline:
            yield self.problem(token, f"Important mail cannot be declined: take {{{{ {name} }}}} out of it.", name)
            return
        if name in self.links or available(name, self.type):
            return
        if name in BY_NAME and self.type:
            yield self.problem(token, why_not(name, self.type), name)
            return
        meant = self.meant(name)
        if meant and self.type and not available(meant, self.type):
            yield self.problem(token, f"There is no tag {name}. {why_not(meant, self.type)}", name)
            return
        yield self.problem(token, f"There is no tag {name}.{f' Did you mean {meant}?' if meant else ''}", name, meant)

    def meant(self, text: str) -> str | None:
        return synonym(text) or nearest(text, self.names) or nearest(text, BY_NAME)

    def block(self, token: Token, block: Block, home: object) -> Iterator[TagProblem]:
        keyword = block.keyword
        if keyword in OPENING:
            if len(self.open) == DEEPEST:
                yield self.problem(token, f"Conditions can stand {DEEPEST} deep in each other, not more.", keyword)
            if keyword == "for" and any(opened.keyword == "for" for opened in self.open):
                yield self.problem(token, "A list of services cannot stand in another one.", keyword)
            if keyword == "for" and self.field not in ("html", "text"):
                words = "A list of services stands in the body: here is room for {{ service_count }}."
                yield self.problem(token, words, keyword)
            self.open.append(Opened(token, keyword, home))
            return
        if not self.open:
            before = "a {% for … %}" if keyword == "endfor" else "an {% if … %}"
            yield self.problem(token, f"{{% {keyword} %}} stands here without {before} before it.", keyword)
            return
        opened = self.open[-1]
        if opened.home != home:
            yield self.problem(
                token,
                f"A {_what(opened.keyword)} that begins inside an attribute must end in it, and one outside must end outside.",
                keyword,
            )
        if keyword in ("elsif", "else"):
            if keyword == "elsif" and opened.keyword == "for":
                yield self.problem(token, "{% elsif … %} belongs to a condition: a list has {% else %} alone.", keyword)
            elif opened.had_else:
                yield self.problem(token, f"{{% {keyword} %}} cannot follow {{% else %}}.", keyword)
            self.open[-1] = Opened(
                opened.token, opened.keyword, opened.home, had_else=opened.had_else or keyword == "else"
            )
            return
        self.open.pop()
        wanted = OPENING[opened.keyword]
        if keyword != wanted:
            yield self.problem(
                token,
                f"{{% {keyword} %}} ends a {_what(opened.keyword)} that {{% {wanted} %}} should end.",
                keyword,
                wanted,
            )


def _what(keyword: str) -> str:
    return "list" if keyword == "for" else "condition"


def _home(place: tuple[Piece, str] | None) -> object:
    return home_of(place[0]) if place else None
