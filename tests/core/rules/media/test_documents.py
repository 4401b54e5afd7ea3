"""What may be attached: by name, by content, and by whether both agree."""

import zipfile
from io import BytesIO

import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.media import names
from webapp.core.rules.media.documents import TypeQuestion, judged

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def archive(*members: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in members:
            file.writestr(name, "x")
    return out.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("Terms.PDF", PDF, "application/pdf"),
        ("Größe.csv", "Name;Größe\nÄ;1\n".encode("cp1252"), "text/csv"),
        ("letter.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("plan.zip", archive("a/b.pdf", "c.txt"), "application/zip"),
        ("termin.ics", b"BEGIN:VCALENDAR\r\n", "text/calendar"),
        ("page.html", b"<!doctype html><p>Hello</p>", "text/html"),
        ("song.xyz", bytes(range(1, 256)), "application/octet-stream"),
    ],
)
def test_harmless_files_are_taken_with_the_type_of_their_name(name: str, data: bytes, media_type: str):
    assert judged(name, data).media_type == media_type


RUN = "a.exe a.JS a.vbs a.bat a.cmd a.scr a.msi a.jar a.lnk a.iso a.docm a.svg invoice.pdf.exe a.exe. a.hta a.ps1"


@pytest.mark.parametrize("name", RUN.split())
def test_names_of_what_runs_are_refused(name: str):
    with pytest.raises(Invalid, match=r"can do harm|macros") as refused:
        judged(name, PDF, agreed=True)
    assert not isinstance(refused.value, TypeQuestion)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.pdf", b"MZ\x90\x00" + bytes(60)),
        ("report.pdf", b"\x7fELF" + bytes(60)),
        ("report.txt", b"#!/bin/sh\nrm -rf /\n"),
        ("report.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")),
        ("report.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        ("page.html", b"<html><body onload=alert(1)>"),
        ("page.txt", b"<script>alert(1)</script>"),
        ("files.zip", archive("readme.txt", "run me.EXE")),
        ("files.zip", archive("META-INF/MANIFEST.MF", "A.class")),
        ("disc.pdf", bytes(32_769) + b"CD001"),
        ("link.pdf", b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(40)),
    ],
)
def test_content_that_runs_is_refused_whatever_it_is_called(name: str, data: bytes):
    with pytest.raises(Invalid, match="not attached") as refused:
        judged(name, data, agreed=True)
    assert not isinstance(refused.value, TypeQuestion)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("photo.pdf", PNG, "looks like png"),
        ("letter.docx", archive("photos/1.png"), "another kind of archive"),
        ("README", PDF, "has no ending"),
        ("table.csv", bytes(range(256)), "something else|looks like"),
        ("notes.xyz", PDF, "looks like pdf"),
    ],
)
def test_it_is_asked_where_name_and_content_disagree(name: str, data: bytes, words: str):
    with pytest.raises(TypeQuestion, match=words):
        judged(name, data)
    assert judged(name, data, agreed=True).name == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("C:\\Users\\x\\Bericht.pdf", "Bericht.pdf"),
        ("../../etc/passwd", "passwd"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("  two   blanks\r\nline.pdf", "two blanksline.pdf"),
        ('quo"te.pdf', "quote.pdf"),
        ("報告.pdf", "報告.pdf"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_names_stand_in_a_mail_without_doing_harm(given: str, name: str):
    assert names.plain_file_name(given) == name
