"""The breaker: an ill relay is left alone soon, and a single recipient's trouble stops nobody."""

from webapp.core.rules.breaker import FAILURES, FAILURES_AT_FIRST, FIRST_MAILS, WINDOW, Breaker
from webapp.core.rules.outcome import Cause, Reply, Stage, judge

POLICY = Reply(Stage.DOT, 550, "5.7.1 we do not like you")
BUSY = Reply(Stage.RCPT, 451, "4.3.2 not now")
UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
LOST = Reply(Stage.DATA, None, "", "connection lost", Cause.LOST)


def feed(breaker: Breaker, *replies: Reply | None) -> Breaker:
    """`None` stands for a mail that was taken."""
    for reply in replies:
        if reply is None:
            breaker.took()
        else:
            breaker.saw(judge(reply), reply)
    return breaker


def test_three_errors_of_the_relay_in_a_row_open_it():
    assert feed(Breaker(), POLICY, BUSY).opened_by is None
    assert "550 5.7.1 we do not like you" in (feed(Breaker(), BUSY, LOST, POLICY).opened_by or "")


def test_a_mail_that_was_taken_begins_the_count_anew():
    assert feed(Breaker(), BUSY, BUSY, None, BUSY, BUSY).opened_by is None


def test_a_recipients_error_shows_that_the_relay_works():
    assert feed(Breaker(), BUSY, BUSY, UNKNOWN, BUSY, BUSY).opened_by is None
    assert feed(Breaker(), *[None, *[UNKNOWN] * (FAILURES - 1)] * 4).opened_by is None


def test_it_opens_when_nothing_but_failures_comes_however_personal_each_of_them_sounds():
    breaker = feed(Breaker(has_delivered=True), *[UNKNOWN] * (FAILURES - 1))
    assert breaker.opened_by is None
    assert feed(breaker, UNKNOWN).opened_by == (
        "50 mails failed one after the other. The last: No such mailbox. The relay said, at RCPT: 550 5.1.1 no such user"
    )
    assert breaker.most_under_way == 0


def test_it_opens_sooner_when_the_relay_never_took_a_mail_of_this_broadcast():
    assert feed(Breaker(), *[UNKNOWN] * (FAILURES_AT_FIRST - 1)).opened_by is None
    assert feed(Breaker(), *[UNKNOWN] * FAILURES_AT_FIRST).opened_by is not None
    assert feed(Breaker(failures=FAILURES_AT_FIRST - 1), UNKNOWN).opened_by is not None
    assert feed(Breaker(failures=FAILURES_AT_FIRST), None, *[UNKNOWN] * FAILURES_AT_FIRST).opened_by is None


def test_who_resumes_after_that_sees_as_many_more():
    assert feed(Breaker(probing=True, failures=FAILURES_AT_FIRST), UNKNOWN).opened_by is None
    assert feed(Breaker(probing=True, failures=1), *[UNKNOWN] * FAILURES_AT_FIRST).opened_by is not None


def test_a_message_that_cannot_be_made_for_anybody_opens_it():
    unmade = Reply(Stage.RENDER, None, "", "KeyError: 'name'")
    assert "the mail could not be made" in (feed(Breaker(), *[unmade] * FAILURES_AT_FIRST).opened_by or "").lower()


def test_refused_passwords_bad_certificates_and_refused_senders_open_it_at_once():
    for reply in (
        Reply(Stage.AUTH, 535, "5.7.8 who are you"),
        Reply(Stage.STARTTLS, None, "", "self-signed", Cause.CERTIFICATE),
        Reply(Stage.MAIL, 550, "5.7.1 not from you"),
    ):
        assert feed(Breaker(), None, reply).opened_by is not None


def test_most_of_the_last_fifty_held_open_it_even_if_some_get_through():
    breaker = Breaker()
    for number in range(WINDOW * 2):
        feed(breaker, *([None] if number % 3 == 0 else [BUSY]))
        if breaker.opened_by:
            break
    assert number == WINDOW - 1


def test_a_third_of_them_held_does_not():
    assert feed(Breaker(), *[None, None, BUSY] * 100).opened_by is None


def test_a_probe_opens_it_again_with_the_first_error_and_a_success_ends_the_probe():
    assert feed(Breaker(probing=True), BUSY).opened_by is not None
    assert feed(Breaker(probing=True), None, BUSY, BUSY).opened_by is None


def test_it_feels_its_way_until_the_relay_took_a_mail():
    breaker = Breaker()
    assert breaker.most_under_way == FIRST_MAILS
    assert feed(breaker, BUSY).most_under_way == 2
    assert feed(breaker, BUSY).most_under_way == 1
    assert feed(breaker, None).most_under_way is None
    assert feed(breaker, BUSY, BUSY, BUSY).most_under_way == 0


def test_a_mail_called_back_says_nothing_about_the_relay():
    withdrawn = Reply(Stage.DATA, None, "", "called back", Cause.WITHDRAWN)
    assert feed(Breaker(), BUSY, BUSY, withdrawn, BUSY).opened_by is not None


def test_a_relay_that_cannot_be_reached_is_said_once():
    reply = Reply(Stage.CONNECT, None, "", "cannot connect: Connection refused", Cause.UNREACHABLE)
    assert feed(Breaker(probing=True), reply).opened_by == "The relay cannot be reached: Connection refused"
