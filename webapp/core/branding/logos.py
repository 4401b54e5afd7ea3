"""Logos: looked at by Pillow, made as large as a mail needs, and kept in the database."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.rules.branding.colours import luminance
from webapp.core.rules.branding.look import Logo
from webapp.core.tables.branding import BrandLogo

LARGEST_FILE = 4_000_000
"""Octets of an upload."""
MOST_PIXELS = 40_000_000
WIDEST, HIGHEST = 240, 72
"""CSS pixels in a mail; the file has twice as many, for screens that show them."""

_KINDS = ("PNG", "JPEG", "GIF", "WEBP")
_DARK = 0.25
"""Mean luminance below which what is drawn is lost on a dark ground."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A logo as it is kept: a PNG of `width` by `height` pixels."""

    data: bytes
    width: int
    height: int
    is_dark: bool


def read(upload: bytes) -> Drawn:
    """The picture in an uploaded file, scaled, without what stands in the file beside it and without empty edges. Raises Invalid."""
    if not upload:
        raise Invalid("Choose a file first.", "logo")
    if len(upload) > LARGEST_FILE:
        raise Invalid(f"The file is larger than {LARGEST_FILE // 1_000_000} MB.", "logo")
    try:
        with Image.open(BytesIO(upload), formats=_KINDS) as found:
            if found.width * found.height > MOST_PIXELS:
                raise Invalid(f"The picture has {found.width:,} × {found.height:,} pixels, which is too many.", "logo")
            picture = ImageOps.exif_transpose(found).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid("This is no picture that can be read. Take a PNG, JPEG, GIF or WebP.", "logo") from None
    seen = picture.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if seen is None:
        raise Invalid("There is nothing to be seen in this picture.", "logo")
    picture = picture.crop(seen)
    picture.thumbnail((2 * WIDEST, 2 * HIGHEST), Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return Drawn(out.getvalue(), picture.width, picture.height, _is_lost_on_dark(picture))


def add(session: Session, drawn: Drawn, now: datetime) -> BrandLogo:
    """Keep a logo under a name that nobody can guess."""
    row = BrandLogo(
        token=secrets.token_urlsafe(24),
        width=drawn.width,
        height=drawn.height,
        is_dark=drawn.is_dark,
        data=drawn.data,
        made_at=now,
    )
    session.add(row)
    session.flush()
    return row


def by_token(session: Session, token: str) -> bytes | None:
    """The PNG of that name."""
    return session.scalar(select(BrandLogo.data).where(BrandLogo.token == token))


def in_mails(row: BrandLogo) -> Logo:
    """The logo as the frame takes it, half as large as its file where that is fine enough."""
    scale = max(0.5, min(1.0, 32 / row.height)) if row.height < 64 else 0.5
    width, height = round(row.width * scale), round(row.height * scale)
    return Logo(f"logo/{row.token}.png", max(width, 1), max(height, 1), row.is_dark)


def _is_lost_on_dark(picture: Image.Image) -> bool:
    """Whether what is drawn is dark, and there is nothing behind it."""
    small = picture.resize((32, 32))
    pixels = [small.getpixel((x, y)) for x in range(32) for y in range(32)]
    seen = [pixel for pixel in pixels if isinstance(pixel, tuple) and pixel[3] > 128]
    if not seen or len(seen) > 0.97 * len(pixels):
        return False
    light = sum(luminance(f"#{pixel[0]:02x}{pixel[1]:02x}{pixel[2]:02x}") for pixel in seen)
    return light / len(seen) < _DARK
