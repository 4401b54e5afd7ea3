"""The evidence: an ill relay is left alone soon, a single recipient's trouble stops nobody, and nobody fails for the relay's sake."""

from webapp.core.rules.evidence import (
    DOMAINS,
    EQUAL_DOMAINS,
    FAILURES,
    FAILURES_AT_FIRST,
    FIRST_MAILS,
    RECIPIENTS,
    SILENT_S,
    WINDOW,
    Evidence,
    VerdictKind,
)
from webapp.core.rules.outcome import Cause, Reply, Stage, judge
from webapp.core.rules.refusal import Addressee, equal_words

POLICY = Reply(Stage.DOT, 550, "5.7.1 we do not like you")
LATER = Reply(Stage.DOT, 451, "4.3.0 trouble here")
BUSY = Reply(Stage.MAIL, 451, "4.3.2 not now")
UNKNOWN = Reply(Stage.RCPT, 550, "5.1.1 no such user")
GREYLISTED = Reply(Stage.RCPT, 450, "4.7.1 come again")
LOST = Reply(Stage.DATA, None, "", "connection lost", Cause.LOST)
UNANSWERED = Reply(Stage.DOT, None, "", "connection lost", Cause.LOST)


def feed(evidence: Evidence, *replies: Reply | None, domains: int = 1, attempt: int = 1, first: int = 1) -> Evidence:
    """`None` stands for a mail that was taken. Recipients are numbered from `first`, of so many domains in turn."""
    for number, reply in enumerate(replies, first):
        if evidence.verdict is not None:
            break
        if reply is None:
            evidence.took()
        else:
            evidence.saw(judge(reply), reply, Addressee(number, f"d{number % domains}.example", attempt))
    return evidence


def kind(evidence: Evidence) -> VerdictKind | None:
    return evidence.verdict and evidence.verdict.kind


def test_three_errors_of_the_relay_in_a_row_have_all_wait_for_it():
    assert kind(feed(Evidence(), BUSY, BUSY)) is None
    found = feed(Evidence(), BUSY, LOST, BUSY)
    assert kind(found) is VerdictKind.WAITING and "451 4.3.2 not now" in found.verdict.words
    assert kind(feed(Evidence(), BUSY, BUSY, None, BUSY, BUSY)) is None
    assert kind(feed(Evidence(), BUSY, BUSY, UNKNOWN, BUSY, BUSY)) is None


def test_mails_that_are_never_answered_pause_it_because_each_try_may_be_one_more_in_doubt():
    assert kind(feed(Evidence(), UNANSWERED, UNANSWERED, UNANSWERED)) is VerdictKind.REFUSING


def test_what_is_refused_to_recipients_of_many_domains_with_nobody_taken_between_is_the_relays():
    few = feed(Evidence(), *[POLICY] * (RECIPIENTS - 1), domains=DOMAINS)
    assert kind(few) is None
    assert kind(feed(few, POLICY, domains=DOMAINS, first=RECIPIENTS)) is VerdictKind.REFUSING
    assert kind(feed(Evidence(), *[LATER] * RECIPIENTS, domains=DOMAINS)) is VerdictKind.WAITING
    assert kind(feed(Evidence(has_delivered=True), *[POLICY] * RECIPIENTS, domains=DOMAINS - 1)) is None


def test_what_decides_against_the_relay_in_equal_words_names_them():
    """Others may have been refused so before a mail that was further on was taken."""
    equal = [Reply(Stage.RCPT, 550, f"5.7.1 <c{n}@d.example>: relaying denied") for n in range(RECIPIENTS)]
    for refused, key in ((equal, equal_words(equal[0])), ([*equal[1:], POLICY], None), ([LATER] * RECIPIENTS, None)):
        found = feed(Evidence(has_delivered=True), *refused, domains=DOMAINS)
        assert found.verdict is not None and found.verdict.key == key
        told = Evidence(has_delivered=True)
        told.know(found.run)
        assert told.verdict is not None and told.verdict.key == key


def test_what_is_refused_to_one_of_many_is_that_ones():
    evidence = feed(Evidence(), *[POLICY, None] * 10, domains=20)
    assert kind(evidence) is VerdictKind.CONTENT  # but not so many, over so many domains, at their end
    assert kind(feed(Evidence(), *[POLICY, None, None, None, None, None] * 40, domains=240)) is None
    assert kind(feed(Evidence(), *[POLICY, None] * 100, domains=DOMAINS - 1)) is None
    assert kind(feed(Evidence(heeds_content=False), *[POLICY, None] * 100, domains=240)) is None


def test_the_content_is_doubted_before_many_were_tried_and_the_numbers_are_said():
    evidence = feed(Evidence(), *[None, None, POLICY] * 100, domains=240)
    assert (
        kind(evidence) is VerdictKind.CONTENT and "Of the last 18 mails the relay refused 6" in evidence.verdict.words
    )


def test_temporary_refusals_by_chance_are_nobodys_content():
    assert kind(feed(Evidence(), *[None, LATER, None] * 100, domains=240)) is None


def test_equal_words_for_many_domains_are_the_relays_whatever_they_say():
    quota = [
        Reply(Stage.RCPT, 550, f"<c{n}@d{n}.example> exceeded the max emails per hour (id {n}ab{n})") for n in range(40)
    ]
    evidence = feed(Evidence(), *[None] * 10, *quota, domains=1000)
    assert kind(evidence) is VerdictKind.REFUSING and len(evidence.run) == EQUAL_DOMAINS
    mixed = [reply for pair in zip(quota, [UNKNOWN] * 40, strict=True) for reply in pair]
    assert kind(feed(Evidence(has_delivered=True), *mixed[: FAILURES - 1], domains=1000)) is None


def test_equal_words_are_equal_but_for_addresses_and_numbers():
    one = Reply(Stage.RCPT, 550, "5.7.1 <a@b.example>: refused, see ticket 4F2A9C")
    other = Reply(Stage.RCPT, 550, "5.7.1 <x.y@other.example>: refused, see ticket 77B1")
    assert equal_words(one) == equal_words(other) != equal_words(UNKNOWN)


def test_nothing_but_failures_ends_it_however_personal_each_of_them_sounds():
    evidence = feed(Evidence(has_delivered=True), *[UNKNOWN] * (FAILURES - 1))
    assert kind(evidence) is None
    assert "50 mails failed one after the other" in feed(evidence, UNKNOWN, first=FAILURES).verdict.words
    assert evidence.most_under_way == 0
    assert kind(feed(Evidence(), *[UNKNOWN] * (FAILURES_AT_FIRST - 1))) is None
    assert kind(feed(Evidence(), *[UNKNOWN] * FAILURES_AT_FIRST)) is VerdictKind.REFUSING
    assert kind(feed(Evidence(), *[None, *[UNKNOWN] * (FAILURES - 1)] * 4)) is None


def test_who_was_refused_before_and_is_again_says_nothing_new():
    assert kind(feed(Evidence(has_delivered=True), *[UNKNOWN] * FAILURES, attempt=2)) is None


def test_it_goes_on_from_the_refusals_that_others_left():
    run = feed(Evidence(), *[POLICY] * (RECIPIENTS - 1), domains=DOMAINS).run
    assert kind(feed(Evidence(run=run), POLICY, domains=DOMAINS, first=RECIPIENTS)) is VerdictKind.REFUSING
    assert kind(feed(Evidence(run=run), POLICY, domains=DOMAINS, first=1)) is None  # the same once more


def test_what_others_were_refused_meanwhile_counts_and_what_they_were_taken_does_too():
    run = feed(Evidence(), *[POLICY] * RECIPIENTS, domains=DOMAINS).run
    mine = feed(Evidence(has_delivered=True), POLICY, domains=DOMAINS, first=100)
    mine.know(run[:3])
    assert kind(mine) is None and len(mine.run) == 3 and mine.most_under_way == 5
    mine.know([])
    assert mine.most_under_way == 5  # as it began: it was not taken from yet
    mine.know(run)
    assert kind(mine) is VerdictKind.REFUSING and mine.most_under_way == 0


def test_a_relay_that_says_nothing_until_its_time_out_is_waited_for_at_once_if_it_takes_nobodys_mail():
    silent = Reply(Stage.BANNER, None, "", "no answer for 60 s", Cause.SILENT)
    for after_s, quiet_s, concluded in (
        (60.0, 60.0, VerdictKind.WAITING),
        (SILENT_S, SILENT_S, VerdictKind.WAITING),
        (0.1, 0.5, None),
        (
            300.0,
            25.0,
            None,
        ),  # a pace of one mail in half a minute, and a connection too many that is left without a word
    ):
        evidence = Evidence(has_delivered=True)
        evidence.saw(judge(silent), silent, after_s=after_s, quiet_s=quiet_s)
        assert kind(evidence) is concluded
    at_dot = silent._replace(stage=Stage.DOT)
    evidence.saw(judge(at_dot), at_dot, quiet_s=60.0)
    assert kind(evidence) is None


def test_several_senders_share_what_may_be_refused_before_it_is_clear():
    mine = Evidence(has_delivered=True)
    mine.took()
    mine.senders = 3
    assert mine.most_under_way is None
    for more in (2, 1, 0):  # a third of ten
        feed(mine, POLICY, domains=DOMAINS, first=more)
        assert mine.most_under_way == more
    shared = feed(Evidence(), *[POLICY] * 6, domains=DOMAINS).run
    mine.know(shared)
    assert mine.most_under_way == 1  # a third of four
    feed(mine, POLICY, domains=DOMAINS, first=100)
    assert mine.most_under_way == 0
    mine.know(shared, mine.run[-1:])
    assert mine.most_under_way == 0  # the others do not know it yet
    mine.know(mine.run)
    assert mine.most_under_way == 1
    mine.took()
    assert mine.most_under_way is None


def test_a_message_that_cannot_be_made_for_anybody_ends_it():
    unmade = Reply(Stage.RENDER, None, "", "KeyError: 'name'")
    assert "the mail could not be made" in feed(Evidence(), *[unmade] * FAILURES_AT_FIRST).verdict.words.lower()


def test_refused_passwords_bad_certificates_and_refused_senders_end_it_at_once():
    for reply, site in (
        (Reply(Stage.AUTH, 535, "5.7.8 no"), True),
        (Reply(Stage.STARTTLS, None, "", "self-signed", Cause.CERTIFICATE), True),
        (Reply(Stage.MAIL, 550, "5.7.1 not from you"), False),
    ):
        verdict = feed(Evidence(), None, reply).verdict
        assert verdict and (verdict.kind, verdict.is_site_wide) == (VerdictKind.REFUSING, site)


def test_a_mail_too_big_for_the_relay_ends_it_before_the_first_and_later_fails_alone():
    big = Reply(Stage.MAIL, 552, "5.3.4 this mail has 1.2 MB, the relay takes 1.0 MB")
    assert "1.2 MB" in feed(Evidence(), big).verdict.words
    assert kind(feed(Evidence(), None, big)) is None


def test_when_nobody_is_left_all_there_are_decide():
    assert Evidence().nothing_left() is None
    assert feed(Evidence(), POLICY, POLICY).nothing_left().kind is VerdictKind.REFUSING
    assert feed(Evidence(), LATER).nothing_left().kind is VerdictKind.WAITING
    assert feed(Evidence(), None, *[POLICY] * 5).nothing_left() is None
    assert feed(Evidence(has_delivered=True), *[POLICY] * 5, attempt=2).nothing_left() is None
    assert (
        feed(Evidence(has_delivered=True), *[POLICY] * 5, domains=5, attempt=2).nothing_left().kind
        is VerdictKind.REFUSING
    )


def test_most_of_the_last_fifty_not_taken_for_the_relays_sake_has_all_wait_even_if_some_get_through():
    evidence = Evidence()
    for number in range(WINDOW + 10):
        feed(evidence, *([None] if number % 3 == 0 else [BUSY]), first=number)
        if evidence.verdict:
            break
    assert kind(evidence) is VerdictKind.WAITING and number == WINDOW - 1
    assert kind(feed(Evidence(), *[None, None, BUSY] * 100)) is None


def test_a_probe_after_a_pause_ends_with_the_first_refusal_and_a_success_ends_the_probe():
    assert kind(feed(Evidence(is_probing=True), BUSY)) is VerdictKind.WAITING
    assert kind(feed(Evidence(is_probing=True), POLICY)) is VerdictKind.REFUSING
    assert kind(feed(Evidence(is_probing=True), UNKNOWN)) is None
    assert kind(feed(Evidence(is_probing=True), None, BUSY, BUSY)) is None


def test_a_probe_after_waiting_is_answered_by_a_relay_that_refuses_one_recipient():
    evidence = Evidence()
    evidence.begin_probe()
    assert evidence.most_under_way == 1
    assert kind(feed(evidence, POLICY)) is None and evidence.most_under_way == 1
    assert kind(feed(evidence, LATER, first=2)) is VerdictKind.WAITING


def test_it_feels_its_way_until_the_relay_took_a_mail():
    evidence = Evidence()
    assert evidence.most_under_way == FIRST_MAILS
    assert feed(evidence, BUSY).most_under_way == 2
    assert feed(evidence, BUSY).most_under_way == 1
    assert feed(evidence, None).most_under_way is None
    assert feed(evidence, *[POLICY] * 4, domains=4).most_under_way == RECIPIENTS - 4
    assert feed(evidence, GREYLISTED, None).most_under_way is None
    assert feed(evidence, BUSY, BUSY, BUSY).most_under_way == 0


def test_whoever_is_told_to_come_again_is_no_evidence():
    assert kind(feed(Evidence(), *[GREYLISTED] * 500, domains=500)) is None


def test_a_mail_called_back_says_nothing_about_the_relay():
    withdrawn = Reply(Stage.DATA, None, "", "called back", Cause.WITHDRAWN)
    assert kind(feed(Evidence(), BUSY, BUSY, withdrawn, BUSY)) is VerdictKind.WAITING


def test_a_relay_that_cannot_be_reached_is_said_once():
    reply = Reply(Stage.CONNECT, None, "", "cannot connect: Connection refused", Cause.UNREACHABLE)
    evidence = Evidence(is_probing=True)
    evidence.saw(judge(reply), reply)
    assert evidence.verdict and evidence.verdict.words == "The relay cannot be reached: Connection refused"
