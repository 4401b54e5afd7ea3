"""A mark in the place of each tag that has nothing to say, for whoever looks at a preview. The mail itself has none.

A tag that may end empty gets a last stand-in of the preview's own, which is found again in what came out and shown as a mark.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext
from webapp.core.rules.message.parts import MessageParts
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.expressions import TagError, read_output
from webapp.core.rules.tags.lexer import Token
from webapp.core.rules.tags.names import LINK_NAMES, LINK_WORDS

_OPENS, _CLOSES = "\u27e6", "\u27e7"
_MARK = re.compile(f"{_OPENS}([\\w.]+){_CLOSES}")
_STYLE = "background:#ffd54a;color:#3d2c00;border-radius:3px;padding:0 4px;font:600 12px sans-serif"


def marked(parts: MessageParts) -> MessageParts:
    """The parts with a stand-in behind every tag that may end empty, where it stands in a text."""
    return replace(
        parts,
        subject=_marked(parts.subject, is_html=False),
        html=_marked(parts.html, is_html=True),
        text=None if parts.text is None else _marked(parts.text, is_html=False),
        preheader=_marked(parts.preheader, is_html=False),
    )


def shown(html: str) -> str:
    """A finished mail with its stand-ins as marks: "first_name is empty"."""
    return _MARK.sub(lambda match: f'<mark style="{_STYLE}">{match[1]} is empty</mark>', html)


def readable(text: str) -> str:
    """The same in plain text: "[first_name is empty]"."""
    return _MARK.sub(r"[\1 is empty]", text)


def _marked(source: str, *, is_html: bool) -> str:
    out: list[str] = []
    position = 0
    for token in _in_texts(source, is_html=is_html):
        name = _of_nothing_else(token)
        if name is None:
            continue
        left, right = "-" if token.trim_left else "", "-" if token.trim_right else ""
        stand_in = f'{token.inner} | default: "{_OPENS}{name}{_CLOSES}"'
        out += (source[position : token.start], f"{{{{{left} {stand_in} {right}}}}}")
        position = token.end
    return "".join([*out, source[position:]])


def _in_texts(source: str, *, is_html: bool) -> Iterator[Token]:
    """The tags that are read as words: none in an attribute's value, a style sheet or a comment."""
    outputs = [token for token in lexer.tokens(source, is_html=is_html) if token.kind == "output"]
    if not is_html:
        yield from outputs
        return
    found = markup.pieces(source)
    piece = next(found, None)
    for token in outputs:
        while piece is not None and piece.end <= token.start:
            piece = next(found, None)
        if piece is not None and piece.place is MarkupContext.TEXT and token.end <= piece.end:
            yield token


def _of_nothing_else(token: Token) -> str | None:
    """The name of a tag that no text stands in for already; None for others, and for what is no tag."""
    try:
        output = read_output(token.inner)
    except TagError:
        return None
    if output.name in LINK_NAMES or output.name in LINK_WORDS:
        return None
    defaults = (step for step in output.filters if step.name == "default")
    if any(isinstance(argument, str) for step in defaults for argument in step.arguments):
        return None
    return output.name
