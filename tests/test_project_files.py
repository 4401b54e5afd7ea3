"""Files that tools read: what they say is true of this project."""

import re
import subprocess

import yaml

from tests import run
from webapp.paths import ROOT, VERSION


def test_what_is_checked_before_a_commit_is_what_is_checked_before_a_change_lands():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    hooks = {hook["name"]: hook["entry"] for hook in local["hooks"]}
    checks = re.findall(r'^beside "([^"]+)" \$python (.*)$', (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert hooks == {name: f".venv/bin/python {words}" for name, words in checks}


def test_blame_looks_through_commits_that_there_are():
    for line in (ROOT / ".git-blame-ignore-revs").read_text().splitlines():
        if line and not line.startswith("#"):
            known = subprocess.run(["git", "cat-file", "-e", f"{line}^{{commit}}"], cwd=ROOT, capture_output=True)
            shallow = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], cwd=ROOT, capture_output=True)
            if shallow.stdout == b"true\n":
                run.missing("the history of this clone")
            assert known.returncode == 0, line


def test_the_changelog_knows_the_version_or_that_it_is_not_released():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{VERSION}]" in text or "Nothing has been released yet" in text
    assert text.index("## Unreleased") > 0
