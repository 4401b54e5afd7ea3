"""How the pages for everybody look: under the business's name, in its colour."""

import base64
import hashlib
import re
from typing import Any

from flask import g
from sqlalchemy.orm import Session

from webapp.core.consent import settings

OURS = "#0b3a75"


def known(session: Session) -> dict[str, Any]:
    """What the frame of these pages shows."""
    found = settings.read(session)
    colour = found.colour if re.fullmatch(r"#[0-9a-fA-F]{6}", found.colour or "") else OURS
    g.own_style = f":root{{--own:{colour};--on-own:{_readable_on(colour)}}}"
    return {"business": found.business_name, "postal_address": found.postal_address, "own_style": g.own_style}


def policy(own_style: str) -> str:
    """Which styles count: the file, and the one line that names the colour (Content Security Policy Level 3, section 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(own_style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'self' 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _readable_on(colour: str) -> str:
    """White or black, whichever is further from the colour (WCAG 2.2, contrast ratio)."""
    red, green, blue = (_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
