"""A picture as it goes into mails: read by Pillow, written anew without what it knew about its maker, no wider than mails show it twice.

What is not PNG, JPEG, GIF or WebP, does not load to its end, or would take too much memory is refused in words.
"""

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from webapp.core.errors import Invalid

MOST_OCTETS = 25_000_000
"""Of a file as it is uploaded."""

MOST_PIXELS = 50_000_000
"""Of a picture, all frames together: some 200 MB of memory while it is read."""

MOST_FRAMES = 300
WIDEST = 600
"""Pixels that the text of a mail is wide."""

TALLEST = 6_000
THUMBNAIL = 320
_QUALITY = 86

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

_READ = ("PNG", "JPEG", "GIF", "WEBP")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, TypeError, struct.error)
"""What Pillow raises for files that are broken in one way or another."""

_TOO_LARGE = (
    f"This picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller first: a mail shows at most "
    f"{2 * WIDEST} of them side by side."
)
NOT_READ = "This is no PNG, JPEG, GIF or WebP picture, or it is broken. Save it as one of these, and upload that."
NO_SVG = "Most mail programs do not show SVG, and it may hold programs. Save the picture as PNG, and upload that."


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A picture ready for mails. `width` and `height` are its own pixels, `shown` is how many of them across a mail shows it with.
    `thumbnail` is a small PNG or JPEG of it."""

    data: bytes
    media_type: str
    ending: str
    width: int
    height: int
    shown: int
    thumbnail: bytes


def prepared(data: bytes, wanted: int = 0) -> PreparedPicture:
    """The picture for a mail that shows it `wanted` pixels wide (0: its own width, up to that of the text). Raises Invalid("…", "file")."""
    if not data:
        raise Invalid("This file is empty.", "file")
    if len(data) > MOST_OCTETS:
        raise Invalid(
            f"This picture has {len(data) / 1e6:,.0f} MB; {MOST_OCTETS / 1e6:,.0f} MB is the most that is read.", "file"
        )
    if _is_svg(data):
        raise Invalid(NO_SVG, "file")
    try:
        with _opened(data) as probe:
            _refuse_large(probe)
            probe.verify()
        with _opened(data) as picture:
            return _prepared(picture, wanted)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise Invalid(_TOO_LARGE, "file") from None
    except UnidentifiedImageError:
        raise Invalid(NOT_READ, "file") from None
    except Invalid:
        raise
    except _BROKEN:
        raise Invalid(
            "This picture is broken: it cannot be read to its end. Save it anew, and upload that.", "file"
        ) from None


def _opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data), formats=_READ)


def _is_svg(data: bytes) -> bool:
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<svg") or (
        head.startswith((b"<?xml", b"<!doctype", b"<!--")) and b"<svg" in data[:4000].lower()
    )


def _refuse_large(picture: Image.Image) -> None:
    frames = getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MOST_PIXELS:
        raise Invalid(_TOO_LARGE, "file")
    if frames > MOST_FRAMES:
        raise Invalid(
            f"This picture moves through {frames:,} frames; {MOST_FRAMES} are the most that a mail should carry.",
            "file",
        )


def _prepared(picture: Image.Image, wanted: int) -> PreparedPicture:
    picture.load()
    if getattr(picture, "is_animated", False) and picture.format in ("GIF", "WEBP"):
        return _moving(picture, wanted)
    was_jpeg = picture.format == "JPEG"
    was_webp = picture.format == "WEBP"
    upright = _plain(ImageOps.exif_transpose(picture))
    shown = _shown(upright.width, wanted)
    upright = _scaled(upright, shown)
    has_alpha = upright.mode == "RGBA" and _min(upright.getchannel("A")) < 255
    if upright.mode == "RGBA" and not has_alpha:
        upright = upright.convert("RGB")
    thumbnail = _thumbnail(upright)
    if was_jpeg or (was_webp and not has_alpha):
        upright = upright if upright.mode == "L" else upright.convert("RGB")
        data = _written(upright, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
        return PreparedPicture(data, "image/jpeg", "jpg", upright.width, upright.height, shown, thumbnail)
    data = _written(upright, "PNG", optimize=True)
    return PreparedPicture(data, "image/png", "png", upright.width, upright.height, shown, thumbnail)


def _moving(picture: Image.Image, wanted: int) -> PreparedPicture:
    """A picture that moves, as GIF, which all mail programs show, if only its first frame."""
    shown = _shown(picture.width, wanted)
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(picture):
        frames.append(_scaled(frame.convert("RGBA"), shown))
        durations.append(int(frame.info.get("duration", 100)) or 100)  # known once a frame is read
    first, *others = frames
    loop = picture.info.get("loop", 0)
    data = _written(
        first, "GIF", save_all=True, append_images=others, duration=durations, loop=int(loop), disposal=2, optimize=True
    )
    return PreparedPicture(data, "image/gif", "gif", first.width, first.height, shown, _thumbnail(first))


def _shown(width: int, wanted: int) -> int:
    return min(wanted, WIDEST * 2) if wanted > 0 else min(width, WIDEST)


def _scaled(picture: Image.Image, shown: int) -> Image.Image:
    """The picture with at most two of its pixels for each that is shown across."""
    factor = min(1.0, 2 * shown / picture.width, TALLEST / picture.height)
    if factor == 1.0:
        return picture
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB and RGBA, its colours those of sRGB, and nothing else known about it."""
    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode == "1":
        picture = picture.convert("L")
    if profile and picture.mode in ("RGB", "RGBA", "CMYK"):
        picture = _in_srgb(picture, profile)
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    picture.info = {}
    return picture


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha else picture
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        found = ImageCms.profileToProfile(colours, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    if found is None:
        return picture
    if alpha:
        found.putalpha(alpha)
    return found


def _min(channel: Image.Image) -> int:
    extrema: Sequence[Any] = channel.getextrema()
    return int(extrema[0])


def _thumbnail(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    if small.mode == "RGBA":
        return _written(small, "PNG", optimize=True)
    return _written(small, "JPEG", quality=80)


def _written(picture: Image.Image, format_: str, **how: Any) -> bytes:
    out = BytesIO()
    picture.save(out, format_, **how)
    return out.getvalue()
