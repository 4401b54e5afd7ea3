"""What may be attached to a mail: judged by its name and by what is in it, which have to agree. What could run on the computer of whoever
gets it is refused, as relays and mail programs refuse it, too."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO

import puremagic

from webapp.core.errors import Invalid
from webapp.core.rules.media.names import ending_of, plain_file_name

_RUNS = """
exe com scr pif msi msp mst msix appx bat cmd ps1 psm1 ps2 vb vbs vbe js jse mjs ws wsf wsh wsc hta cpl jar jnlp class lnk url scf reg inf
dll sys drv ocx gadget application appref-ms chm hlp iso img vhd vhdx dmg pkg app apk ipa deb rpm run sh bash csh ksh py pyc pl rb php
msc job sct shb shs diagcab cab library-ms search-ms settingcontent-ms theme xll ade adp mde mdb accdb one svg svgz swf workflow
"""
RUNS = frozenset(_RUNS.split())
"""Endings of what runs or leads to what runs."""

_MACROS = "docm dotm xlsm xltm xlam xlsb pptm potm ppsm ppam sldm"
WITH_MACROS = frozenset(_MACROS.split())

_TYPES: dict[str, tuple[str, str]] = {
    "pdf": ("application/pdf", "pdf"),
    "png": ("image/png", "png"),
    "jpg": ("image/jpeg", "jpg"),
    "jpeg": ("image/jpeg", "jpg"),
    "gif": ("image/gif", "gif"),
    "webp": ("image/webp", "webp"),
    "tif": ("image/tiff", "tif"),
    "tiff": ("image/tiff", "tif"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "zip"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "zip"),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "zip"),
    "odt": ("application/vnd.oasis.opendocument.text", "zip"),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", "zip"),
    "odp": ("application/vnd.oasis.opendocument.presentation", "zip"),
    "epub": ("application/epub+zip", "zip"),
    "zip": ("application/zip", "zip"),
    "doc": ("application/msword", "ole"),
    "xls": ("application/vnd.ms-excel", "ole"),
    "ppt": ("application/vnd.ms-powerpoint", "ole"),
    "rtf": ("application/rtf", "rtf"),
    "txt": ("text/plain", "text"),
    "csv": ("text/csv", "text"),
    "md": ("text/markdown", "text"),
    "ics": ("text/calendar", "text"),
    "vcf": ("text/vcard", "text"),
    "json": ("application/json", "text"),
    "xml": ("application/xml", "text"),
    "html": ("text/html", "text"),
    "htm": ("text/html", "text"),
    "mp3": ("audio/mpeg", ""),
    "mp4": ("video/mp4", ""),
    "gz": ("application/gzip", "gz"),
    "7z": ("application/x-7z-compressed", "7z"),
    "key": ("application/octet-stream", ""),
    "pages": ("application/octet-stream", "zip"),
    "numbers": ("application/octet-stream", "zip"),
}
"""By ending: the media type it is sent with, and what its content has to look like ("": whatever it is)."""

_BEGINS = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"{\\rtf", "rtf"),
    (b"\x1f\x8b", "gz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_PROGRAMS = (
    (b"MZ", "a program for Windows"),
    (b"\x7fELF", "a program for Linux"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a link to a program (.lnk)"),
    (b"MSCF", "a Windows archive (.cab)"),
    (b"#!", "a script"),
)
_SCRIPT = re.compile(
    rb"<\s*(?:script|iframe|object|embed|svg)\b|\bon[a-z]{3,20}\s*=|javascript:|vbscript:|data:text/html", re.IGNORECASE
)
_IS_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|svg|script)\b", re.IGNORECASE)
_VBA = "_VBA_PROJECT".encode("utf-16-le")
MOST_IN_AN_ARCHIVE = 5_000


class TypeQuestion(Invalid):
    """The name says one thing and the content another: a person is asked whether it is to be attached all the same."""


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A file that may be attached: its name as it stands in the mail, and the type it is sent with."""

    name: str
    media_type: str
    ending: str


def judged(file_name: str, data: bytes, *, agreed: bool = False) -> JudgedDocument:
    """A file that is to be attached. Raises Invalid("…", "file") for what must not be; TypeQuestion where name and content disagree, unless
    somebody has `agreed` to that."""
    name = plain_file_name(file_name)
    ending = ending_of(name)
    shown = f"“{name}”"
    if not data:
        raise Invalid(f"{shown} is empty.", "file")
    if ending in RUNS:
        raise Invalid(
            f"{shown} is of a kind (.{ending}) that can do harm when it is opened. Relays refuse such mails, so it is not attached.",
            "file",
        )
    if ending in WITH_MACROS:
        raise Invalid(
            f"{shown} may hold macros (.{ending}), so it is not attached. Save it without macros, or as PDF.", "file"
        )
    _refuse_harm(shown, data)
    looks = looks_like(data)
    media_type, wanted = _TYPES.get(ending, ("application/octet-stream", ""))
    if not agreed and (doubt := _doubt(ending, wanted, looks, data)):
        raise TypeQuestion(f"{shown} {doubt} Attach it all the same?", "file")
    return JudgedDocument(name, media_type, ending)


def looks_like(data: bytes) -> str:
    """What the content is: a short name as in `_BEGINS`, "text", or what puremagic says (an ending); "" where nobody knows."""
    for begin, kind in _BEGINS:
        if data.startswith(begin):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if _is_text(data):
        return "text"
    try:
        found = puremagic.magic_string(data)
    except (puremagic.PureError, ValueError):
        return ""
    return found[0].extension.lstrip(".").lower() if found and found[0].confidence >= 0.5 else ""


def _doubt(ending: str, wanted: str, looks: str, data: bytes) -> str:
    """Why name and content do not agree, as the end of a sentence; "" where they do."""
    if not ending:
        return f"has no ending, so mail programs do not know what it is{f' (it looks like {looks})' if looks else ''}."
    if not wanted:
        known = {kind for _, kind in _BEGINS} - {"zip", "ole"}
        return (
            f"has the ending .{ending}, but its content looks like {looks}."
            if looks in known and looks != ending
            else ""
        )
    if looks == wanted:
        if wanted == "zip" and ending not in ("zip", "pages", "numbers") and not _is_office(ending, data):
            return f"has the ending .{ending}, but its content is another kind of archive."
        return ""
    inside = f"its content looks like {looks}" if looks else "its content is something else"
    return f"has the ending .{ending}, but {inside}."


def _is_office(ending: str, data: bytes) -> bool:
    """Whether an archive holds what a document of that ending has in it."""
    names = _names_in(data) or []
    first = {"docx": "word/", "xlsx": "xl/", "pptx": "ppt/"}.get(ending)
    return any(name.startswith(first) for name in names) if first else "mimetype" in names


def _refuse_harm(shown: str, data: bytes) -> None:
    """Raise Invalid for content that runs, whatever its name is."""
    for begin, what in _PROGRAMS:
        if data.startswith(begin):
            raise Invalid(f"{shown} is {what} by its content, whatever its name says. It is not attached.", "file")
    if data[32_769:32_774] == b"CD001":
        raise Invalid(f"{shown} is an image of a disc (.iso) by its content. It is not attached.", "file")
    if data.startswith(b"\xd0\xcf\x11\xe0") and _VBA in data:
        raise Invalid(f"{shown} holds macros, so it is not attached. Save it without them, or as PDF.", "file")
    if _IS_MARKUP.match(data[:2000]) and _SCRIPT.search(data):
        raise Invalid(f"{shown} is a page with scripts in it, so it is not attached. Send it as PDF.", "file")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _refuse_archive(shown, data)


def _refuse_archive(shown: str, data: bytes) -> None:
    names = _names_in(data)
    if names is None:
        raise Invalid(f"{shown} is an archive that cannot be read. Pack it anew.", "file")
    if len(names) > MOST_IN_AN_ARCHIVE:
        raise Invalid(
            f"{shown} holds {len(names):,} files; {MOST_IN_AN_ARCHIVE:,} are the most that are looked through.", "file"
        )
    if "AndroidManifest.xml" in names or any(name.endswith(".class") for name in names):
        raise Invalid(f"{shown} is a program (.jar or .apk) by its content. It is not attached.", "file")
    if any(name.rsplit("/", 1)[-1].lower() == "vbaproject.bin" for name in names):
        raise Invalid(f"{shown} holds macros, so it is not attached. Save it without them, or as PDF.", "file")
    is_office = "[Content_Types].xml" in names or "mimetype" in names
    for name in names:
        if not is_office and ending_of(name) in RUNS | WITH_MACROS:
            raise Invalid(
                f"{shown} holds “{plain_file_name(name)}”, which can do harm when it is opened. It is not attached.",
                "file",
            )


def _names_in(data: bytes) -> list[str] | None:
    """The names of what an archive holds; None where it cannot be read."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return None


def _is_text(data: bytes) -> bool:
    """Whether it reads as text: UTF-8, UTF-16 with its mark, or an older encoding without control characters."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    head = data[:100_000]
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        high = sum(byte > 0x7F for byte in head)
        return error.start > len(head) - 4 or high < len(head) * 0.3
    return True
