"""Pictures without words: nothing is left of them where pictures are not shown, and nothing is read out."""

from collections.abc import Iterator

from webapp.core.rules.markup import MarkupTag, Piece, tags_and_texts
from webapp.core.rules.preflight.findings import Finding, shown
from webapp.core.rules.preflight.left_out import SourceWithoutTags

_WHY = "Many programs show no pictures until one asks for them, and screen readers never do: what is read then is this text."


def of_html(source: str) -> list[Finding]:
    """What is to be said of the pictures of a source of HTML. One with an empty `alt` is decoration, and stays so, but not where it is all
    that a link has (HTML, section 4.8.4.4)."""
    plain = SourceWithoutTags(source, "html")
    without, links = _looked_at(plain)
    found = []
    if without:
        more = f" and {len(without) - 1} more have" if len(without) > 1 else " has"
        found.append(
            Finding(
                f"The picture {shown(without[0])}{more} no text in its place (alt).",
                "content",
                "html",
                _WHY,
                rule="pictures.alt",
                about=tuple(without),
            )
        )
    for address in dict.fromkeys(links):
        found.append(
            Finding(
                f"The picture {shown(address)} is all that its link has, and says nothing (alt).",
                "content",
                "html",
                "Where it is not shown, there is nothing to press.",
                rule="pictures.link",
            )
        )
    return found


def _looked_at(plain: SourceWithoutTags) -> tuple[list[str], list[str]]:
    """The pictures without `alt`, and those with an empty one that are all of a link."""
    without: list[str] = []
    links: list[str] = []
    silent: list[str] | None = None
    for piece, words in _with_words(plain):
        if isinstance(piece, MarkupTag) and piece.element == "a":
            silent = []
        elif isinstance(piece, MarkupTag) and piece.element == "/a":
            links += silent or []
            silent = None
        elif isinstance(piece, MarkupTag) and piece.element == "img":
            address = plain.as_written(piece.attributes.get("src", "")) or "without an address"
            if "alt" not in piece.attributes and not _is_one_dot(piece):
                without.append(address)
            elif silent is not None and not words:
                silent.append(address)
                continue
        if words:
            silent = None
    return without, links


def _with_words(plain: SourceWithoutTags) -> Iterator[tuple[MarkupTag | Piece, str]]:
    """Each piece with what it gives to read."""
    for piece in tags_and_texts(plain.plain):
        if isinstance(piece, MarkupTag):
            yield piece, piece.attributes.get("alt", "").strip() if piece.element == "img" else ""
        else:
            yield piece, plain.plain[piece.start : piece.end].strip() if piece.place == "text" else ""


def _is_one_dot(tag: MarkupTag) -> bool:
    return {tag.attributes.get("width"), tag.attributes.get("height")} <= {"0", "1"}
