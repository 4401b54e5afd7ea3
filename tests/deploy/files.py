"""What stands in `deploy/`: the steps of the image, the services of compose, the units of systemd."""

import re
from pathlib import Path
from typing import Any

import yaml

from webapp.paths import ROOT

DEPLOY = ROOT / "deploy"
UNITS = tuple(sorted((DEPLOY / "systemd").iterdir()))


def instructions() -> list[tuple[str, str]]:
    """Those of the Containerfile in their order: name and what stands behind it."""
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line and not line.startswith("#")]


def steps() -> list[str]:
    """The commands by which the image is made."""
    return [words for name, words in instructions() if name == "RUN"]


def services() -> dict[str, Any]:
    """Those of compose.yaml by name."""
    return compose()["services"]


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def value_of(unit: Path, name: str) -> str:
    """What the last line `name=` of a unit says."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)[-1]
