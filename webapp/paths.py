"""Where the program's own files lie: beside `webapp/` in a clone, inside it where a wheel was installed.

Standard library only; anybody may use it.
"""

import sys
import tomllib
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The folder of the clone; of an installed program that of all packages, from where its modules are found, too."""

IS_CLONE = (ROOT / "pyproject.toml").is_file() and (ROOT / "templates").is_dir()

TEMPLATES = (ROOT if IS_CLONE else PACKAGE) / "templates"
STATIC = (ROOT if IS_CLONE else PACKAGE) / "static"
TRANSLATIONS = (ROOT if IS_CLONE else PACKAGE) / "translations"
MIGRATIONS = PACKAGE / "migrations"

INSTANCE = ROOT / "instance" if IS_CLONE else Path(sys.prefix) / "var" / "massmail"
"""The instance folder, unless MASSMAIL_INSTANCE names another. Installed, all programs of one environment share it, wherever they start."""

BROWSER_SCRIPTS = Path(sys.prefix) / "share" / "massmail"
"""Where wheels are unpacked of which only scripts for the browser are taken; Python does not look for packages there."""

VERSION: str = (
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    if IS_CLONE
    else metadata.version("massmail")
)
