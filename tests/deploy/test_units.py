"""The units of systemd, judged by systemd itself: free of mistakes, and hardened."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import run
from tests.deploy import files
from webapp.app import COMMANDS
from webapp.command import massmail
from webapp.config import RelaySettings

PROGRAM = "/srv/massmail/venv/bin/massmail"
EXPOSURE_TIMES_TEN = 15
"""What `systemd-analyze security` may find at most, of 100."""


@pytest.fixture
def placed(tmp_path: Path) -> list[Path]:
    """The units as they would be installed, with a program that is there; of a template its first instance."""
    if not shutil.which("systemd-analyze"):
        run.missing("systemd-analyze (Debian: systemd)")
    for unit in files.UNITS:
        (tmp_path / unit.name.replace("@.", "@1.")).write_text(unit.read_text().replace(PROGRAM, "/usr/bin/env"))
    return sorted(tmp_path.iterdir())


def test_systemd_understands_every_line(placed: list[Path]):
    command = ["systemd-analyze", "verify", "--man=no", *map(str, placed)]
    answer = subprocess.run(command, capture_output=True, text=True)
    ours = [line for line in answer.stderr.splitlines() if "massmail" in line]
    assert (answer.returncode, ours) == (0, [])


def test_what_the_program_has_no_use_for_is_taken_from_it(placed: list[Path]):
    for unit in placed:
        options = ("--offline=true", f"--threshold={EXPOSURE_TIMES_TEN}", "--no-pager")
        answer = subprocess.run(["systemd-analyze", "security", *options, str(unit)], capture_output=True, text=True)
        assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("unit", files.UNITS, ids=lambda unit: unit.name)
def test_each_starts_a_command_that_there_is(unit: Path):
    program, command, *_ = files.value_of(unit, "ExecStart").split()
    assert program == PROGRAM
    assert command in {*massmail.commands, *COMMANDS}


def test_a_worker_has_time_to_wait_for_the_relay():
    (worker,) = [unit for unit in files.UNITS if "worker" in unit.name]
    assert int(files.value_of(worker, "TimeoutStopSec")) > RelaySettings().dot_timeout


def test_the_boot_can_be_told():
    """The pace is kept by the machine's clock, which starts anew at each boot; so what tells a boot must be in sight."""
    for unit in files.UNITS:
        assert "\nProcSubset=pid" not in unit.read_text()
