"""A mailbox of bounces, read over IMAP from a small server on the loopback."""

import threading

import pytest
from imapclient.exceptions import IMAPClientError
from sqlalchemy.orm import Session

from tests.adapters.bounces.conftest import Returns, bounce
from tests.adapters.bounces.imap_server import ImapServer
from webapp.adapters.bounces.imap import ImapMailbox, ImapReader
from webapp.core.events import keeping
from webapp.core.rules.bounces import LARGEST


def reader(returns: Returns, server: ImapServer, **options: bool) -> ImapReader:
    mailbox = ImapMailbox.of(f"imap://us%40er:p%2Fw@127.0.0.1:{server.port}/INBOX")
    return ImapReader(mailbox, returns.taker, returns.engine, **options)


def test_only_what_is_new_is_read_and_nothing_is_changed(returns: Returns):
    with ImapServer({3: bounce(3), 4: bounce(4)}) as server:
        with reader(returns, server) as mailbox:
            assert mailbox.read_new() == 2
            assert mailbox.read_new() == 0
            server.arrive(bounce(5))
            assert mailbox.read_new() == 1
        assert returns.recorded() == [returns.one] * 3
        assert list(server.mails) == [3, 4, 5]
        commands = [line.partition(" ")[2] for line in server.asked]
        assert 'LOGIN us@er "p/w"' in commands
        assert 'EXAMINE "INBOX"' in commands or "EXAMINE INBOX" in commands
        assert not any("STORE" in one or "SELECT" in one for one in commands)
        assert all("BODY.PEEK" in one for one in commands if "FETCH" in one)


def test_it_goes_on_where_another_process_ended(sqlite_returns: Returns):
    with ImapServer({3: bounce(3)}) as server:
        with reader(sqlite_returns, server) as mailbox:
            mailbox.read_new()
        server.arrive(bounce(4))
        with reader(sqlite_returns, server) as mailbox:
            assert mailbox.read_new() == 1


def test_a_mailbox_that_was_made_anew_is_read_whole_and_what_is_known_stays_one(sqlite_returns: Returns):
    with ImapServer({300: bounce(3)}) as server:
        with reader(sqlite_returns, server) as mailbox:
            mailbox.read_new()
        server.uid_validity, server.mails = 8, {1: bounce(3), 2: bounce(4)}
        with reader(sqlite_returns, server) as mailbox:
            assert mailbox.read_new() == 2
    assert sqlite_returns.recorded() == [sqlite_returns.one] * 2


def test_a_connection_that_breaks_loses_nothing(sqlite_returns: Returns):
    with ImapServer({1: bounce(1), 2: bounce(2), 3: bounce(3)}, breaks_at="FETCH 2") as server:
        with pytest.raises((OSError, IMAPClientError)), reader(sqlite_returns, server) as mailbox:
            mailbox.read_new()
        assert sqlite_returns.recorded() == [sqlite_returns.one]
        with reader(sqlite_returns, server) as mailbox:
            assert mailbox.read_new() == 2
    assert sqlite_returns.recorded() == [sqlite_returns.one] * 3


def test_it_deletes_what_it_recorded_when_told(sqlite_returns: Returns):
    with ImapServer({1: bounce(1), 2: bounce(2)}) as server:
        with reader(sqlite_returns, server, deletes=True) as mailbox:
            mailbox.read_new()
        assert server.mails == {}
    assert len(sqlite_returns.recorded()) == 2


def test_news_end_the_waiting(sqlite_returns: Returns):
    with ImapServer() as server, reader(sqlite_returns, server) as mailbox:
        waiting = threading.Thread(target=mailbox.wait, args=(lambda: False, lambda _: None))
        waiting.start()
        assert server.is_idle.wait(10)
        server.arrive(bounce(1))
        waiting.join(10)
        assert not waiting.is_alive()
        assert mailbox.read_new() == 1


def test_a_server_without_idle_is_asked_now_and_then(sqlite_returns: Returns):
    pauses: list[float] = []
    with ImapServer(capabilities="IMAP4rev1") as server, reader(sqlite_returns, server) as mailbox:
        mailbox.wait(lambda: False, pauses.append)
    assert pauses == [60.0]


def test_no_more_of_a_mail_is_fetched_than_is_looked_at(sqlite_returns: Returns):
    with ImapServer({1: bounce(1) + b"x" * (2 * LARGEST)}) as server, reader(sqlite_returns, server) as mailbox:
        assert mailbox.read_new() == 1
    assert sqlite_returns.recorded() == [sqlite_returns.one]


def test_the_name_of_a_mailbox_has_no_secret():
    assert "p/w" not in ImapMailbox.of("imaps://user:p%2Fw@mail.example.com/Bounces").name
    assert ImapMailbox.of("imaps://user:x@mail.example.com").folder == "INBOX"


def test_a_mail_that_is_gone_is_passed_over(sqlite_returns: Returns):
    class Vanishing(ImapServer):
        def _answers(self, command: str) -> list[bytes]:
            return [] if "FETCH" in command else super()._answers(command)

    with Vanishing({5: bounce(1)}) as server, reader(sqlite_returns, server) as mailbox:
        assert mailbox.read_new() == 1
        assert mailbox.read_new() == 0
    with Session(sqlite_returns.engine) as session:
        name = ImapMailbox.of(f"imap://us%40er:p%2Fw@127.0.0.1:{server.port}/INBOX").name
        assert keeping.position(session, name, 7) == 5
