"""Logos and pictures of templates: what is kept of a file, and what is refused."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.branding import brands, pictures
from webapp.core.branding.brands import Wanted
from webapp.core.errors import Invalid
from webapp.core.rules.branding.look import Logo


def file(
    kind: str = "PNG", size: tuple[int, int] = (900, 300), colour: tuple[int, ...] = (10, 20, 60, 255), **how: object
) -> bytes:
    """A picture: an oval of `colour` in the middle of nothing; of JPEG, on black."""
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse(
        (size[0] // 10, size[1] // 4, size[0] * 9 // 10 - 1, size[1] * 3 // 4 - 1), fill=colour
    )
    out = BytesIO()
    (picture if kind != "JPEG" else picture.convert("RGB")).save(out, kind, **how)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_logo_is_a_png_as_large_as_a_mail_needs(kind: str):
    drawn = pictures.read_logo(file(kind))
    assert drawn.data.startswith(b"\x89PNG") and drawn.width <= 480 and drawn.height <= 144


def test_empty_edges_and_what_stands_beside_the_picture_go():
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    drawn = pictures.read_logo(file(exif=exif))
    assert b"where I live" not in drawn.data
    assert drawn.width / drawn.height == pytest.approx(720 / 150, rel=0.02)


def test_a_dark_logo_without_a_ground_is_known():
    assert pictures.read_logo(file()).is_dark
    assert not pictures.read_logo(file(colour=(250, 250, 250, 255))).is_dark
    assert not pictures.read_logo(file("JPEG")).is_dark, "it brings its own ground"


def test_what_is_no_picture_or_too_large_is_refused():
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
        + chunk(b"IEND", b"")
    )
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for data in (b"", b"hello", svg, file()[:200], file("TIFF"), bomb, bytes(pictures.LARGEST_LOGO + 1)):
        with pytest.raises(Invalid) as refused:
            pictures.read_logo(data)
        assert refused.value.field == "logo"
    with pytest.raises(Invalid):
        pictures.read_logo(file(colour=(0, 0, 0, 0)))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_it_is_kept_under_a_name_that_nobody_can_guess(session: Session):
    brand = brands.save(session, "", Wanted(logo=pictures.read_logo(file())), "", NOW)
    logo = brands.logo_of(session, brand)
    assert isinstance(logo, Logo) and logo.is_dark and (logo.width, logo.height) == (240, 50)
    name = logo.path.removeprefix("picture/")
    assert len(name) >= 40 and pictures.by_name(session, name)[1] == "image/png"
    assert pictures.by_name(session, "x.png") is None
    kept = brands.save(session, "", Wanted(), "", NOW)
    assert brands.logo_of(session, kept) == logo, "it stays when the rest is saved anew"
    assert brands.logo_of(session, brands.save(session, "", Wanted(without_logo=True), "", NOW)) is None


def test_a_small_logo_is_not_made_smaller():
    drawn = pictures.read_logo(file(size=(200, 60)))
    assert (drawn.width, drawn.height) == (160, 30)


def test_pictures_of_templates_are_written_anew_and_moving_ones_stay(session: Session):
    photo = pictures.read(file("JPEG", size=(3000, 900)))
    assert photo.media_type == "image/jpeg" and photo.width == 1200
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert pictures.read(out.getvalue()).data == out.getvalue()
    assert pictures.read(file("WEBP")).media_type == "image/png"
