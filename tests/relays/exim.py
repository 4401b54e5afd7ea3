"""Exim, with what Debian's own configuration says about SMTP, and everything into one Maildir."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.relays import packages
from tests.relays.relay import Running
from tests.relays.rooted import MAIL_USER, Rooted, free_port

USER = "Debian-exim"
MAILS = "var/mail/all"
CONFIGURATION = """\
exim_user = {user}
exim_group = {user}
exim_path = /usr/sbin/exim4
primary_hostname = relay.example.test
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim4.pid
log_selector = +millisec
local_interfaces = <; [127.0.0.1]:{port}
daemon_smtp_ports = {port}
host_lookup =
rfc1413_query_timeout = 0s
dns_dnssec_ok = 0
keep_environment =
never_users = root
smtp_accept_max = 20
smtp_accept_queue_per_connection = 10
queue_run_max = 5
acl_smtp_rcpt = take
acl_smtp_data = take
acl_smtp_mail = take
begin acl
take:
  accept
begin routers
everybody:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = /{mails}
  maildir_format
  user = {mail_user}
  group = {mail_user}
  mode = 0600
  return_path_add
  envelope_to_add
  delivery_date_add
begin retry
* * F,2h,1m
"""


@contextmanager
def running(folder: Path, short: bool) -> Iterator[Running]:
    """With a queue runner every few seconds, for what comes beyond `smtp_accept_queue_per_connection` is left to it."""
    port = free_port()
    with Rooted(packages.debian("exim", "exim4-daemon-light", "exim4-base"), folder, users=[USER]) as room:
        text = CONFIGURATION.format(user=USER, port=port, mails=MAILS, mail_user=MAIL_USER)
        room.write("etc/exim4/exim4.conf", text, mode=0o640)
        for name in ("var/spool/exim4", "var/log/exim4"):
            room.folder(name, USER, mode=0o750)
        maildir = room.maildir(MAILS)
        server = room.start("/usr/sbin/exim4", "-bdf", "-q2s")
        log = room.root / "var/log/exim4/mainlog"
        room.wait_for(server, port, log)
        yield Running(port, maildir, log, room.version)
