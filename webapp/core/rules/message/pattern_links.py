"""Links from a pattern: `{{ portal_url }}` stands for an address of the business's own site, with the recipient's data in it.

A pattern is an address of the web with tags in it, such as `https://portal.example.com/clients?id={{ client_id }}`. It is written out
before a message is compiled, so what holds for every address with tags in it holds for these: values are percent-encoded.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext
from webapp.core.rules.message import links
from webapp.core.rules.message.parts import MessageParts
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.check import check
from webapp.core.rules.tags.lexer import Token
from webapp.core.rules.tags.names import BY_NAME, TagGroup, synonym
from webapp.core.rules.tags.parser import used
from webapp.core.rules.tags.placeholders import Placeholders

LONGEST_NAME, LONGEST_LABEL, LONGEST_PATTERN = 40, 80, 1000

_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*_url")
_BEFORE_TAGS = re.compile(r"https://[^\s/?#{}<>\"'@\\]+[/?#]")
_NEVER = re.compile(r"[\s<>\"'`\\|^]")


@dataclass(frozen=True, slots=True)
class PatternLink:
    """`{{ name }}`, the words of such a link where none are written, and the pattern of its address."""

    name: str
    label: str
    pattern: str


def checked(name: str, label: str, pattern: str) -> PatternLink:
    """A link as it may be kept; tags in its pattern have their names of here. Raises Invalid, naming the field."""
    name, label, pattern = name.strip().lower(), " ".join(label.split()), pattern.strip()
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise Invalid("The name is of small letters and underscores and ends in _url, for example portal_url.", "name")
    if name in BY_NAME:
        raise Invalid(f"There is a tag {name} already.", "name")
    if not label or len(label) > LONGEST_LABEL or set(label) & set("{}"):
        raise Invalid(f"Say in up to {LONGEST_LABEL} characters what stands in a mail as the link.", "label")
    return PatternLink(name, label, _checked_pattern(pattern))


def _checked_pattern(pattern: str) -> str:
    if len(pattern) > LONGEST_PATTERN:
        raise Invalid(f"An address has at most {LONGEST_PATTERN} characters.", "pattern")
    if not pattern.startswith("https://"):
        raise Invalid("The address begins with https://.", "pattern")
    pattern = "".join(_with_our_names(pattern))
    tokens = list(lexer.tokens(pattern, is_html=False))
    if any(token.kind == "block" for token in tokens):
        raise Invalid("An address has tags in it, but no conditions and no lists.", "pattern")
    for problem in check(pattern, None, field="text"):
        raise Invalid(problem.message, "pattern")
    for name in used(pattern, field="text"):
        if BY_NAME[name].group is not TagGroup.CLIENT:
            raise Invalid(f"{{{{ {name} }}}} is not a tag about the client, which all messages have.", "pattern")
    plain = Placeholders(pattern).put(pattern, tokens)
    if not tokens:
        raise Invalid(
            "There is no tag in this address, so it is the same for everybody: link to it as it is.", "pattern"
        )
    if not _BEFORE_TAGS.match(pattern[: tokens[0].start]):
        raise Invalid("The tags stand behind the domain: https://portal.example.com/{{ client_id }}.", "pattern")
    if _NEVER.search(plain) or set(plain) & set("{}"):
        raise Invalid("There is a blank, a quote or a bracket in this address that cannot stand there.", "pattern")
    judged = links.link(plain)
    if judged.value != plain or judged.complaint:
        raise Invalid(judged.complaint or "This cannot be read as an address.", "pattern")
    return pattern


def _with_our_names(pattern: str) -> Iterator[str]:
    position = 0
    for token in lexer.tokens(pattern, is_html=False):
        name = token.inner.partition("|")[0].strip()
        meant = synonym(name) if token.kind == "output" and name not in BY_NAME else None
        tag = pattern[token.start : token.end]
        yield from (pattern[position : token.start], tag.replace(name, meant, 1) if meant else tag)
        position = token.end
    yield pattern[position:]


def written_out(parts: MessageParts, known: Mapping[str, PatternLink]) -> MessageParts:
    """The parts with their links from a pattern as addresses. One that stands in the text of HTML, and in no link, becomes a link."""
    if not known:
        return parts
    return replace(
        parts,
        subject=_as_addresses(parts.subject, known),
        preheader=_as_addresses(parts.preheader, known),
        html=_in_html(parts.html, known),
        text=parts.text if parts.text is None else _as_addresses(parts.text, known),
    )


def _as_addresses(source: str, known: Mapping[str, PatternLink]) -> str:
    out: list[str] = []
    position = 0
    for token in lexer.tokens(source, is_html=False):
        if token.kind == "output" and token.inner in known:
            out += (source[position : token.start], known[token.inner].pattern)
            position = token.end
    return "".join([*out, source[position:]])


def _in_html(source: str, known: Mapping[str, PatternLink]) -> str:
    tokens = [token for token in lexer.tokens(source, is_html=True) if token.kind in ("output", "block")]
    if not any(token.inner in known for token in tokens):
        return source
    words, out, position = Placeholders(source), list[str](), 0
    for match, piece in markup.spots(words.put(source, tokens), words.pattern):
        token = tokens[int(match["number"])]
        link = known.get(token.inner) if token.kind == "output" else None
        if link is None:
            continue
        address = escape(link.pattern)
        if piece.place is MarkupContext.TEXT and not _is_in_link(source, token):
            address = f'<a href="{address}">{escape(link.label)}</a>'
        out += (source[position : token.start], address)
        position = token.end
    return "".join([*out, source[position:]])


def _is_in_link(source: str, token: Token) -> bool:
    before = source[: token.start].lower()
    return max(before.rfind("<a "), before.rfind("<a\n")) > before.rfind("</a")
