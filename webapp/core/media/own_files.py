"""A file for each recipient: a table says which client's number gets which file, and the files come along, one by one or in an archive."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, exists, func, select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.media import library
from webapp.core.rules.media.documents import judged
from webapp.core.rules.media.names import plain_file_name
from webapp.core.tables.clients import Client
from webapp.core.tables.media import MediaFile, OwnFile, OwnFiles, WithoutOwnFile

MOST_ROWS = 200_000
MOST_FILES = 20_000
WRITTEN_AT_ONCE = 4_000_000
"""Octets after which others may write."""

MOST_UNPACKED = 2_000_000_000
"""Octets of the files in one archive."""

_ENCODINGS = ("utf-8-sig", "cp1252")
_NUMBER = frozenset({"number", "clientnumber", "clientno", "client", "clientid", "id", "kundennummer", "nummer"})
_FILE = frozenset({"file", "filename", "attachment", "document", "datei", "dateiname"})


@dataclass(slots=True)
class OwnFilesTaken:
    """What became of a table and its files: how many recipients have a file now; the clients whose file did not come along; the files that
    no row names; the files that were refused, with the reason."""

    rows: int = 0
    lacking: list[tuple[str, str]] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnFilesSum:
    """The files of single recipients of a content: `count` rows, the largest and all of them in octets."""

    when_missing: WithoutOwnFile
    count: int
    largest: int
    total: int


def rows_of(table: bytes) -> dict[str, str]:
    """Client number -> file name, from a CSV. Its columns are known by their names in the first row, else they are the first two. Raises
    Invalid("…", "table")."""
    text = _decoded(table)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = [row for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]
    if not lines:
        raise Invalid("This table is empty.", "table")
    if len(lines) > MOST_ROWS:
        raise Invalid(f"This table has {len(lines):,} rows; {MOST_ROWS:,} are the most.", "table")
    number, file, first = _columns(lines[0])
    found: dict[str, str] = {}
    for at, row in enumerate(lines[first:], first + 1):
        if max(number, file) >= len(row):
            raise Invalid(
                f"Row {at} of this table has no second column: it takes the client's number and the file's name.",
                "table",
            )
        client, name = row[number].strip(), row[file].strip()
        if not client or not name:
            continue
        if found.get(client, name) != name:
            raise Invalid(
                f"Client {client} stands in this table with two files. One mail is made for each client.", "table"
            )
        found[client] = name
    if not found:
        raise Invalid("This table names no file for anybody.", "table")
    return found


def _decoded(table: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return table.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid("This table cannot be read as text. Save it as CSV, UTF-8.", "table")


def _columns(header: list[str]) -> tuple[int, int, int]:
    """Where the number and the file stand, and in which line the rows begin."""
    words = ["".join(filter(str.isalnum, cell.casefold())) for cell in header]
    number = next((at for at, word in enumerate(words) if word in _NUMBER), None)
    file = next((at for at, word in enumerate(words) if word in _FILE), None)
    if number is not None and file is not None:
        return number, file, 1
    if len(header) < 2:
        raise Invalid("This table has one column: it takes the client's number and the file's name.", "table")
    return 0, 1, 0


def unpacked(files: Mapping[str, IO[bytes]], most: int) -> Iterator[tuple[str, bytes | None]]:
    """The files by name, one in memory at a time, those of archives (.zip) among them; None in place of more octets than `most`. Raises
    Invalid("…", "files")."""
    for name, file in files.items():
        if not name.lower().endswith(".zip"):
            data = file.read(most + 1)
            yield name, data if len(data) <= most else None
            continue
        try:
            with zipfile.ZipFile(file) as archive:
                members = [
                    one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")
                ]
                if len(members) > MOST_FILES or sum(one.file_size for one in members) > MOST_UNPACKED:
                    raise Invalid(
                        f"“{name}” unpacks to more than {MOST_FILES:,} files or {MOST_UNPACKED / 1e9:,.0f} GB.", "files"
                    )
                for one in members:
                    # Of one that says less than it has, no more is read than it says.
                    yield one.filename, archive.read(one) if one.file_size <= most else None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            raise Invalid(f"“{name}” cannot be unpacked. Pack it anew, without a password.", "files") from None


def take(
    session: Session,
    content_id: int,
    table: bytes,
    files: Mapping[str, IO[bytes]],
    user_id: int | None,
    now: datetime,
    *,
    most: int,
    pause: Callable[[], None],
) -> OwnFilesTaken:
    """Give each recipient whom the table names their file, in place of what was there. `most` octets are left for one file; `pause` is
    called now and then, for the caller to let others write. Raises Invalid for a table or an archive that cannot be used."""
    wanted: dict[str, list[str]] = {}
    for client, name in rows_of(table).items():
        wanted.setdefault(_key(name), []).append(client)
    rule = session.get(OwnFiles, content_id) or OwnFiles(content_id=content_id, when_missing=WithoutOwnFile.SKIP)
    session.add(rule)
    session.execute(delete(OwnFile).where(OwnFile.content_id == content_id))
    taken, since = OwnFilesTaken(), 0
    for name, data in unpacked(files, most):
        clients = wanted.pop(_key(name), None)
        if clients is None:
            taken.unnamed.append(plain_file_name(name))
            continue
        try:
            if data is None:
                raise Invalid(
                    f"“{plain_file_name(name)}” is larger than the {most / 1e6:,.1f} MB that a mail has room for.",
                    "files",
                )
            document = judged(name, data)
        except Invalid as error:
            taken.refused.append(str(error))
            continue
        file = library.add_document(session, data, document, user_id, now)
        session.add_all(
            OwnFile(content_id=content_id, client_number=client[:64], file_id=file.id, name=document.name)
            for client in clients
        )
        session.flush()
        taken.rows += len(clients)
        since += len(data)
        if since > WRITTEN_AT_ONCE:
            pause()
            since = 0
    taken.lacking = [(client, name) for name, clients in wanted.items() for client in clients]
    return taken


def _key(name: str) -> str:
    return plain_file_name(name).casefold()


def remove(session: Session, content_id: int) -> None:
    """No recipient has a file of their own any more."""
    session.execute(delete(OwnFile).where(OwnFile.content_id == content_id))
    session.execute(delete(OwnFiles).where(OwnFiles.content_id == content_id))


def decide(session: Session, content_id: int, when_missing: WithoutOwnFile) -> None:
    """Say what becomes of recipients without a file."""
    if rule := session.get(OwnFiles, content_id):
        rule.when_missing = when_missing
        session.flush()


def summed(session: Session, content_id: int) -> OwnFilesSum | None:
    """The files of single recipients; None where there are none, and none are meant to be."""
    rule = session.get(OwnFiles, content_id)
    if rule is None:
        return None
    count, largest_one, total = session.execute(
        select(func.count(), func.coalesce(func.max(MediaFile.size), 0), func.coalesce(func.sum(MediaFile.size), 0))
        .select_from(OwnFile)
        .join(MediaFile, MediaFile.id == OwnFile.file_id)
        .where(OwnFile.content_id == content_id)
    ).one()
    return OwnFilesSum(rule.when_missing, count, largest_one, total)


def largest(session: Session, content_id: int) -> int:
    """Octets of the largest file of a single recipient; 0 where there is none."""
    found = summed(session, content_id)
    return found.largest if found else 0


def skips_without(session: Session, content_id: int) -> int | None:
    """The content, where its recipients without a file of their own are to get nothing; None where they get the mail."""
    rule = session.get(OwnFiles, content_id)
    return content_id if rule is not None and rule.when_missing is WithoutOwnFile.SKIP else None


def has_one(content_id: int, client_number: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether a client has a file of their own, as a condition."""
    return exists().where(OwnFile.content_id == content_id, OwnFile.client_number == client_number)


def of_client(session: Session, content_id: int, client_id: int) -> tuple[MediaFile, str] | None:
    """The file of a client, and the name by which the recipient sees it; None where there is none."""
    row = session.execute(
        select(MediaFile, OwnFile.name)
        .join(OwnFile, OwnFile.file_id == MediaFile.id)
        .join(Client, Client.number == OwnFile.client_number)
        .where(OwnFile.content_id == content_id, Client.id == client_id)
    ).one_or_none()
    return (row[0], row[1]) if row else None
