"""Logos, and the pictures of templates: looked at by Pillow, made as large as a mail needs, and kept in the database."""

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
from webapp.core.tables.branding import HostedPicture

LARGEST_LOGO, LARGEST_PICTURE = 4_000_000, 10_000_000
"""Octets of a file."""
MOST_PIXELS = 40_000_000
WIDEST_LOGO, HIGHEST_LOGO = 240, 72
"""CSS pixels in a mail; the file has twice as many, for screens that show them."""
WIDEST = 1_200
"""Pixels of a template's picture: twice what a mail is wide."""

_KINDS = ("PNG", "JPEG", "GIF", "WEBP")
_DARK = 0.25
"""Mean luminance below which what is drawn is lost on a dark ground."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it is kept, of `width` by `height` pixels."""

    data: bytes
    media_type: str
    width: int
    height: int
    is_dark: bool = False


def read_logo(upload: bytes) -> Drawn:
    """The logo in an uploaded file, scaled, without what stands in the file beside it and without empty edges. Raises Invalid."""
    picture = _opened(upload, LARGEST_LOGO, "logo").convert("RGBA")
    seen = picture.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if seen is None:
        raise Invalid("There is nothing to be seen in this picture.", "logo")
    picture = picture.crop(seen)
    picture.thumbnail((2 * WIDEST_LOGO, 2 * HIGHEST_LOGO), Image.Resampling.LANCZOS)
    return Drawn(_written(picture, "PNG"), "image/png", *picture.size, _is_lost_on_dark(picture))


def read(upload: bytes) -> Drawn:
    """The picture of a template, at most `WIDEST` pixels wide. One that moves stays as it is, all others are written anew, so that nothing
    of the file but the picture is kept. Raises Invalid."""
    picture = _opened(upload, LARGEST_PICTURE, "file")
    if picture.format == "GIF" and getattr(picture, "n_frames", 1) > 1:
        return Drawn(upload, "image/gif", *picture.size)
    is_photo = picture.format == "JPEG"
    made = ImageOps.exif_transpose(picture).convert("RGB" if is_photo else "RGBA")
    made.thumbnail((WIDEST, 4 * WIDEST), Image.Resampling.LANCZOS)
    kind = "JPEG" if is_photo else "PNG"
    return Drawn(_written(made, kind), f"image/{kind.lower()}", *made.size)


def add(session: Session, drawn: Drawn, now: datetime) -> HostedPicture:
    """Keep a picture under a name that nobody can guess."""
    row = HostedPicture(
        name=f"{secrets.token_hex(20)}.{drawn.media_type.partition('/')[2]}",
        media_type=drawn.media_type,
        width=drawn.width,
        height=drawn.height,
        is_dark=drawn.is_dark,
        data=drawn.data,
        made_at=now,
    )
    session.add(row)
    session.flush()
    return row


def by_name(session: Session, name: str) -> tuple[bytes, str] | None:
    """The octets of that name, and their type."""
    found = select(HostedPicture.data, HostedPicture.media_type).where(HostedPicture.name == name)
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


def path_of(row: HostedPicture) -> str:
    """Where a picture lies below the public address."""
    return f"picture/{row.name}"


def logo_in_mails(row: HostedPicture) -> Logo:
    """The logo as the frame takes it: half as large as its file, where the file is large enough for that."""
    scale = max(0.5, min(1.0, 32 / row.height))
    width, height = round(row.width * scale), round(row.height * scale)
    if width > WIDEST_LOGO:
        width, height = WIDEST_LOGO, round(height * WIDEST_LOGO / width)
    return Logo(path_of(row), max(width, 1), max(height, 1), row.is_dark)


def _opened(upload: bytes, most: int, field: str) -> Image.Image:
    """The picture, read to its end. Raises Invalid, naming `field`."""
    if not upload:
        raise Invalid("Choose a file first.", field)
    if len(upload) > most:
        raise Invalid(f"The file is larger than {most // 1_000_000} MB.", field)
    try:
        found = Image.open(BytesIO(upload), formats=_KINDS)
        if found.width * found.height > MOST_PIXELS:
            raise Invalid(f"The picture has {found.width:,} × {found.height:,} pixels, which is too many.", field)
        found.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid("This is no picture that can be read. Take a PNG, JPEG, GIF or WebP.", field) from None
    return found


def _written(picture: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    picture.save(out, kind, optimize=True, **({"quality": 85} if kind == "JPEG" else {}))
    return out.getvalue()


def _is_lost_on_dark(picture: Image.Image) -> bool:
    """Whether what is drawn is dark, and there is nothing behind it."""
    small = picture.resize((32, 32))
    pixels = [small.getpixel((x, y)) for x in range(32) for y in range(32)]
    seen = [pixel for pixel in pixels if isinstance(pixel, tuple) and pixel[3] > 128]
    if not seen or len(seen) > 0.97 * len(pixels):
        return False
    light = sum(luminance(f"#{pixel[0]:02x}{pixel[1]:02x}{pixel[2]:02x}") for pixel in seen)
    return light / len(seen) < _DARK
