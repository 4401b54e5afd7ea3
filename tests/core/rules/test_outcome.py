"""Whose fault a reply is: the table of the rules, and what must hold for every reply there can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules.lifecycle import DELIVERY_TRANSITIONS, DeliveryState
from webapp.core.rules.outcome import REASON_WORDS, Blame, Cause, Outcome, Reply, Stage, judge

A, D, H, F, U, P = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.HELD,
    DeliveryState.FAILED,
    DeliveryState.UNCERTAIN,
    DeliveryState.PENDING,
)
MAIL, RCPT, DATA, BODY, DOT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT


@pytest.mark.parametrize(
    ("stage", "code", "text", "state", "reason", "blame"),
    [
        (DOT, 250, "2.0.0 Ok: queued as 4F2", A, "accepted", "recipient"),
        (DOT, 250, "", A, "accepted", "recipient"),
        (DOT, 200, "whatever", A, "accepted", "recipient"),
        # the enhanced code's subject is the recipient
        (RCPT, 550, "5.1.1 <a@b>: no such user", F, "no_such_mailbox", "recipient"),
        (RCPT, 450, "4.1.1 <a@b>: unverified", D, "no_such_mailbox", "recipient"),
        (RCPT, 550, "5.1.2 domain not found", F, "no_such_domain", "recipient"),
        (RCPT, 556, "5.1.10 null MX", F, "domain_takes_no_mail", "recipient"),
        (RCPT, 552, "5.2.2 over quota", F, "mailbox_full", "recipient"),
        (RCPT, 452, "4.2.2 over quota", D, "mailbox_full", "recipient"),
        (RCPT, 550, "5.2.1 disabled", F, "mailbox_disabled", "recipient"),
        (DOT, 550, "5.1.1 no such user", F, "no_such_mailbox", "recipient"),
        (DOT, 452, "4.2.2 over quota", D, "mailbox_full", "recipient"),
        (DOT, 552, "5.2.3 too long for this mailbox", F, "too_big_for_mailbox", "recipient"),
        (DATA, 550, "5.1.1 no such user", F, "no_such_mailbox", "recipient"),
        (BODY, 550, "5.1.1 no such user", F, "no_such_mailbox", "recipient"),
        (RCPT, 550, "5.1.99 something", F, "address_refused", "recipient"),
        (RCPT, 550, "5.2.99 something", F, "mailbox_trouble", "recipient"),
        # ... or the relay, the sender, policy
        (RCPT, 550, "5.7.1 relay access denied", H, "policy", "either"),
        (RCPT, 554, "5.7.1 Service unavailable; client blocked", H, "policy", "either"),
        (RCPT, 450, "4.7.1 greylisted", D, "policy", "recipient"),
        (DOT, 550, "5.7.26 unauthenticated", H, "policy", "either"),
        (DOT, 421, "4.7.28 too much mail from you", H, "too_much_mail", "either"),
        (DOT, 554, "5.6.0 broken MIME", H, "content_refused", "either"),
        (DOT, 451, "4.3.0 queue file write error", H, "relay_trouble", "either"),
        (RCPT, 452, "4.3.1 insufficient storage", H, "relay_full", "either"),
        (RCPT, 451, "4.4.3 DNS trouble", H, "directory_trouble", "either"),
        (RCPT, 550, "5.4.6 loop", H, "mail_loop", "either"),
        (RCPT, 503, "5.5.1 MAIL first", H, "protocol_trouble", "either"),
        (RCPT, 550, "5.1.8 sender's domain not found", H, "sender_refused", "relay"),
        (RCPT, 450, "4.1.7 sender not verified", H, "sender_refused", "relay"),
        # the mail itself
        (MAIL, 552, "5.3.4 message size exceeds limit", H, "too_big", "either"),
        (DOT, 552, "5.3.4 message size exceeds limit", H, "too_big", "either"),
        (BODY, 552, "5.3.4 message size exceeds limit", H, "too_big", "either"),
        (MAIL, 552, "message too big", H, "too_big", "either"),
        (MAIL, 452, "4.3.4 not now", H, "too_big", "either"),
        # without an enhanced code: 550, 551, 553 and any 4xx to RCPT are the recipient's
        (RCPT, 550, "No such user here", F, "address_refused", "recipient"),
        (RCPT, 551, "User not local", F, "address_refused", "recipient"),
        (RCPT, 553, "Mailbox name not allowed", F, "address_refused", "recipient"),
        (RCPT, 450, "Mailbox busy", D, "recipient_not_now", "recipient"),
        (RCPT, 451, "Local error", D, "recipient_not_now", "recipient"),
        (RCPT, 452, "Too many recipients", D, "recipient_not_now", "recipient"),
        (RCPT, 552, "Exceeded storage allocation", F, "mailbox_full", "recipient"),
        (RCPT, 554, "Transaction failed", H, "relay_trouble", "either"),
        (RCPT, 503, "Bad sequence", H, "relay_trouble", "either"),
        (DATA, 554, "No valid recipients", H, "relay_trouble", "either"),
        (DATA, 451, "Local error", H, "relay_trouble", "either"),
        (DOT, 550, "Spam", H, "relay_trouble", "either"),
        (DOT, 554, "Transaction failed", H, "relay_trouble", "either"),
        (DOT, 451, "Local error", H, "relay_trouble", "either"),
        (MAIL, 451, "Local error", H, "relay_trouble", "relay"),
        # what is said of relaying holds for everybody, and some relays put the enhanced code last
        (RCPT, 550, "relay not permitted", H, "policy", "either"),
        (RCPT, 550, "Relaying denied. Authenticate first", H, "policy", "either"),
        (RCPT, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", H, "policy", "either"),
        (RCPT, 550, "5.1.1 no such user at this relay", F, "no_such_mailbox", "recipient"),
        (RCPT, 450, "relay busy", D, "recipient_not_now", "recipient"),
        # 421: the relay hangs up
        (MAIL, 421, "closing", H, "relay_closed", "relay"),
        (RCPT, 421, "closing", H, "relay_closed", "either"),
        (DATA, 421, "4.3.2 shutting down", H, "relay_closed", "either"),
        (BODY, 421, "closing", H, "relay_closed", "either"),
        (DOT, 421, "closing", H, "relay_closed", "either"),
        (RCPT, 421, "4.2.1 this user gets mail too quickly", D, "mailbox_disabled", "recipient"),
        # enhanced codes as they are met
        (RCPT, 550, "5.0.0 other", F, "address_refused", "recipient"),
        (RCPT, 450, "5.1.1 the digit of the reply counts", D, "no_such_mailbox", "recipient"),
        (RCPT, 550, "5.1.1\n5.1.1 two lines", F, "no_such_mailbox", "recipient"),
        (RCPT, 550, "#5.1.1 not at the beginning as it should be", F, "address_refused", "recipient"),
        (RCPT, 550, "5.7.12345 no such code", F, "address_refused", "recipient"),
        (RCPT, 550, "5.9.1 no such subject", F, "address_refused", "recipient"),
        (RCPT, 554, "5.1.1.1 an address", H, "relay_trouble", "either"),
    ],
)
def test_the_table(stage: Stage, code: int, text: str, state: DeliveryState, reason: str, blame: str) -> None:
    outcome = judge(Reply(stage, code, text))
    assert (outcome.state, outcome.reason, outcome.blame) == (state, reason, blame)
    assert outcome.is_final == (500 <= code <= 599)


@pytest.mark.parametrize("stage", [MAIL, RCPT, DATA, BODY])
@pytest.mark.parametrize("cause", [Cause.LOST, Cause.SILENT, Cause.GARBLED, None])
def test_without_a_reply_before_the_dot_the_mail_was_not_taken(stage: Stage, cause: Cause | None) -> None:
    outcome = judge(Reply(stage, None, "", "", cause))
    assert (outcome.state, outcome.blame, outcome.is_final) == (P, "relay", False)
    assert outcome.reason == (cause or Cause.LOST)


@pytest.mark.parametrize("cause", [*Cause, None])
def test_without_a_reply_after_the_dot_nobody_knows(cause: Cause | None) -> None:
    outcome = judge(Reply(DOT, None, "", "", cause))
    assert (outcome.state, outcome.reason, outcome.blame) == (U, "no_final_answer", "relay")


@pytest.mark.parametrize("code", [100, 199, 354, 600, 0, -1])
def test_an_answer_that_is_none_after_the_dot_tells_nothing(code: int) -> None:
    assert judge(Reply(DOT, code, "")).state is U
    assert judge(Reply(MAIL, code, "")).state is P


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Stage.BANNER, 554, "no service"),
        Reply(Stage.AUTH, 535, "5.7.8 wrong password"),
        Reply(Stage.AUTH, 534, "mechanism too weak"),
        Reply(Stage.STARTTLS, None, "", "self-signed", Cause.CERTIFICATE),
        Reply(Stage.STARTTLS, None, "", "not offered", Cause.NOT_OFFERED),
        Reply(Stage.AUTH, None, "", "no TLS", Cause.PLAINTEXT),
        Reply(MAIL, 550, "5.7.1 sender not allowed"),
        Reply(MAIL, 553, "5.1.8 no such sender"),
        Reply(MAIL, 530, "5.7.0 authentication required"),
        Reply(MAIL, 501, "bad sender"),
        Reply(RCPT, 553, "5.1.8 sender's domain not found"),
        Reply(MAIL, None, "", "sender's address cannot be sent", Cause.UNSENDABLE),
    ],
    ids=repr,
)
def test_what_would_happen_to_every_mail_is_the_relays_for_good(reply: Reply) -> None:
    outcome = judge(reply)
    assert outcome.is_final and outcome.blame == "relay" and outcome.state in (H, P)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Stage.CONNECT, None, "", "refused", Cause.UNREACHABLE),
        Reply(Stage.BANNER, 421, "busy"),
        Reply(Stage.AUTH, 454, "4.7.0 temporary authentication failure"),
        Reply(MAIL, 451, "4.3.0 try later"),
        Reply(DOT, None, "", "lost", Cause.LOST),
    ],
    ids=repr,
)
def test_what_may_pass_is_the_relays_for_now(reply: Reply) -> None:
    outcome = judge(reply)
    assert outcome.blame == "relay" and not outcome.is_final


def test_a_mail_that_cannot_be_made_or_addressed_fails_alone() -> None:
    rendered = judge(Reply(Stage.RENDER, None, "", "line 3: unknown tag"))
    assert (rendered.state, rendered.reason, rendered.blame) == (F, "not_rendered", "recipient")
    addressed = judge(Reply(RCPT, None, "", "", Cause.UNSENDABLE))
    assert (addressed.state, addressed.reason, addressed.blame) == (F, "unsendable_address", "recipient")


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (530, "5.7.0 Must issue a STARTTLS command first", "the relay demands TLS: set MAIL_USE_TLS"),
        (530, "5.7.0 Authentication required", "the relay demands a sign-in: set MAIL_USERNAME and MAIL_PASSWORD"),
        (
            503,
            "5.5.4 Error: send AUTH command first",
            "the relay demands a sign-in: set MAIL_USERNAME and MAIL_PASSWORD",
        ),
    ],
)
def test_what_a_relay_demands_before_mail_is_said(code: int, text: str, words: str) -> None:
    outcome = judge(Reply(MAIL, code, text))
    assert (outcome.words, outcome.blame, outcome.is_final) == (words, "relay", True)


def test_a_mail_that_was_called_back_is_nobodys_fault() -> None:
    outcome = judge(Reply(DATA, None, "", "", Cause.WITHDRAWN))
    assert (outcome.state, outcome.blame, outcome.is_final) == (P, "recipient", False)


def test_words_are_for_people() -> None:
    assert judge(Reply(RCPT, 550, "5.1.1 x")).words == "no such mailbox"
    assert judge(Reply(RCPT, 452, "4.2.2 x")).words == "mailbox full"
    assert judge(Reply(RCPT, 550, "5.7.1 x")).words == "the relay refuses: policy"


replies = st.builds(
    Reply,
    stage=st.sampled_from(Stage),
    code=st.none() | st.integers(-5, 700) | st.sampled_from([250, 421, 450, 451, 452, 550, 551, 552, 553, 554]),
    text=st.text(max_size=40) | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3} .{0,20}", fullmatch=True),
    error=st.none() | st.text(max_size=5),
    cause=st.none() | st.sampled_from(Cause),
)


@given(replies)
def test_every_reply_has_an_outcome_that_the_ledger_can_hold(reply: Reply) -> None:
    outcome: Outcome = judge(reply)
    assert outcome.state in DELIVERY_TRANSITIONS[DeliveryState.CLAIMED]
    assert 0 < len(outcome.reason) <= 40 and outcome.reason.isascii()
    assert outcome.words and outcome.reason in REASON_WORDS
    assert (outcome.state is A) == (reply.stage is DOT and reply.code is not None and 200 <= reply.code <= 299)
    if outcome.state is U:
        assert reply.stage is DOT
    if outcome.state is F:
        assert outcome.blame == "recipient"
    if outcome.blame is Blame.EITHER:
        assert outcome.state is H and outcome.as_recipients().state is (F if outcome.is_final else D)
