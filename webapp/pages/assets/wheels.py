"""Browser scripts that come out of Python wheels: htmx and Tiptap. Found without importing their packages, which need Django."""

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Script:
    """One file of a wheel. `package` is the import name, `distribution` the name it is installed under."""

    distribution: str
    package: str
    path: str


SCRIPTS = {
    "htmx": Script("django-htmx", "django_htmx", "static/django_htmx/htmx-2.min.js"),
    "editor": Script("django-prose-editor", "django_prose_editor", "static/django_prose_editor/editor.js"),
}
"""By the name that templates use: htmx 2, and the ES module with Tiptap and ProseMirror."""


class MissingScript(Exception):
    """A wheel that the console needs is not installed, or no longer holds the file; the text says which."""


@dataclass(frozen=True)
class Served:
    """The bytes of a script, plain and compressed by gzip."""

    plain: bytes
    gzipped: bytes


@cache
def version(name: str) -> str:
    """The version of the wheel behind the script `name`: a new wheel is a new URL. Raises MissingScript."""
    try:
        return metadata.version(SCRIPTS[name].distribution)
    except metadata.PackageNotFoundError:
        raise MissingScript(f"The package {SCRIPTS[name].distribution} is not installed.") from None


@cache
def load(name: str) -> Served:
    """The script `name`, read and compressed once per process. Raises MissingScript."""
    plain = _locate(SCRIPTS[name]).read_bytes()
    # The source map is left in the wheel; naming it would make every opened console of a browser ask for it in vain.
    plain = plain.partition(b"\n//# sourceMappingURL=")[0] + b"\n"
    return Served(plain, gzip.compress(plain, 9, mtime=0))


def _locate(script: Script) -> Path:
    # find_spec of a top-level package reads its location and runs none of its code.
    spec = find_spec(script.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / script.path
        if path.is_file():
            return path
    raise MissingScript(f"The package {script.distribution} does not hold {script.path}.")
