"""Colours as `#rrggbb`, and how well one can be read on another: WCAG 2.2, success criteria 1.4.3 and 1.4.11."""

import re

from webapp.core.errors import Invalid

WHITE, BLACK = "#ffffff", "#000000"
FOR_TEXT, FOR_LARGE = 4.5, 3.0
"""The least contrast of text, and of large text and of the edges of what is pressed (1.4.3, 1.4.11)."""

_COLOUR = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})")


def colour(typed: str, field: str) -> str:
    """The colour as `#rrggbb` in lower case. Raises Invalid, naming `field`.

    >>> colour(" ABC ", "text")
    '#aabbcc'
    """
    match = _COLOUR.fullmatch(typed.strip().lower())
    if match is None:
        raise Invalid("A colour is written as # and six digits from 0 to f.", field)
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return f"#{digits}"


def luminance(one: str) -> float:
    """The relative luminance of a colour, from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (_linear(part / 255) for part in _parts(one))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """`one` with a `share` (0 to 1) of `other` in it."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def words_on(fill: str) -> str:
    """White or black, whichever can be read better on `fill`."""
    return WHITE if contrast(WHITE, fill) >= contrast(BLACK, fill) else BLACK


def muted(text: str, ground: str) -> str:
    """`text` as pale as it may be on `ground` and still be read."""
    shares = (step / 100 for step in range(45, 0, -5))
    pale = (mixed(text, ground, share) for share in shares)
    return next((one for one in pale if contrast(one, ground) >= FOR_TEXT + 0.1), text)


def readable(one: str, ground: str, least: float = FOR_TEXT) -> str | None:
    """The colour nearest to `one`, made darker or lighter, that has at least this contrast on `ground`; None where `one` has it."""
    if contrast(one, ground) >= least:
        return None
    steps = [(share, end) for share in range(2, 101, 2) for end in (BLACK, WHITE)]
    return next(found for share, end in steps if contrast(found := mixed(one, end, share / 100), ground) >= least)


def _parts(one: str) -> tuple[int, int, int]:
    return int(one[1:3], 16), int(one[3:5], 16), int(one[5:7], 16)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
