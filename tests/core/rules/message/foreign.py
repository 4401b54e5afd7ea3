"""Two more readers of mails that share nothing with the others: Email::MIME in Perl and GMime in C, each a program of its own."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.core.rules.message.readers import Read, unix

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Program:
    """A reader of many mails at a time. `asked` is a command that ends well where the machine has the parser, `packages` those that bring
    it on Debian."""

    name: str
    command: tuple[str, ...]
    asked: tuple[str, ...]
    packages: str

    def missing(self) -> str | None:
        """What to do to have it, in words; None where it is there."""
        try:
            found = subprocess.run(self.asked, capture_output=True, check=False)
        except OSError:
            found = None
        if found is not None and found.returncode == 0:
            return None
        return f"missing on this machine: {self.name} (apt-get install --no-install-recommends {self.packages})"

    def read(self, mails: Sequence[Path]) -> list[Read]:
        """What the mails in these files say, in their order. Raises RuntimeError with the program's own words when it cannot read one."""
        names = "".join(f"{path}\n" for path in mails)
        done = subprocess.run(self.command, input=names, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) != len(mails):
            raise RuntimeError(f"{self.name} read {len(lines)} of {len(mails)} mails: {done.stderr[-1000:]}")
        return [_read(json.loads(line)) for line in lines]


def _read(said: dict) -> Read:
    html = said["html"]
    return Read(
        said["subject"],
        (said["from_"][0], said["from_"][1]),
        (said["to"][0], said["to"][1]),
        unix(said["text"]),
        None if html is None else unix(html),
        tuple(said["fields"]),
    )


FOREIGN = (
    Program(
        "Email::MIME",
        ("perl", str(PROGRAMS / "email_mime.pl")),
        ("perl", "-MEmail::MIME", "-MEmail::Address::XS", "-e1"),
        "libemail-mime-perl",
    ),
    Program(
        "GMime",
        ("/usr/bin/python3", str(PROGRAMS / "gmime.py")),
        ("/usr/bin/python3", "-c", "import gi; gi.require_version('GMime', '3.0'); from gi.repository import GMime"),
        "python3-gi gir1.2-gmime-3.0",
    ),
)
"""Debian's Python, because the bindings belong to it."""
