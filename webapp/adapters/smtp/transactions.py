"""Mail after mail over one connection, one round trip each where the relay can pipeline.

With PIPELINING one write carries the content and dot of one mail and MAIL, RCPT and DATA of the next (RFC 2920 section 3.1: content may
begin a group, DATA must end it). The next content leaves only after its own 354, so at most one mail a connection is ever in doubt.
"""

import re

from webapp.adapters.smtp.knowledge import is_out_of_step
from webapp.adapters.smtp.opening import Dialogue, Ended, refused
from webapp.adapters.smtp.replies import Answer, as_text
from webapp.adapters.smtp.roles import Conversation
from webapp.core.ports import Cause, Mail, Reply, Stage

IDLE, RSET, LONE_DOT, QUIT = "idle", "rset", "lone dot", "quit"
"""What a connection waits for outside of a mail's stages: work, or an answer that changes no outcome."""

_DOT = Stage.DOT
_ADDRESS = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without blank, < and >: no character that could end the path or its line."""
_INTERNATIONAL = re.compile(r"[!-;=?-~\xa1-\U0010ffff]+")
"""The same with the rest of Unicode (RFC 6531 section 3.3), as far as it is printable."""


def transactions(connection: Conversation) -> Dialogue:
    """Wait for a mail, carry it, wait again. A generator as in `opening`; while it yields IDLE it is sent a Mail."""
    while True:
        mail = yield IDLE
        yield from _carry(connection, mail)


def unsendable(mail: Mail, size_limit: int, takes_smtputf8: bool) -> Reply | None:
    """Why a mail cannot be handed to a relay that takes `size_limit` octets (0: any number), and that takes addresses with letters outside
    ASCII or not (`takes_smtputf8`); None when it can."""
    sender, recipient = mail.mail_from, mail.rcpt_to
    if not _ADDRESS.fullmatch(recipient) and (why := _objection("recipient", recipient, takes_smtputf8)):
        return Reply(Stage.RCPT, None, "", *why)
    if sender and not _ADDRESS.fullmatch(sender) and (why := _objection("sender", sender, takes_smtputf8)):
        return Reply(Stage.MAIL, None, "", *why)
    if 0 < size_limit < mail.size:
        # RFC 1870 section 6.1: the relay announced its limit with SIZE, and would refuse the mail.
        has, takes = _in_megabytes(mail.size, size_limit)
        return Reply(Stage.MAIL, 552, f"5.3.4 this mail has {has} MB, the relay takes {takes} MB")
    return None


def _in_megabytes(larger: int, smaller: int) -> tuple[str, str]:
    """Two numbers of octets in millions, with as many decimals as the difference needs."""
    for decimals in range(1, 6):
        texts = f"{larger / 1e6:.{decimals}f}", f"{smaller / 1e6:.{decimals}f}"
        if texts[0] != texts[1]:
            return texts
    return f"{larger / 1e6:.6f}", f"{smaller / 1e6:.6f}"


def _objection(whose: str, address: str, takes_smtputf8: bool) -> tuple[str, Cause] | None:
    """The objection to an address that is not plain ASCII, in words and for the program; None when there is none."""
    if address.isascii() or not (_INTERNATIONAL.fullmatch(address) and address.isprintable()):
        return f"the {whose}'s address cannot be sent", Cause.UNSENDABLE
    return None if takes_smtputf8 else (f"the relay announces no SMTPUTF8, which {address} needs", Cause.ASCII_ONLY)


def _carry(connection: Conversation, mail: Mail) -> Dialogue:
    """Hand over `mail`, and the next ones while the exchange has more at hand."""
    pool, exchange = connection.pool, connection.pool.exchange
    wire, reader, pipelining = connection.wire, connection.reader, connection.pipelining
    is_behind = False
    wire.write(_group(mail) if pipelining else _mail_from(mail))
    while True:
        connection.mail, connection.following = mail, None
        if not (pipelining and reader.goes_ahead()):
            stage, answer = Stage.MAIL, (yield Stage.MAIL)
            if 200 <= answer[0] <= 299:
                if not pipelining:
                    wire.write(f"RCPT TO:<{mail.rcpt_to}>\r\n".encode())
                stage, answer = Stage.RCPT, (yield Stage.RCPT)
                if 200 <= answer[0] <= 299:
                    if not pipelining:
                        wire.write(b"DATA\r\n")
                    stage, answer = Stage.DATA, (yield Stage.DATA)
            if stage is not Stage.DATA or answer[0] != 354:
                if _is_for_another(connection, stage, answer, is_behind):
                    yield from _leave(connection, answer)
                yield from _refused(connection, stage, answer)
                return
        if exchange.body_starts(mail) is False:
            raise Ended(Reply(Stage.DATA, None, "", "called back before the content left", Cause.WITHDRAWN))
        connection.mails += 1
        may_follow = connection.mails < connection.last_behind and not pool.has_too_many()
        following = connection.take() if may_follow else None
        group = b"" if following is None else _group(following)
        connection.following, connection.behind_dot = following, len(group)
        if mail.tail:
            wire.write_all((mail.data, *mail.tail, b".\r\n" + group))  # the long parts are not copied at all
        else:
            data = mail.data
            end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
            wire.write(data + (end + group))  # the long part is copied only once
        code, text = answer = yield _DOT
        if 200 <= code <= 299:
            connection.mail, connection.worked_at = None, pool.now
            exchange.settled(mail, Reply(_DOT, code, as_text(text)))
        else:
            _settle(connection, _DOT, answer)
        if following is None:
            return
        mail, is_behind = following, True


def _group(mail: Mail) -> bytes:
    """MAIL, RCPT and DATA in one write."""
    try:
        return f"MAIL FROM:<{mail.mail_from}>\r\nRCPT TO:<{mail.rcpt_to}>\r\nDATA\r\n".encode("ascii")
    except UnicodeEncodeError:  # rare, so it costs the common case nothing
        return _mail_from(mail) + f"RCPT TO:<{mail.rcpt_to}>\r\nDATA\r\n".encode()


def _mail_from(mail: Mail) -> bytes:
    """MAIL alone, with the parameters that the mail needs: RFC 6531 section 3.4, and RFC 6152 where its header is not ASCII either."""
    parameters = ""
    if mail.needs_smtputf8:
        parameters = " SMTPUTF8" if mail.data.isascii() else " BODY=8BITMIME SMTPUTF8"
    return f"MAIL FROM:<{mail.mail_from}>{parameters}\r\n".encode()


def _is_for_another(connection: Conversation, stage: Stage, answer: Answer, is_behind: bool) -> bool:
    """Whether a refusal is no answer to this mail; if so, put the mail back. The connection has carried enough, is one too many, or the
    relay does not take commands that were written behind another mail's dot (`is_behind`)."""
    mail, pool, reply = connection.mail, connection.pool, refused(stage, answer)
    if reply.code is None:
        return False
    assert mail is not None
    if is_behind and is_out_of_step(reply.code, reply.text):
        pool.refuses_behind_dot()
    elif stage is not Stage.MAIL or reply.code >= 500:
        return False
    elif connection.worked_at:
        connection.has_carried_enough(reply)
    elif connection.has_answered or not connection.is_one_too_many(reply):
        return False
    connection.mail = None
    pool.put_back(mail, reply)
    return True


def _leave(connection: Conversation, answer: Answer) -> Dialogue:
    """Say QUIT in the middle of a group: the other answers to the group mean nothing any more."""
    if answer[0] == 421:
        raise Ended  # RFC 5321 section 3.8: the relay closes the connection after it
    connection.wire.write(b"QUIT\r\n")
    yield QUIT


def _refused(connection: Conversation, stage: Stage, answer: Answer) -> Dialogue:
    """The relay does not take this mail: settle it, and bring the conversation to where the next mail can begin."""
    _settle(connection, stage, answer)
    if connection.pipelining:
        while stage is not Stage.DATA:  # the answers to commands that were already written
            stage = Stage.RCPT if stage is Stage.MAIL else Stage.DATA
            answer = yield stage
        if answer[0] == 354:
            connection.wire.write(b".\r\n")
            yield LONE_DOT
            return
    connection.wire.write(b"RSET\r\n")
    answer = yield RSET
    if not 200 <= answer[0] <= 299:
        raise Ended


def _settle(connection: Conversation, stage: Stage, answer: Answer) -> None:
    """Tell the exchange, once, that the relay does not take a mail. Raises Ended when the conversation cannot go on after that."""
    reply = refused(stage, answer)
    if reply.code is None:
        raise Ended(reply)
    mail, connection.mail = connection.mail, None
    connection.has_answered = True
    if stage is not Stage.MAIL:
        connection.worked_at = connection.pool.now
    assert mail is not None
    connection.pool.exchange.settled(mail, reply)
    if reply.code == 421:
        raise Ended  # RFC 5321 section 3.8: the relay closes the connection after it
