"""Text too pale for its background, in a finished mail: its styles stand inline there (`message/inlining.py`), and its elements are closed.

The ratio is that of WCAG 2.2, 1.4.3: at least 4.5, and 3 for large letters (24 px, or 18.66 px and bold).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import tinycss2
from tinycss2 import color3

from webapp.core.rules.markup import VOID, MarkupContext, MarkupTag, meant, tags_and_texts
from webapp.core.rules.preflight.findings import Finding, shown

Colour = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""

WHITE: Colour = (1.0, 1.0, 1.0)
BLACK: Colour = (0.0, 0.0, 0.0)
LINK: Colour = (0.0, 0.0, 238 / 255)
"""What programs give a link that has no colour of its own (HTML, section 15.3.1)."""
ENOUGH, ENOUGH_IF_LARGE = 4.5, 3.0
MOST_SHOWN = 5

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(px|pt)", re.IGNORECASE)
_SIZE_OF_HEADING = {"h1": 32.0, "h2": 24.0, "h3": 18.7}
_BOLD = frozenset({"b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"})


@dataclass(frozen=True, slots=True)
class _Look:
    """How text looks in an element. `ground` is None behind a picture, of which nothing is known; `is_own`: somebody chose the colour of
    the letters or of the ground."""

    letters: Colour = BLACK
    ground: Colour | None = WHITE
    size_px: float = 16.0
    bold: bool = False
    hidden: bool = False
    is_own: bool = False

    @property
    def wanted(self) -> float:
        is_large = self.size_px >= 24 or (self.bold and self.size_px >= 18.66)
        return ENOUGH_IF_LARGE if is_large else ENOUGH


def of_html(mail: str) -> list[Finding]:
    """What is to be said of the colours of a finished mail, each pair of them once."""
    pairs: dict[tuple[str, str], tuple[str, float, float]] = {}
    for words, look in _texts(mail):
        if look.hidden or not look.is_own or look.ground is None:
            continue
        found = ratio(look.letters, look.ground)
        if found < look.wanted:
            pairs.setdefault((_named(look.letters), _named(look.ground)), (words, found, look.wanted))
    return [
        Finding(
            f"{shown(words, 40)} is hard to read: {letters} on {ground} has a contrast of {found:.1f}.",
            "content",
            "html",
            f"At least {wanted:g} is needed by people who see less well, on a phone in the sun by everybody (WCAG 2.2, 1.4.3).",
            rule="contrast",
            about=(letters, ground),
        )
        for (letters, ground), (words, found, wanted) in list(pairs.items())[:MOST_SHOWN]
    ]


def ratio(one: Colour, other: Colour) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, definition of contrast ratio).

    >>> round(ratio(WHITE, BLACK))
    21
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _texts(mail: str) -> Iterator[tuple[str, _Look]]:
    """Every text of the mail with how it looks."""
    open_elements: list[tuple[str, _Look]] = [("", _Look())]
    for piece in tags_and_texts(mail):
        if isinstance(piece, MarkupTag):
            if piece.element.startswith("/"):
                _close(open_elements, piece.element[1:])
            elif piece.element not in VOID and not piece.self_closing:
                open_elements.append((piece.element, _look_of(piece, open_elements[-1][1])))
        elif piece.place is MarkupContext.TEXT and piece.within < 0:
            words = " ".join(meant(mail[piece.start : piece.end]).split())
            if any(letter.isalnum() for letter in words):
                yield words, open_elements[-1][1]


def _close(open_elements: list[tuple[str, _Look]], element: str) -> None:
    for place in range(len(open_elements) - 1, 0, -1):
        if open_elements[place][0] == element:
            del open_elements[place:]
            return


def _look_of(tag: MarkupTag, around: _Look) -> _Look:
    look = around
    if tag.element in _BOLD:
        look = replace(look, bold=True, size_px=_SIZE_OF_HEADING.get(tag.element, look.size_px))
    if tag.element == "a" and "href" in tag.attributes:
        look = replace(look, letters=LINK)
    if tag.element in ("style", "title", "head"):
        look = replace(look, hidden=True)
    if "background" in tag.attributes:
        look = replace(look, ground=None)
    if colour := _colour(tag.attributes.get("bgcolor", "")):
        look = replace(look, ground=_over(colour, look.ground), is_own=True)
    if tag.element == "font" and (colour := _colour(tag.attributes.get("color", ""))):
        look = replace(look, letters=_over(colour, look.ground) or look.letters, is_own=True)
    return _styled(look, tag.attributes.get("style", ""))


def _styled(look: _Look, style: str) -> _Look:
    """The look with what a style attribute says; the letters last, as they may let the ground through."""
    if not style:
        return look
    letters = None
    for one in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
        if one.type != "declaration":
            continue
        value = tinycss2.serialize(one.value).strip()
        match one.lower_name:
            case "color":
                letters = _colour(value)
            case "background-color" | "background":
                look = _with_ground(look, value)
            case "background-image":
                look = look if value.lower() == "none" else replace(look, ground=None)
            case "display" if value.lower() == "none":
                look = replace(look, hidden=True)
            case "visibility" if value.lower() == "hidden":
                look = replace(look, hidden=True)
            case "font-weight":
                look = replace(look, bold=value.lower() in ("bold", "bolder", "600", "700", "800", "900"))
            case "font-size" if size := _SIZE.match(value):
                look = replace(look, size_px=float(size[1]) * (4 / 3 if size[2].lower() == "pt" else 1))
            case _:
                pass
    if letters is not None:
        hidden = look.hidden or letters.alpha == 0
        look = replace(look, letters=_over(letters, look.ground) or look.letters, is_own=True, hidden=hidden)
    return look


def _with_ground(look: _Look, value: str) -> _Look:
    """A colour, or a picture that hides what there was; `none` and other words change nothing."""
    if "url(" in value.lower() or "gradient(" in value.lower():
        return replace(look, ground=None)
    for word in [value, *value.split()]:
        if colour := _colour(word):
            return replace(look, ground=_over(colour, look.ground), is_own=look.is_own or colour.alpha > 0)
    return look


def _colour(text: str) -> color3.RGBA | None:
    if not text.strip():
        return None
    found = color3.parse_color(text.strip())
    return found if isinstance(found, color3.RGBA) else None


def _over(colour: color3.RGBA, ground: Colour | None) -> Colour | None:
    """The colour as it is seen before the ground."""
    if colour.alpha >= 1:
        return (_kept(colour.red), _kept(colour.green), _kept(colour.blue))
    if ground is None:
        return None
    parts = zip((colour.red, colour.green, colour.blue), ground, strict=True)
    red, green, blue = (_kept(colour.alpha * over + (1 - colour.alpha) * under) for over, under in parts)
    return red, green, blue


def _kept(part: float) -> float:
    return min(1.0, max(0.0, part))


def _named(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
