"""The id of a machine: made once, and kept in the folder in which its journals lie.

A host name tells no machine from another: two containers may have the same, and one machine may be renamed. What matters is who can read a
journal, and that is whoever has the folder. So the folder has the id, and a lost folder is another machine.
"""

import contextlib
import os
from pathlib import Path
from uuid import uuid4

from webapp import private

FILE = "machine-id"


def id_of(folder: Path) -> str:
    """The id of the machine whose journals lie in `folder`; made if there is none, the same for all who ask at once."""
    path = folder / FILE
    with contextlib.suppress(OSError):
        if known := path.read_text().strip():
            return known[:32]
    private.folder(folder)
    fresh = folder / f"{FILE}.{uuid4().hex}"
    private.file(fresh)
    fresh.write_text(uuid4().hex)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # never over another's, never half written
        if not path.read_text().strip():  # a full disk once left it empty
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path.read_text().strip()[:32]
