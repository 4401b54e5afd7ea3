"""How the pages for everybody look: under the business's name, in its colour."""

import re
from typing import Any

from flask import Response, g, request
from sqlalchemy.orm import Session

from webapp.core.consent import settings
from webapp.pages.unsubscribe import languages

OURS = "0b3a75"

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""Nothing runs on these pages and nothing is fetched for them but their style (Content Security Policy Level 3)."""


def known(session: Session) -> dict[str, Any]:
    """What the frame of these pages shows."""
    found = settings.read(session)
    colour = found.colour.lstrip("#")
    return {
        "business": found.business_name,
        "postal_address": found.postal_address,
        "colour": colour if _is_colour(colour) else OURS,
        "page_language": languages.spoken(),
    }


def closed(response: Response) -> Response:
    """Nobody finds these pages, keeps them, or hears of their addresses, and nothing runs on them."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


def asked_language() -> str | None:
    """The language that the address asks for."""
    asked = request.args.get("lang")
    return asked if asked in languages.LANGUAGES else None


def speak(language: str | None) -> None:
    """Answer in the language that was asked for, else in the client's, else in the browser's."""
    own = (language or "").replace("_", "-").partition("-")[0].lower()
    g.page_language = (
        asked_language()
        or (own if own in languages.LANGUAGES else None)
        or request.accept_languages.best_match(list(languages.LANGUAGES))
        or "en"
    )


def style_of(colour: str) -> str | None:
    """The style sheet that names the business's colour (rrggbb), and what can be read on it; None for what is no colour."""
    if not _is_colour(colour):
        return None
    return f":root {{ --own: #{colour}; --on-own: {_readable_on(colour)} }}\n"


def _is_colour(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{6}", text) is not None


def _readable_on(colour: str) -> str:
    """White or black, whichever is further from the colour (WCAG 2.2, contrast ratio)."""
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (0, 2, 4))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
