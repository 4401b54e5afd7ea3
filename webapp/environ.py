"""Where settings come from, the environment and a `.env`, and how a program ends that was given one it cannot use."""

import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
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
