"""The preheader: the words that lists of mails show behind the subject. In the mail they stand first, and nobody sees them there."""

import re
from html import escape

from webapp.core.rules.message.parts import MessageParts
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.parser import refuse_problems

_STYLE = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;color:transparent;mso-hide:all"
_FILLER = "\u200c\u00a0" * 60
"""What nobody sees, so that a list of mails does not fill its line with the first words of the mail."""
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


def with_preheader(parts: MessageParts) -> MessageParts:
    """The parts with the preheader at the beginning of their HTML; as they are where there is none, or nothing of HTML. Raises Invalid for
    tags of it with problems."""
    words = " ".join(parts.preheader.split())
    if not words or not parts.html.strip():
        return parts
    refuse_problems(words, field="preheader")
    hidden = f'<div style="{_STYLE}">{_as_html(words)}{_FILLER}</div>'
    body = _BODY.search(parts.html)
    at = body.end() if body else 0
    return parts.with_html(parts.html[:at] + hidden + parts.html[at:])


def _as_html(words: str) -> str:
    """A text with its tags as they are, and all between them as HTML."""
    out: list[str] = []
    position = 0
    for token in lexer.tokens(words, is_html=False):
        if token.kind in ("output", "block"):
            out += (escape(words[position : token.start], quote=False), words[token.start : token.end])
            position = token.end
    return "".join([*out, escape(words[position:], quote=False)])
