"""The environment that the first command makes: when it is made, made anew, left alone, and what is said when it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import run
from webapp.bootstrap import commands, environment
from webapp.bootstrap.environment import LOCKS, ROOT, TESTS, Environment, EnvironmentProblem


@pytest.fixture
def bare(tmp_path: Path) -> Environment:
    """The environment of a clone before its first start. Its locks name nothing to install, so that it needs no network."""
    for lock in LOCKS.values():
        (tmp_path / "clone" / lock).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clone" / lock).write_text("# nothing\n")
    return Environment(tmp_path / "clone", environ={})


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that a first start made."""
    root = tmp_path_factory.mktemp("made")
    (root / LOCKS["program"]).write_text("# nothing\n")
    environment = Environment(root, environ={})
    assert not environment.is_ready(["program"])
    environment.make_ready(["program"])
    return environment


@pytest.fixture
def clone(bare: Environment, made_once: Environment) -> Environment:
    """The environment of a clone after its first start."""
    shutil.copytree(made_once.folder, bare.folder, symlinks=True)
    assert bare.is_ready(["program"])
    return bare


def test_it_is_made_once_and_then_left_alone(made_once: Environment, capsys: pytest.CaptureFixture[str]):
    assert made_once.is_ready(["program"])
    assert subprocess.run([made_once.python, "-c", "import pip"]).returncode == 0
    made_once.make_ready(["program"])
    assert capsys.readouterr().err == ""


def test_a_changed_lock_is_installed_into_the_environment_that_is_there(clone: Environment):
    kept = clone.folder / "kept"
    kept.touch()
    (clone.root / LOCKS["program"]).write_text("# something else\n")
    assert not clone.is_ready(["program"])
    clone.make_ready(["program"])
    assert clone.is_ready(["program"])
    assert kept.exists()


def test_an_install_that_was_interrupted_is_begun_anew(clone: Environment):
    half = clone.folder / "lib" / "half-unpacked"
    half.touch()
    (clone.folder / environment.UNFINISHED).touch()
    assert not clone.is_ready(["program"])
    clone.make_ready(["program"])
    assert clone.is_ready(["program"])
    assert not half.exists()


def test_an_environment_whose_python_is_gone_is_noticed(clone: Environment):
    assert clone.runs()
    clone.python.unlink()
    assert not clone.runs()
    assert not clone.is_ready(["program"])


def test_a_folder_that_holds_something_else_is_left_alone(bare: Environment):
    bare.folder.mkdir()
    precious = bare.folder / "thesis.txt"
    precious.write_text("years of work")
    with pytest.raises(EnvironmentProblem, match="holds something else"):
        bare.make_ready(["program"])
    assert precious.read_text() == "years of work"


def test_an_install_that_fails_is_tried_again_at_the_next_start(clone: Environment):
    (clone.root / LOCKS["program"]).write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(EnvironmentProblem, match="no ready-made build"):
            clone.make_ready(["program"])
    assert not clone.is_ready(["program"])
    (clone.root / LOCKS["program"]).write_text("# nothing\n")
    clone.make_ready(["program"])
    assert clone.is_ready(["program"])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("NewConnectionError('<pip…>: Failed to establish a new connection", "package index cannot be reached"),
        ("Temporary failure in name resolution: NameResolutionError", "package index cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for granian==2.8.7", "no ready-made build"),
        ("something new", "something new"),
    ],
)
def test_what_pip_says_becomes_what_to_do(output: str, words: str):
    assert words in environment._words_of_pip(output)


def test_a_missing_venv_is_named_with_its_package(bare: Environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match="apt install python3-venv"):
        bare.make_ready(["program"])


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs a user who may not write")
def test_a_folder_that_cannot_be_written_says_what_to_do(bare: Environment):
    bare.root.chmod(0o555)
    code_for_all = bare.root.parent / "code"  # the clone itself may lie where nobody else may look
    shutil.copytree(ROOT / "webapp" / "bootstrap", code_for_all / "webapp" / "bootstrap")
    code = f"""
import sys; sys.path.insert(0, {str(code_for_all)!r})
from pathlib import Path
from webapp.bootstrap.environment import Environment
Environment(Path({str(bare.root)!r}), environ={{}}).make_ready(["program"])
"""
    as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all"] if os.geteuid() == 0 else []
    for parent in (bare.root.parent, *bare.root.parent.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    python = str(Path(sys.executable).resolve())  # not the link in the environment, for the same reason
    tried = subprocess.run([*as_nobody, python, "-c", code], capture_output=True, text=True)
    bare.root.chmod(0o755)
    if "failed to execute" in tried.stderr:
        run.missing("a Python that another user may run")
    assert "MASSMAIL_VENV=" in tried.stderr, tried.stderr


def webapp(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the README, in this clone."""
    if not Environment().is_ready(TESTS):
        run.missing("the environment that `python3 -m webapp test` makes")
    return subprocess.run([sys.executable, "-m", "webapp", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_what_follows_test_goes_to_pytest():
    answer = webapp("test", "--version")
    assert answer.stdout.startswith("pytest "), answer.stderr
    assert answer.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("test", "--faults", "--help"), "--seed"),
        (("test", "--relays", "--help"), "opensmtpd"),
        (("bench", "--help"), "--json"),
    ],
)
def test_faults_relays_and_benchmarks_have_commands_of_their_own(arguments: tuple[str, ...], word: str):
    answer = webapp(*arguments)
    assert word in answer.stdout, answer.stderr
    assert answer.returncode == 0


def test_an_unknown_command_shows_the_known_ones(capsys: pytest.CaptureFixture[str]):
    assert commands.main(["dmeo"]) == 2
    assert "python3 -m webapp demo" in capsys.readouterr().err


def test_no_command_shows_the_commands(capsys: pytest.CaptureFixture[str]):
    assert commands.main([]) == 0
    assert "python3 -m webapp test" in capsys.readouterr().out


def test_the_locks_name_hashes_and_no_host():
    for lock in LOCKS.values():
        text = (ROOT / lock).read_text()
        assert "://" not in text
        requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert text.count("\n    --hash=sha256:") >= len(requirements) > 1
        assert not any(line.startswith(("django==", "asgiref==", "sqlparse==")) for line in requirements)
