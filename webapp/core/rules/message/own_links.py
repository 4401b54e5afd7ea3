"""Links that are each mail's own: to decline, to choose, to read it in the browser; and the foot that says who sends, and how to decline.

`{{ unsubscribe_url }}` in a source becomes an address that never changes but for a token in its path, so what holds for every
address of the web with a tag in it holds for these, and a mail pays for the token alone.
"""

import re
from collections.abc import Iterator
from html import escape, unescape

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, Piece
from webapp.core.rules.message.parts import Frame, MessageParts
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.lexer import Token
from webapp.core.rules.tags.names import DECLINING, LINK_NAMES
from webapp.core.rules.tags.nodes import OPENING
from webapp.core.rules.tags.placeholders import Placeholders

PATHS = {
    "unsubscribe_url": ("unsubscribe", "unsubscribe_token"),
    "preferences_url": ("preferences", "unsubscribe_token"),
    "browser_url": ("view", "browser_token"),
}
"""Where each leads below the console's public address, and which token stands behind that."""

_STYLE = "margin:32px auto 0;max-width:600px;font-size:13px;line-height:1.5;text-align:center;color:#595959"


def framed(parts: MessageParts, frame: Frame) -> MessageParts:
    """The parts with the foot of marketing mail, as far as they lack it, and with their own links written out. Raises Invalid where a mail
    that must be told has a link to decline."""
    if not frame.is_marketing and frame.is_important and any(_declines(source) for source in _sources(parts)):
        raise Invalid("Important mail cannot be declined: take the unsubscribe link out of it.", "html")
    html, text = parts.html, parts.text
    if frame.is_marketing:
        html = _with_foot_in_html(html, frame) if html.strip() else html
        text = text if text is None else _with_foot_in_text(text, frame)
    return MessageParts(
        _written_out(parts.subject, frame.base),
        _written_out_in_html(html, frame.base),
        text if text is None else _written_out(text, frame.base),
        parts.language,
        _written_out(parts.preheader, frame.base),
    )


def as_tags(source: str, base: str) -> str:
    """The way back, for a text that was made from HTML and is shown with its tags."""
    for name, (path, token) in PATHS.items():
        address = re.escape(f"{base}/{path}/{{{{ {token} }}}}")
        words = re.escape(f"{{{{ {name.removesuffix('_url')}_words }}}}")
        source = re.sub(rf"{words} <{address}>|{address}", f"{{{{ {name} }}}}", source)
    return source


def _sources(parts: MessageParts) -> Iterator[str]:
    yield from (parts.subject, parts.preheader, parts.html, parts.text or "")


def _declines(source: str) -> bool:
    return any(token.kind == "output" and token.inner in DECLINING for token in lexer.tokens(source, is_html=True))


def _written_out(source: str, base: str) -> str:
    """A subject or text with its own links as addresses."""
    return _replaced(source, ((token, _address(token.inner, base)) for token in _own(source, is_html=False)))


def _written_out_in_html(source: str, base: str) -> str:
    """The same of HTML. A tag that stands in the text, and in no link, becomes a link with words."""
    own, base = set(_own(source, is_html=True)), escape(base)
    if not own:
        return source
    placed = [(token, piece) for token, piece in _placed(source) if token in own]
    return _replaced(
        source,
        (
            (token, _link(token.inner, base) if _needs_a_link(source, token, piece) else _address(token.inner, base))
            for token, piece in placed
        ),
    )


def _own(source: str, *, is_html: bool) -> list[Token]:
    return [
        token for token in lexer.tokens(source, is_html=is_html) if token.kind == "output" and token.inner in LINK_NAMES
    ]


def _placed(source: str) -> Iterator[tuple[Token, Piece]]:
    """The tags and conditions of HTML, each with the piece that it stands in."""
    tokens = [token for token in lexer.tokens(source, is_html=True) if token.kind in ("output", "block")]
    words = Placeholders(source)
    for match, piece in markup.spots(words.put(source, tokens), words.pattern):
        yield tokens[int(match["number"])], piece


def _needs_a_link(source: str, token: Token, piece: Piece) -> bool:
    if piece.place is not MarkupContext.TEXT:
        return False
    before = source[: token.start].lower()
    opened = max(before.rfind("<a "), before.rfind("<a\n"))
    return opened <= before.rfind("</a")


def _address(name: str, base: str) -> str:
    path, token = PATHS[name]
    return f"{base}/{path}/{{{{ {token} }}}}"


def _link(name: str, base: str, style: str = "") -> str:
    return f'<a href="{_address(name, base)}"{style}>{{{{ {name.removesuffix("_url")}_words }}}}</a>'


def _replaced(source: str, instead: Iterator[tuple[Token, str]]) -> str:
    out: list[str] = []
    position = 0
    for token, text in instead:
        before = source[position : token.start]
        out += (before.rstrip() if token.trim_left else before, text)
        position = token.end
        if token.trim_right:
            position += len(source[position:]) - len(source[position:].lstrip())
    return "".join([*out, source[position:]])


def _with_foot_in_html(source: str, frame: Frame) -> str:
    lines = [escape(line) for line in sender_lines(frame, _seen(source))]
    if not declines_in_html(source):
        lines.append(_link("unsubscribe_url", escape(frame.base), ' style="color:#595959"'))
    if not lines:
        return source
    foot = f'<p style="{_STYLE}">{"<br>".join(lines)}</p>'
    end = source.lower().rfind("</body")
    return source + foot if end < 0 else source[:end] + foot + source[end:]


def _with_foot_in_text(source: str, frame: Frame) -> str:
    lines = sender_lines(frame, source)
    if not _is_declined(_outside_conditions(lexer.tokens(source, is_html=False))):
        lines.append(f"{{{{ unsubscribe_words }}}}: {_address('unsubscribe_url', frame.base)}")
    return "\n".join([source.rstrip("\n"), "", *lines, ""]) if lines else source


def declines_in_html(source: str) -> bool:
    """Whether a source of HTML shows every recipient how to decline."""
    shown = (token for token, piece in _placed(source) if piece.place in (MarkupContext.TEXT, MarkupContext.VALUE))
    return _is_declined(_outside_conditions(shown))


def _is_declined(outputs: Iterator[Token]) -> bool:
    return any(token.inner in DECLINING for token in outputs)


def _outside_conditions(tokens: Iterator[Token]) -> Iterator[Token]:
    """The outputs that every recipient gets: a list may be of nothing."""
    depth = 0
    for token in tokens:
        if token.kind == "block":
            keyword = token.inner.partition(" ")[0]
            depth += (keyword in OPENING) - (keyword in OPENING.values())
        elif token.kind == "output" and not depth:
            yield token


def _seen(source: str) -> str:
    return unescape(re.sub(r"<[^<>]*>", " ", source))


def sender_lines(frame: Frame, said: str) -> list[str]:
    """The lines that say who sends and where they are, unless the text says so already. A brace in them is no tag's."""
    if not frame.postal_address.strip() or _letters(frame.postal_address) in _letters(said):
        return []
    lines = (frame.business_name, *frame.postal_address.splitlines())
    return [line.strip().replace("{", "(").replace("}", ")") for line in lines if line.strip()]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
