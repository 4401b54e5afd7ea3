"""Designs from elsewhere: pictures taken in, links kept, and a word on what could not be."""

import base64
import zipfile
from io import BytesIO

import pytest

from tests.core.branding.test_pictures import file
from webapp.core.designs import archives, importing
from webapp.core.errors import Invalid

HTML = """<!DOCTYPE html><html><head><title>Spring</title><link rel="stylesheet" href="style.css"><script>alert(1)</script>
<style>.hero{background:url(img/hero.png)}</style></head><body onload="go()">
<table><tr><td background="img/hero.png" style="background-image:url('img/hero.png')">
<a href="https://example.com/a?b=1&amp;c={{ client_id }}" onclick="x()"><img src="img/logo%20one.png" alt="Logo"></a>
<img src="https://cdn.example.com/remote.png"><img src="missing.png"><img src="DATA">
<form action="https://example.com"><p>Your name <input name="n"></p></form><iframe src="https://example.com">inside</iframe>
</td></tr></table></body></html>""".replace("DATA", "data:image/png;base64," + base64.b64encode(file()).decode())


def zipped(entries: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def taken(entries: dict[str, bytes]) -> tuple[importing.TakenDesign, list[bytes]]:
    hosted: list[bytes] = []

    def host(data: bytes) -> str:
        if not data.startswith(b"\x89PNG"):
            raise Invalid("This is no picture that can be read.")
        hosted.append(data)
        return f"https://mail.example.com/picture/{len(hosted)}.png"

    return importing.take(archives.read(zipped(entries), "x.zip"), host), hosted


def test_pictures_are_taken_in_once_each_and_links_stay():
    design, hosted = taken(
        {"mail/index.html": HTML.encode(), "mail/img/hero.png": file(), "mail/img/logo one.png": file(size=(9, 9))}
    )
    assert len(hosted) == design.pictures == 3 and design.title == "Spring"
    assert design.html.count("https://mail.example.com/picture/") == 5, "three backgrounds are one picture"
    assert 'href="https://example.com/a?b=1&amp;c={{ client_id }}"' in design.html
    assert 'src="https://cdn.example.com/remote.png"' in design.html and "img/hero" not in design.html


def test_what_cannot_be_kept_goes_with_a_word():
    design, _ = taken({"index.html": HTML.encode(), "img/hero.png": b"no picture"})
    for gone in ("<script", "alert", "<form", "<input", "<iframe", "inside", "<link", "onload", "onclick"):
        assert gone not in design.html, gone
    assert "Your name" in design.html
    told = " ".join(design.left_out)
    for word in (
        "script",
        "form",
        "frame",
        "style sheet from elsewhere",
        "missing.png is not in the file",
        "img/hero.png: This is no",
    ):
        assert word in told, word


def test_a_file_alone_is_read_in_its_letters():
    assert "Grüße" in archives.read("<p>Grüße</p>".encode("utf-8-sig"), "a.html").html
    assert (
        "Grüße aus München, schöne Tage"
        in archives.read("<p>Grüße aus München, schöne Tage</p>".encode("cp1252"), "a.HTM").html
    )


@pytest.mark.parametrize("name", ["../evil.png", "/etc/x.png", "a/../../x.png", "C:\\x.png", "a\\..\\x.png"])
def test_a_zip_that_reaches_outside_is_refused(name: str):
    with pytest.raises(Invalid, match="outside"):
        archives.read(zipped({"index.html": b"<p>x</p>", name: b"x"}), "x.zip")


def test_a_zip_with_a_link_in_it_is_refused():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", "<p>x</p>")
        link = zipfile.ZipInfo("a.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Invalid, match="outside"):
        archives.read(out.getvalue(), "x.zip")


def test_a_zip_that_unpacks_to_too_much_is_refused_whatever_it_says():
    bomb = zipped({"index.html": b"<p>x</p>", "a.png": bytes(13_000_000)})
    with pytest.raises(Invalid, match="too much"):
        archives.read(bomb, "x.zip")
    liar = bomb.replace((13_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(Invalid):
        archives.read(liar, "x.zip")
    with pytest.raises(Invalid, match="300 are the most"):
        archives.read(zipped({f"{number}.txt": b"" for number in range(302)}), "x.zip")


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"", "a.html"), (b"%PDF-1.7", "a.pdf"), (b"PK\x03\x04broken", "a.zip"), (zipped({"a.png": b"x"}), "a.zip")],
)
def test_what_is_no_design_is_refused(data: bytes, name: str):
    with pytest.raises(Invalid):
        archives.read(data, name)
