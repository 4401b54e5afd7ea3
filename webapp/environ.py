"""Where settings come from, the environment and a `.env`, and how a program ends that was given one it cannot use."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from dotenv import dotenv_values

EXIT_UNUSABLE = 2
"""How a program ends whose settings cannot be used; as for mistakes on a command line."""


class SettingError(Exception):
    """A setting that cannot be used; the text says which, and what to do, in one line, and repeats no password."""


@contextmanager
def or_exit() -> Iterator[None]:
    """For the outermost layer of a program: a SettingError inside is one line on stderr, and the process ends with EXIT_UNUSABLE."""
    try:
        yield
    except SettingError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(EXIT_UNUSABLE) from None


def read_env_file(environ: MutableMapping[str, str] = os.environ) -> None:
    """Add to `environ` what the `.env` of the current folder says, or the file that MASSMAIL_ENV_FILE names (nothing behind its `=`: no
    file). What is in the environment wins. Raises SettingError for a file that is named and not there, or cannot be read.

    For the outermost layer of a program, so that what it starts has the same settings. A `$` stands for itself, as in a file that systemd
    reads (EnvironmentFile=), which may be the same one, and as in a password.
    """
    named = environ.get("MASSMAIL_ENV_FILE")
    path = Path(".env" if named is None else named)
    if named == "" or (named is None and not path.exists()):
        return
    try:
        with path.open(encoding="utf-8") as lines:
            found = dotenv_values(stream=lines, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(
            f"The settings in {path} cannot be read: {why}. Mend it, or name another file: MASSMAIL_ENV_FILE."
        ) from None
    for name, value in found.items():
        if value is None:
            raise SettingError(f"{path} has {name} with nothing behind it: write {name}=… or remove the line.")
        environ.setdefault(name, value)


def dns_servers(environ: Mapping[str, str]) -> tuple[tuple[str, int], ...] | None:
    """The DNS servers to ask as MASSMAIL_DNS names them, each with its port; empty: those of the system; None: DNS is not asked. Raises
    SettingError."""
    found = []
    if environ.get("MASSMAIL_DNS", "").strip().lower() == "off":
        return None
    for word in environ.get("MASSMAIL_DNS", "").replace(",", " ").split():
        parts = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?|([0-9.]+)(?::(\d{1,5}))?|([0-9a-fA-F:]+)", word)
        host = parts and (parts[1] or parts[3] or parts[5])
        port = int((parts and (parts[2] or parts[4])) or 53)
        if not host or not _is_address(host) or not 0 < port < 65536:
            raise SettingError(
                f"MASSMAIL_DNS names {word!r}: use 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53 or off."
            )
        found.append((host, port))
    return tuple(found)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
