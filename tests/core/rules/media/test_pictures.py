"""Pictures as mails show them, made from real ones."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from webapp.core.errors import Invalid
from webapp.core.rules.media import pictures
from webapp.core.rules.media.pictures import prepared


def made(format_: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **how: Any) -> bytes:
    out = BytesIO()
    Image.new(mode, size, (200, 30, 30, 120)[: len(mode)] if mode in ("RGB", "RGBA") else 1).save(out, format_, **how)
    return out.getvalue()


def read(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (made("PNG"), "image/png"),
        (made("PNG", mode="RGBA"), "image/png"),
        (made("PNG", mode="P"), "image/png"),
        (made("PNG", mode="1"), "image/png"),
        (made("PNG", mode="I;16"), "image/png"),
        (made("JPEG"), "image/jpeg"),
        (made("JPEG", mode="L"), "image/jpeg"),
        (made("JPEG", mode="CMYK"), "image/jpeg"),
        (made("GIF"), "image/png"),
        (made("WEBP"), "image/jpeg"),
        (made("WEBP", mode="RGBA", lossless=True), "image/png"),
    ],
)
def test_every_kind_becomes_one_that_all_mail_programs_show(data: bytes, media_type: str):
    picture = prepared(data)
    shown = read(picture.data)
    assert (picture.media_type, shown.get_format_mimetype()) == (media_type, media_type)
    assert shown.size == (picture.width, picture.height) == (40, 30) and picture.shown == 40
    assert read(picture.thumbnail).size == (40, 30)


def test_what_it_knows_about_its_maker_is_gone_and_it_stands_upright():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    picture = prepared(made("JPEG", (60, 20), exif=exif, comment=b"my living room"))
    shown = read(picture.data)
    assert shown.size == (20, 60), "turned as the camera was held"
    assert not shown.getexif() and {"exif", "comment", "icc_profile"}.isdisjoint(shown.info)
    assert b"Secret" not in picture.data and b"living" not in picture.data and b"Exif" not in picture.thumbnail


def test_texts_in_a_png_are_gone():
    about = PngInfo()
    about.add_text("Author", "Somebody")
    assert b"Somebody" not in prepared(made("PNG", pnginfo=about)).data


@pytest.mark.parametrize(("wanted", "width", "shown"), [(0, 1200, 600), (200, 400, 200), (5000, 1800, 1200)])
def test_it_has_at_most_two_pixels_for_each_that_is_shown(wanted: int, width: int, shown: int):
    picture = prepared(made("PNG", (1800, 900)), wanted)
    assert (picture.width, picture.height, picture.shown) == (width, width // 2, shown)


def test_a_picture_that_moves_goes_on_moving_and_a_moving_webp_becomes_a_gif():
    frames = [Image.new("RGB", (50, 40), colour) for colour in ("red", "green", "blue")]
    for format_ in ("GIF", "WEBP"):
        out = BytesIO()
        frames[0].save(out, format_, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)
        picture = prepared(out.getvalue())
        shown = Image.open(BytesIO(picture.data))
        assert picture.media_type == "image/gif" and [f.info["duration"] for f in ImageSequence.Iterator(shown)] == [
            100,
            200,
            300,
        ]


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 no picture", "no PNG, JPEG"),
        (SVG, "SVG"),
        (made("BMP"), "no PNG, JPEG"),
        (made("TIFF"), "no PNG, JPEG"),
        (made("PNG", (300, 300))[:-200], "broken"),
        (made("JPEG", (300, 300))[:400], "broken"),
        (made("GIF", (300, 300))[:60], "broken"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(data: bytes, words: str):
    with pytest.raises(Invalid, match=words) as refused:
        prepared(data)
    assert refused.value.field == "file"


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_read():
    bomb = made("PNG", (12_000, 12_000), mode="1", optimize=False)
    assert len(bomb) < 100_000
    with pytest.raises(Invalid, match="million pixels"):
        prepared(bomb)


def test_one_with_too_many_frames_is_refused():
    frames = [Image.new("RGB", (2, 2), (number % 250, number // 250, 0)) for number in range(pictures.MOST_FRAMES + 2)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20)
    with pytest.raises(Invalid, match="frames"):
        prepared(out.getvalue())
