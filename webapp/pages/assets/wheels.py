"""What browsers get out of Python wheels: htmx, Tiptap and the face. The scripts' packages are for Django, which is not installed; so all
are unpacked in a folder of their own, where Python does not look for packages (`massmail browser-scripts`), and none is imported."""

import gzip
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from webapp.paths import BROWSER_SCRIPTS

LOCK = Path(__file__).with_name("requirements.lock")
"""The wheels, with their hashes."""


@dataclass(frozen=True)
class Script:
    """One file of a wheel. `distribution` is the name under which the wheel is known, `path` leads to the file in it."""

    distribution: str
    path: str


FACE = Script("fontpkg-inter", "fontpkg_inter/files/Inter[opsz,wght].ttf")
"""Inter, a variable font under the SIL Open Font License 1.1."""

SCRIPTS = {
    "htmx": Script("django-htmx", "django_htmx/static/django_htmx/htmx-2.min.js"),
    "editor": Script("django-prose-editor", "django_prose_editor/static/django_prose_editor/editor.js"),
    "face": FACE,
}
"""By the name that templates use: htmx 2, the ES module with Tiptap and ProseMirror, and what the console is set in."""


class MissingScript(Exception):
    """A wheel that the console needs is not there, or no longer holds the file; the text says which."""


@dataclass(frozen=True)
class Served:
    """The bytes of a script, plain and compressed by gzip."""

    plain: bytes
    gzipped: bytes


@cache
def version(name: str) -> str:
    """The version of the wheel behind the script `name`: a new wheel is a new URL. Raises MissingScript."""
    return _wheel_of(SCRIPTS[name]).version


@cache
def load(name: str) -> Served:
    """The script `name`, read and compressed once per process. Raises MissingScript."""
    script = SCRIPTS[name]
    path = Path(str(_wheel_of(script).locate_file(script.path)))
    if not path.is_file():
        raise MissingScript(f"The package {script.distribution} does not hold {script.path}.")
    plain = path.read_bytes()
    if path.suffix == ".js":
        # The source map is left in the wheel; naming it would make every opened console of a browser ask for it in vain.
        plain = plain.partition(b"\n//# sourceMappingURL=")[0] + b"\n"
    return Served(plain, gzip.compress(plain, 9, mtime=0))


def _wheel_of(script: Script, folder: Path = BROWSER_SCRIPTS) -> metadata.Distribution:
    """The wheel in `folder`, or else among Python's packages, where somebody may have it who uses Django."""
    for found in metadata.distributions(name=script.distribution, path=[str(folder), *sys.path]):
        return found
    raise MissingScript(
        f"The files of {script.distribution} are not in {folder}. Install them: massmail browser-scripts, or "
        f"python -m pip install --no-deps --require-hashes --target {folder} -r {LOCK}"
    )
