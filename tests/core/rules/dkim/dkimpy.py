"""What dkimpy says of signatures: another implementation, in a process of its own."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "dkimpy.py"
PYTHON = "/usr/bin/python3"  # Debian's, because the package belongs to it
NEEDS = "import dkim, nacl.signing, dns.resolver"


def verdicts(mails: Sequence[bytes], dns: tuple[str, int]) -> list[list[str]]:
    """For each mail "good" or why not, for each of its signatures; keys are looked up at `dns`. Skips where dkimpy is not installed."""
    if not Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", NEEDS], capture_output=True).returncode:
        pytest.skip("needs Debian's packages python3-dkim, python3-nacl and python3-dnspython")
    lines = [json.dumps({"mail": base64.b64encode(mail).decode(), "dns": f"{dns[0]}:{dns[1]}"}) for mail in mails]
    done = subprocess.run([PYTHON, str(PROGRAM)], input="\n".join(lines), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
