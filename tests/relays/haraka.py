"""Haraka, from npm, with a plugin of ours that keeps what it takes."""

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.relays import packages
from tests.relays.relay import Running
from tests.relays.rooted import READY_S, free_port
from webapp.demo import children

PLUGIN = """\
'use strict';
// Keeps each mail as a file of a Maildir, with its recipients before it.
const fs = require('node:fs');
const path = require('node:path');
exports.hook_queue = function (next, connection) {
  const mail = connection.transaction;
  const name = `${Date.now()}.${mail.uuid}.relay`;
  const folder = process.env.KEEP_IN;
  const file = fs.createWriteStream(path.join(folder, 'tmp', name));
  for (const to of mail.rcpt_to) file.write(`Delivered-To: ${to.address}\\n`);
  file.on('error', () => next(DENYSOFT));
  file.on('close', () => {
    fs.renameSync(path.join(folder, 'tmp', name), path.join(folder, 'new', name));
    next(OK);
  });
  mail.message_stream.pipe(file, { line_endings: '\\n' });
};
exports.hook_rcpt = (next) => next(OK);
"""


@contextmanager
def running(folder: Path, short: bool) -> Iterator[Running]:
    """As it comes, without the plugins that ask the network."""
    home, port = packages.npm("haraka", "Haraka"), free_port()
    place, maildir, log = folder / "haraka", folder / "mails", folder / "haraka.log"
    for name in ("new", "tmp", "cur"):
        (maildir / name).mkdir(parents=True)
    shutil.copytree(home / "node_modules" / "Haraka" / "config", place / "config")
    (place / "plugins").mkdir()
    (place / "queue").mkdir()
    settings = (place / "config" / "smtp.ini").read_text()
    (place / "plugins" / "keep.js").write_text(PLUGIN)
    (place / "config" / "plugins").write_text("keep\n")
    (place / "config" / "smtp.ini").write_text(f"listen=127.0.0.1:{port}\n{settings}")
    (place / "config" / "me").write_text("relay.example.test\n")
    (place / "config" / "log.ini").write_text("[main]\nlevel=notice\ntimestamps=true\n")
    program = home / "node_modules" / "Haraka" / "bin" / "haraka"
    command = [shutil.which("node") or "node", program, "-c", place]
    server = children.start(command, log=log, env=dict(os.environ) | {"KEEP_IN": str(maildir)}, cwd=place)
    try:
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the relay does not start: {children.tail(log)}")
            time.sleep(0.1)
        yield Running(port, maildir, log, packages.npm_version(home, "Haraka"))
    finally:
        children.stop(server)
