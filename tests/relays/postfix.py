"""Postfix: plain, with limits for each client, behind postscreen, and with STARTTLS and a sign-in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.certificates import Authority
from tests.relays import dovecot, packages
from tests.relays.relay import Running
from tests.relays.rooted import MAIL_USER, Rooted, free_port

QUEUE, MAILS, LOG = "var/spool/postfix", "var/mail/all", "var/log/mail.log"
OWNER, DROP = "postfix", "postdrop"
FOLDERS = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"]
SERVICES = """\
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60    1 pickup
cleanup   unix n - n -     0 cleanup
qmgr      unix n - n 300   1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -     - trivial-rewrite
bounce    unix - - n -     0 bounce
defer     unix - - n -     0 bounce
trace     unix - - n -     0 bounce
verify    unix - - n -     1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n -     - proxymap
proxywrite unix - - n -    1 proxymap
showq     unix n - n -     - showq
error     unix - - n -     - error
retry     unix - - n -     - error
virtual   unix - n n -     - virtual
anvil     unix - - n -     1 anvil
"""
SMTPD = "127.0.0.1:{port} inet n - n - {most} smtpd\n"
POSTSCREEN = """\
127.0.0.1:{port} inet n - n - 1 postscreen
smtpd     pass - - n -     - smtpd
dnsblog   unix - - n -     0 dnsblog
tlsproxy  unix - - n -     0 tlsproxy
"""
RATE, RATE_SHORT = 1200, 250
"""Mails a minute that the limited one takes of a client."""
SIGN_IN = ("news", "open sesame")


@contextmanager
def plain(folder: Path, short: bool) -> Iterator[Running]:
    """As Debian sets it up, but for where it listens and delivers."""
    with _made(folder) as room, _started(room, SMTPD) as running:
        yield running


@contextmanager
def limited(folder: Path, short: bool) -> Iterator[Running]:
    """Five connections of a client, and so many mails of it a minute, which anvil(8) counts. By default it exempts its own networks."""
    limits = {
        "smtpd_client_connection_count_limit": "5",
        "smtpd_client_message_rate_limit": str(RATE_SHORT if short else RATE),
        "smtpd_client_event_limit_exceptions": "",
    }
    with _made(folder) as room, _started(room, SMTPD, limits) as running:
        yield running


@contextmanager
def postscreen(folder: Path, short: bool) -> Iterator[Running]:
    """Each client nobody knows is looked at for six seconds before the greeting, and by the tests after it, which end with a 450: it has
    to come again (https://www.postfix.org/POSTSCREEN_README.html)."""
    tests = {
        "postscreen_access_list": "",
        "postscreen_greet_action": "enforce",
        "postscreen_pipelining_enable": "yes",
        "postscreen_pipelining_action": "enforce",
        "postscreen_non_smtp_command_enable": "yes",
        "postscreen_bare_newline_enable": "yes",
        "postscreen_bare_newline_action": "enforce",
    }
    with _made(folder) as room, _started(room, POSTSCREEN, tests) as running:
        yield running


@contextmanager
def submission(folder: Path, short: bool) -> Iterator[Running]:
    """Nothing is taken but over TLS, of an authority of the house, and with the sign-in that Dovecot knows."""
    authority = Authority(folder)
    with _made(folder, "dovecot-core", users=dovecot.USERS) as room:
        room.write("etc/postfix/relay.pem", authority.server("127.0.0.1").read_text(), mode=0o600)
        room.folder(f"{QUEUE}/private", OWNER, "root", mode=0o700)
        demands = {
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_chain_files": "/etc/postfix/relay.pem",
            "smtpd_tls_auth_only": "yes",
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": "private/auth",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        }
        socket_path = f"/{QUEUE}/private/auth"
        with dovecot.running(room, *SIGN_IN, socket_path, OWNER), _started(room, SMTPD, demands) as running:
            settings = {
                "MAIL_USE_TLS": "1",
                "MAIL_CA_FILE": str(authority.ca_file),
                "MAIL_USERNAME": SIGN_IN[0],
                "MAIL_PASSWORD": SIGN_IN[1],
            }
            yield replace(running, settings=settings)


def _made(folder: Path, *more: str, users: Sequence[str] = ()) -> Rooted:
    tree = packages.debian("-".join(["postfix", *more]), "postfix", *more)
    return Rooted(tree, folder, users=[OWNER, *users], groups=[DROP])


@contextmanager
def _started(room: Rooted, listener: str, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    port = free_port()
    room.folder(QUEUE)
    for name in FOLDERS:
        room.folder(f"{QUEUE}/{name}", OWNER, "root", mode=0o700)
    room.folder(f"{QUEUE}/pid")
    room.folder(f"{QUEUE}/public", OWNER, DROP, mode=0o710)
    room.folder(f"{QUEUE}/maildrop", OWNER, DROP, mode=0o1730)
    room.folder("var/lib/postfix", OWNER)
    room.folder("var/log")
    maildir = room.maildir(MAILS)
    room.write(
        "etc/postfix/main.cf", "".join(f"{name} = {value}\n" for name, value in (_main(room) | (more or {})).items())
    )
    room.write("etc/postfix/master.cf", listener.format(port=port, most=100) + SERVICES)
    master = room.start(
        "/usr/lib/postfix/sbin/master", "-s", "-c", "/etc/postfix", environ={"MAIL_CONFIG": "/etc/postfix"}
    )
    log = room.root / LOG
    room.wait_for(master, port, log)
    yield Running(port, maildir, log, room.version)


def _main(room: Rooted) -> dict[str, str]:
    """What it takes to listen on loopback and to deliver everything into one Maildir, and nothing anywhere else."""
    mails = room.ids[MAIL_USER]
    return {
        "compatibility_level": "3.6",
        "myhostname": "relay.example.test",
        "mydestination": "",
        "mynetworks": "127.0.0.0/8",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "daemon_directory": "/usr/lib/postfix/sbin",
        "queue_directory": f"/{QUEUE}",
        "data_directory": "/var/lib/postfix",
        "mail_owner": OWNER,
        "setgid_group": DROP,
        "maillog_file": f"/{LOG}",
        "disable_dns_lookups": "yes",
        "relayhost": "",
        "default_transport": "error:nothing leaves this machine",
        "relay_transport": "error:nothing leaves this machine",
        "alias_maps": "",
        "smtputf8_enable": "yes",
        "virtual_mailbox_domains": "static:all",
        "virtual_mailbox_maps": f"static:{MAILS.rpartition('/')[2]}/",
        "virtual_mailbox_base": f"/{MAILS.rpartition('/')[0]}",
        "virtual_uid_maps": f"static:{mails}",
        "virtual_gid_maps": f"static:{mails}",
        "virtual_minimum_uid": str(mails),
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_recipient_restrictions": "",
        "smtpd_peername_lookup": "no",
    }
