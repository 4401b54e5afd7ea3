"""Whose fault a reply may be, as far as one reply can tell: stage and code first, and the words never alone."""

from enum import Enum

import pytest

from webapp.core.rules.outcome import Blame, Cause, Reply, Stage, judge

CONNECT, BANNER, EHLO, STARTTLS, AUTH = Stage.CONNECT, Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.AUTH
MAIL, RCPT, DATA, BODY, DOT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT


class Judgement(Enum):
    """Whose it is, and whether the relay would say it again."""

    RELAY_FINAL = (Blame.RELAY, True)
    RELAY_NOW = (Blame.RELAY, False)
    RECIPIENT_FINAL = (Blame.RECIPIENT, True)
    RECIPIENT_NOW = (Blame.RECIPIENT, False)
    EITHER_FINAL = (Blame.EITHER, True)
    EITHER_NOW = (Blame.EITHER, False)


J = Judgement
TABLE: dict[Judgement, list[tuple[Stage, int | Cause, str]]] = {
    J.RELAY_FINAL: [
        (BANNER, 554, "no service here"),
        (BANNER, 550, "5.7.1 your address is listed"),
        (EHLO, 550, "5.7.1 bad name"),
        (STARTTLS, Cause.CERTIFICATE, ""),
        (STARTTLS, Cause.NOT_OFFERED, ""),
        (AUTH, Cause.PLAINTEXT, ""),
        (AUTH, 535, "5.7.8 wrong password"),
        (AUTH, 535, ""),
        (AUTH, 534, "5.7.9 mechanism too weak"),
        (MAIL, 530, "5.7.0 Must issue a STARTTLS command first"),
        (MAIL, 530, "5.7.0 Authentication required"),
        (MAIL, 503, "AUTH first"),
        (MAIL, 550, "5.7.1 sender not allowed"),
        (MAIL, 550, "5.1.1 said of the recipient, who is not named yet"),
        (MAIL, 553, ""),
        (MAIL, 554, ""),
    ],
    # limits among them: with others that carry mail, a connection or a mail too many
    J.RELAY_NOW: [
        (CONNECT, Cause.UNREACHABLE, ""),
        (CONNECT, Cause.SILENT, ""),
        (CONNECT, Cause.LOST, ""),
        (BANNER, Cause.LOST, ""),
        (BANNER, Cause.SILENT, ""),
        (BANNER, 421, "4.7.0 too many connections"),
        (BANNER, 421, ""),
        (BANNER, 450, "4.3.2 not now"),
        (EHLO, 421, "4.3.2 closing"),
        (STARTTLS, 454, "4.7.0 TLS not available due to temporary reason"),
        (AUTH, 454, "4.7.0 temporary authentication failure"),
        (MAIL, 421, "4.7.0 too many messages on this connection"),
        (MAIL, 421, ""),
        (MAIL, 450, "4.7.1 too much mail"),
        (MAIL, 451, ""),
        (MAIL, 451, "4.1.8 cannot look up the sender's domain"),
        (MAIL, 452, "4.3.1 insufficient system storage"),
        (MAIL, 452, "4.4.5 too many messages"),
        (MAIL, 452, "4.5.3 too many messages sent"),
        (MAIL, Cause.LOST, ""),
        (RCPT, Cause.LOST, ""),
        (DATA, Cause.SILENT, ""),
        (BODY, Cause.LOST, ""),
    ],
    J.RECIPIENT_FINAL: [
        (RCPT, 550, "5.1.1 no such user"),
        (RCPT, 550, "5.1.2 no such domain"),
        (RCPT, 556, "5.1.10 the domain takes no mail"),
        (RCPT, 550, "5.2.1 disabled"),
        (RCPT, 552, "5.2.2 over quota"),
        (DATA, 550, "5.1.1 no such user"),
        (DOT, 550, "5.1.1 no such user"),
        (DOT, 552, "5.2.2 over quota"),
        (DOT, 554, "5.2.0 mailbox trouble"),
        # without an enhanced code
        (RCPT, 550, "no such user here"),
        (RCPT, 550, "Sender verify failed"),
        (RCPT, 551, "user not local"),
        (RCPT, 552, "mailbox full"),
        (RCPT, 553, "mailbox name not allowed"),
    ],
    J.RECIPIENT_NOW: [
        (RCPT, 450, "4.2.0 greylisted"),
        (RCPT, 450, "4.7.1 greylisted"),  # policy, and yet about each recipient for itself
        (RCPT, 451, "4.7.1 greylisted"),
        (RCPT, 452, "4.2.2 over quota"),
        (RCPT, 421, "4.2.1 gets mail too quickly"),
        (DOT, 452, "4.2.2 over quota"),
        # without an enhanced code
        (RCPT, 450, "mailbox busy"),
        (RCPT, 451, "try again later"),
        (RCPT, 452, "too many recipients"),
    ],
    J.EITHER_FINAL: [
        (RCPT, 550, "5.7.1 relay access denied"),
        (RCPT, 554, "5.7.1 access denied"),
        (RCPT, 554, "no"),
        (RCPT, 550, "5.4.1 no route"),
        (RCPT, 550, "5.3.0 trouble"),
        (RCPT, 501, "5.5.4 not understood"),
        (DATA, 554, "no valid recipients"),
        (DOT, 550, "5.7.26 not authenticated"),
        (DOT, 554, "5.7.1 spam"),
        (DOT, 554, "5.6.0 broken MIME"),
        (DOT, 554, "no such account"),
        (DOT, 550, "no such user"),
        (DOT, 552, "over quota"),
    ],
    J.EITHER_NOW: [
        (RCPT, 421, "4.7.0 this domain is limited"),
        (RCPT, 421, ""),
        (RCPT, 451, "4.4.3 cannot look that up"),
        (RCPT, 452, "4.3.1 insufficient storage"),
        (DATA, 451, ""),
        (DOT, 421, "4.7.28 too much mail from you"),
        (DOT, 451, "4.3.0 queue file write error"),
        (DOT, 451, ""),
        (DOT, 454, "temporarily unavailable"),
    ],
}


def judged(stage: Stage, code: int | Cause, text: str) -> Judgement:
    """The judgement of a reply, or of what came instead of one."""
    reply = Reply(stage, None, "", "", code) if isinstance(code, Cause) else Reply(stage, code, text)
    outcome = judge(reply)
    return Judgement((outcome.blame, outcome.is_final))


@pytest.mark.parametrize(
    ("stage", "code", "text", "wanted"), [(*row, wanted) for wanted, rows in TABLE.items() for row in rows]
)
def test_whose_fault_a_reply_may_be(stage: Stage, code: int | Cause, text: str, wanted: Judgement):
    assert judged(stage, code, text) is wanted


@pytest.mark.parametrize("stage", [RCPT, DOT])
@pytest.mark.parametrize("words", ["spam", "no such user", "rate limit", "relaying", "sender", "blocked by policy"])
def test_the_words_alone_decide_nothing(stage: Stage, words: str):
    for code in (450, 554):
        assert judged(stage, code, words) is judged(stage, code, "")
