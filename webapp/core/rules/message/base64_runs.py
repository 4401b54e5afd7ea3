"""Base64 (RFC 2045 section 6.8) in pieces: static runs encoded once for each of their three phases, values joined in for each mail.

Base64 takes three octets at a time. Where a static run begins within such a group depends on the values before it, so each run is kept
encoded three times: after 0, 1 or 2 of its octets went to complete the group before it. Lines may be shorter than 76 columns, so every
piece has lines of its own.
"""

from binascii import b2a_base64
from dataclasses import dataclass

LINE = 57
"""Octets that make a line of 76 columns."""

SHORT = 60
"""A static run shorter than this is not worth three encodings: it is encoded with its neighbours."""


@dataclass(frozen=True, slots=True)
class Run:
    """A static run, by how many of its octets went to the group before it: what they are, the lines that follow, and what is left."""

    heads: tuple[bytes, ...]
    lines: tuple[str, ...]
    tails: tuple[bytes, ...]


def run(data: bytes) -> Run | bytes:
    """The run in its three phases, or the octets themselves where they are few."""
    if len(data) < SHORT:
        return data
    heads, bodies, tails = [], [], []
    for taken in range(3):
        rest = data[taken:]
        whole = len(rest) - len(rest) % 3
        heads.append(data[:taken])
        bodies.append(lines(rest[:whole]))
        tails.append(rest[whole:])
    return Run(tuple(heads), tuple(bodies), tuple(tails))


def lines(data: bytes) -> str:
    """Octets as lines of at most 76 columns, each with its CRLF."""
    if len(data) <= LINE:
        return b2a_base64(data, newline=False).decode() + "\r\n" if data else ""
    return "".join(
        b2a_base64(data[at : at + LINE], newline=False).decode() + "\r\n" for at in range(0, len(data), LINE)
    )


def size(text: str) -> int:
    """About how many octets the text takes in base64."""
    return len(text.encode()) * 4 * 78 // (3 * 76)


class Base64Writer:
    """One part under way. `pending` holds the octets that are not yet a whole group of three, and short pieces."""

    __slots__ = ("out", "pending")

    def __init__(self, out: list[str]):
        self.out = out
        self.pending = b""

    def bytes(self, data: bytes) -> None:
        self.pending += data

    def run(self, found: Run) -> None:
        pending = self.pending
        taken = -len(pending) % 3
        if pending:
            self.out.append(lines(pending + found.heads[taken]))
        self.out.append(found.lines[taken])
        self.pending = found.tails[taken]

    def close(self) -> None:
        if self.pending:
            self.out.append(lines(self.pending))
