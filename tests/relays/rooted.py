"""A folder in which a mail server runs as in a machine of its own: its root, with its own users, configuration and spool.

The programs of mail servers know their users and many of their paths by heart; this is how they can run without a trace on the system
and side by side with others. It takes root's rights (chroot).
"""

import contextlib
import os
import shutil
import signal
import socket
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen

from tests.debian import Missing
from tests.relays import packages
from webapp.demo import children

FIRST_ID = 64_801
"""User and group ids from here on, which Debian gives to nobody."""
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}
MAIL_USER = "vmail"
READY_S, END_S = 30, 10


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Rooted:
    """Such a folder, made of a tree (see `packages`); a context manager that ends whatever runs in it. `users` besides root, nobody and
    the one that gets the mails; each has a group of its name, and so have `groups`. `ids` are the numbers of them all."""

    def __init__(self, tree: Path, folder: Path, *, users: Sequence[str] = (), groups: Sequence[str] = ()) -> None:
        if os.geteuid():
            raise Missing("only root can run it (users and a root folder of its own)")
        self.root = folder / "root"
        self.log = folder / "programs.log"
        shutil.copytree(tree, self.root, symlinks=True)
        self.version = packages.version(self.root)
        self.root.chmod(0o755)
        self.ids = {name: FIRST_ID + place for place, name in enumerate([MAIL_USER, *users, *groups])}
        everybody = {"root": 0, "nobody": 65534} | {name: self.ids[name] for name in (MAIL_USER, *users)}
        self.write("etc/passwd", "".join(f"{name}:x:{key}:{key}::/:/bin/sh\n" for name, key in everybody.items()))
        self.write("etc/shadow", "".join(f"{name}:*:19000:0:99999:7:::\n" for name in everybody))
        all_groups = everybody | {name: self.ids[name] for name in groups}
        self.write("etc/group", "".join(f"{name}:x:{key}:\n" for name, key in all_groups.items()))
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n")
        self.write("etc/hosts", "127.0.0.1 localhost relay.example.test\n")
        self.write("etc/services", "smtp 25/tcp\n")
        self.write("etc/mailname", "relay.example.test\n")
        self._devices()
        self.folder("tmp", mode=0o1777)
        self.folder("run")
        (self.root / "var" / "run").unlink(missing_ok=True)
        (self.root / "var").mkdir(exist_ok=True)
        (self.root / "var" / "run").symlink_to("../run")
        self.folder("var/empty", mode=0o711)

    def __enter__(self) -> "Rooted":
        return self

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while self.inside() and time.monotonic() < deadline:
            time.sleep(0.05)
        while self.inside():
            self._signal(signal.SIGKILL)
            time.sleep(0.05)

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """A file in it; its path as the system knows it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def folder(self, path: str, user: str = "root", group: str | None = None, mode: int = 0o755) -> Path:
        made = self.root / path
        made.mkdir(parents=True, exist_ok=True)
        owner = self.ids.get(user, 0)
        os.chown(made, owner, self.ids.get(group, 0) if group else owner)
        made.chmod(mode)
        return made

    def maildir(self, path: str) -> Path:
        """A Maildir of the one that gets the mails."""
        made = self.folder(path, MAIL_USER)
        for part in ("cur", "new", "tmp"):
            self.folder(f"{path}/{part}", MAIL_USER)
        return made

    def start(self, *command: str, environ: Mapping[str, str] | None = None) -> Popen[bytes]:
        """A program in it; its output goes to `log`."""
        env = {"PATH": "/usr/sbin:/usr/bin", "LANG": "C"} | dict(environ or {})
        chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin") or "chroot"
        return children.start([chroot, str(self.root), *command], log=self.log, env=env)

    def wait_for(self, process: Popen[bytes], port: int, *logs: Path) -> None:
        """Until somebody listens there. Raises AssertionError when the program ended or takes too long."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and (process.poll() is None or self.inside()):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.1)
        said = "\n".join(children.tail(log) for log in (self.log, *logs))
        raise AssertionError(f"the relay does not start: {said}")

    def inside(self) -> list[int]:
        """The processes whose root is this folder, or within it."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    root = (entry / "root").readlink()
                    if root == self.root or self.root in root.parents:
                        found.append(int(entry.name))
        return found

    def _signal(self, sign: signal.Signals) -> None:
        for pid in self.inside():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)

    def _devices(self) -> None:
        self.folder("dev")
        for name, (major, minor) in DEVICES.items():
            device = self.root / "dev" / name
            try:
                os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(major, minor))
                device.chmod(0o666)
                device.open("rb").close()
            except OSError as error:
                raise Missing(f"no devices can be made in {self.root.parent}: {error.strerror}") from None
