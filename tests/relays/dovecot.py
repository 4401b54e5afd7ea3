"""Dovecot, as what Postfix asks who may sign in."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.relays.rooted import READY_S, Rooted
from webapp.demo import children

USERS = ("dovecot", "dovenull")
CONFIGURATION = """\
protocols =
base_dir = /run/dovecot
state_dir = /var/lib/dovecot
log_path = /var/log/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN /etc/dovecot/users
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home=/nonexistent
}}
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = {owner}
    group = {owner}
  }}
}}
"""


@contextmanager
def running(room: Rooted, name: str, password: str, socket: str, owner: str) -> Iterator[None]:
    """While it answers at a socket (a path in the room) that `owner` may use."""
    room.write("etc/dovecot/dovecot.conf", CONFIGURATION.format(socket=socket, owner=owner))
    room.write("etc/dovecot/users", f"{name}:{{PLAIN}}{password}\n", mode=0o644)
    room.folder("run/dovecot")
    room.folder("var/lib/dovecot")
    room.folder("var/log")
    process = room.start("/usr/sbin/dovecot", "-F")
    deadline = time.monotonic() + READY_S
    while not (room.root / socket.lstrip("/")).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            logs = (room.log, room.root / "var/log/dovecot.log")
            raise AssertionError("Dovecot does not start: " + "\n".join(map(children.tail, logs)))
        time.sleep(0.05)
    yield
