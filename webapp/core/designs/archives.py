"""A design as people get it from a designer: an HTML file, or a zip with one and its pictures. Read without trusting it."""

import posixpath
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from charset_normalizer import from_bytes

from webapp.core.errors import Invalid

LARGEST_FILE = 20_000_000
"""Octets of an upload."""
MOST_ENTRIES, LARGEST_WHOLE, LARGEST_ENTRY = 300, 60_000_000, 12_000_000
"""Files in a zip, their octets together once unpacked, and those of one."""

_HTML = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class DesignFiles:
    """An HTML source with the files beside it, by their path as the source names them. `base` is the folder that the source lies in."""

    html: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    base: str = ""

    def at(self, address: str) -> bytes | None:
        """The file that a relative address means."""
        return self.files.get(posixpath.normpath(posixpath.join(self.base, address)))


def read(upload: bytes, name: str) -> DesignFiles:
    """The design in an upload called `name`. Raises Invalid for what is neither HTML nor a zip with some, and for a zip that would unpack
    to too much or outside its folder."""
    if not upload:
        raise Invalid("Choose a file first.", "file")
    if len(upload) > LARGEST_FILE:
        raise Invalid(f"The file is larger than {LARGEST_FILE // 1_000_000} MB.", "file")
    if upload.startswith(b"PK\x03\x04"):
        return _unpacked(upload)
    if not name.lower().endswith(_HTML) or b"\x00" in upload[:4096].replace(b"\x00<", b""):
        raise Invalid("Take an .html file, or a .zip with one and its pictures.", "file")
    return DesignFiles(_decoded(upload))


def _unpacked(upload: bytes) -> DesignFiles:
    try:
        with zipfile.ZipFile(BytesIO(upload)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_bad(entries)
            files = {posixpath.normpath(entry.filename): _entry(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise Invalid("This zip cannot be read: it is broken, or locked with a password.", "file") from None
    sources = [path for path in files if path.lower().endswith(_HTML) and not path.startswith("__MACOSX/")]
    if not sources:
        raise Invalid("There is no .html file in this zip.", "file")
    chosen = min(sources, key=lambda path: (path.count("/"), not path.lower().endswith("index.html"), path))
    return DesignFiles(_decoded(files[chosen]), files, posixpath.dirname(chosen))


def _refuse_bad(entries: list[zipfile.ZipInfo]) -> None:
    """Before anything is unpacked: what the zip itself says of its size and its places."""
    if len(entries) > MOST_ENTRIES:
        raise Invalid(f"There are {len(entries):,} files in this zip. {MOST_ENTRIES} are the most.", "file")
    whole = sum(entry.file_size for entry in entries)
    if whole > LARGEST_WHOLE or any(entry.file_size > LARGEST_ENTRY for entry in entries):
        raise Invalid(f"This zip unpacks to {whole / 1e6:,.0f} MB, which is too much.", "file")
    for entry in entries:
        name = entry.filename
        outside = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
        if outside or stat.S_ISLNK(entry.external_attr >> 16):
            raise Invalid(f"The zip has a file that would lie outside of it: {name[:80]}.", "file")


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """A file, whatever the zip says of its size."""
    with archive.open(entry) as file:
        data = file.read(LARGEST_ENTRY + 1)
    if len(data) > min(LARGEST_ENTRY, entry.file_size):
        raise Invalid("This zip unpacks to more than it says.", "file")
    return data


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = from_bytes(data).best()
        text = str(found) if found else data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
