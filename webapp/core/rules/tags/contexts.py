"""Where in HTML a tag may stand, and how its value is escaped there."""

import html
import re
from collections.abc import Container

from webapp.core.rules.markup import MarkupContext, Piece
from webapp.core.rules.tags.names import LINK_NAMES
from webapp.core.rules.tags.nodes import Escape

_LINKS = {"href": "link", "src": "picture’s address", "background": "picture’s address"}
_SAFE_BEGINNING = {
    "href": re.compile(r"\s*(?:https?://|mailto:|tel:|#)", re.IGNORECASE),
    "src": re.compile(r"\s*(?:https?://|cid:)", re.IGNORECASE),
    "background": re.compile(r"\s*https?://", re.IGNORECASE),
}
_OTHER_ADDRESSES = frozenset(
    {"srcset", "action", "formaction", "cite", "data", "poster", "longdesc", "usemap", "ping", "xlink:href"}
)


def misplaced(piece: Piece, before: str, inner: str = "", *, addresses: Container[str] = LINK_NAMES) -> str | None:
    """A sentence that says why a tag cannot stand in this piece of the source, or None if it can. `before` is the piece up to the tag,
    `inner` what stands between its braces: a tag that is a whole address, one of `addresses`, may begin a link.

    Comments are no wrong place: they do not become part of the mail, and neither do tags in them.
    """
    match piece.place:
        case MarkupContext.VALUE if piece.attribute == "href" and inner in addresses and not before.strip():
            return None
        case MarkupContext.INSIDE:
            return "A tag can stand in the value of an attribute, in quotes, but not elsewhere between < and >."
        case MarkupContext.RAW if piece.element == "style":
            return "A tag cannot stand in a style sheet."
        case MarkupContext.VALUE if piece.attribute == "style":
            return "A tag cannot stand in a style attribute."
        case MarkupContext.VALUE if piece.attribute in _OTHER_ADDRESSES:
            return f"A tag cannot stand in the attribute {piece.attribute}."
        case MarkupContext.VALUE if piece.attribute in _LINKS and not _SAFE_BEGINNING[piece.attribute].match(
            html.unescape(before)
        ):
            scheme = "https:// or mailto:" if piece.attribute == "href" else "https://"
            return f"A {_LINKS[piece.attribute]} cannot begin with a tag: write {scheme} before it."
    return None


def escape_at(piece: Piece, before: str) -> Escape:
    """How the value of a tag in this piece is escaped. Raises ValueError where none would make it safe."""
    if piece.place in (MarkupContext.INSIDE, MarkupContext.COMMENT) or (
        piece.place is MarkupContext.RAW and piece.element != "title"
    ):
        raise ValueError("no place for a tag")
    if complaint := misplaced(piece, before):
        raise ValueError(complaint)
    if piece.place is MarkupContext.VALUE and piece.attribute in _LINKS:
        return Escape.MAIL_URL if html.unescape(before).strip().lower().startswith("mailto:") else Escape.URL
    return Escape.HTML


def home_of(piece: Piece) -> tuple[int, int]:
    """What the parts of one condition must have in common: the conditional comment and the attribute's value that they stand in."""
    return piece.within, piece.start if piece.place is MarkupContext.VALUE else -1
