"""Which build of Python an environment is made with."""

import json
import sys
from pathlib import Path

import pytest

from webapp.bootstrap import builds

SLOW, FAST = [[3, 11], 1e6, True], [[3, 11], 1.3e6, True]


def python(folder: Path, says: object, name: str = "python3.11") -> str:
    """A program that describes itself so."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{json.dumps(says)}'\n")
    program.chmod(0o755)
    return str(program)


def test_a_python_says_what_it_is():
    build = builds.described(sys.executable)
    assert build is not None and build.version == sys.version_info[:2] and build.calls > 0 and build.is_complete


def test_a_python_that_is_as_fast_stays(tmp_path: Path):
    python(tmp_path / "system", FAST)
    mine = python(tmp_path / "mine", FAST)
    assert builds.best(mine, [tmp_path / "system"]) == mine


def test_the_systems_own_is_taken_where_it_is_faster(tmp_path: Path):
    mine = python(tmp_path / "mine", SLOW)
    fast = python(tmp_path / "system", FAST)
    assert builds.best(mine, [tmp_path / "nothing", tmp_path / "system"]) == fast


@pytest.mark.parametrize(
    ("says", "name"),
    [
        ([[3, 11], 1.1e6, True], "python3.11"),
        ([[3, 11], 2e6, False], "python3.11"),
        ([[3, 12], 2e6, True], "python3.12"),
        ("nothing of use", "python3.11"),
    ],
    ids=["hardly faster", "cannot make environments", "another version", "broken"],
)
def test_another_that_is_no_better_or_not_the_same_is_left_alone(tmp_path: Path, says: object, name: str):
    mine = python(tmp_path / "mine", SLOW)
    python(tmp_path / "system", says, name)
    assert builds.best(mine, [tmp_path / "system"]) == mine


def test_a_python_that_does_not_answer_is_left_as_it_is(tmp_path: Path):
    python(tmp_path / "system", FAST)
    assert builds.best(str(tmp_path / "none"), [tmp_path / "system"]) == str(tmp_path / "none")
