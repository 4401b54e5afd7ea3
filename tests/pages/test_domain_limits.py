"""Settings, Sending: limits by the recipient's domain; and what they do to a mass mail, in words."""

import pytest

from tests import engine, factories
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core import ledger
from webapp.core.rules.receivers import SUGGESTIONS, ReceiverLimit
from webapp.core.settings import limits, receivers

URL = "/settings/sending/domains"
TYPED = {"domains": "gmail.com, googlemail.com", "mails": "20", "interval_s": "1", "connections": "5"}
GOOGLE = ReceiverLimit(("gmail.com", "googlemail.com"), 20, connections=5)


def card(client) -> str:
    page = read(client.get("/settings/sending"))
    return page.at("section[@aria-labelledby='domains-title']").words


def in_force(session) -> list[ReceiverLimit]:
    session.rollback()
    return list(limits.receivers(session))


def given(session, limit: ReceiverLimit = GOOGLE) -> ReceiverLimit:
    added = receivers.add(session, limit)
    session.commit()
    return added


def test_none_is_set_by_itself_and_a_suggestion_is_taken_over_by_one_click(browser_client, sqlite_session):
    assert in_force(sqlite_session) == []
    assert all(one.name in card(browser_client) for one in SUGGESTIONS)
    answer = browser_client.post(f"{URL}/suggested", data={"name": "Google"}, follow_redirects=True)
    assert "Google is given 20 a second over 5 connections from now on." in answer.text
    assert [limit.domains for limit in in_force(sqlite_session)] == [("gmail.com", "googlemail.com")]
    assert "Google:" not in card(browser_client) and "gmail.com googlemail.com 20 a second" in card(browser_client)
    assert browser_client.post(f"{URL}/suggested", data={"name": "Google"}).status_code == 404


def test_a_limit_is_added_changed_and_removed(browser_client, sqlite_session):
    browser_client.post(f"{URL}/new", data=TYPED)
    [limit] = in_force(sqlite_session)
    assert (limit.domains, limit.mails, limit.connections) == (GOOGLE.domains, 20, 5)
    page = read(browser_client.get(f"{URL}/{limit.id}"))
    assert page.value("domains") == TYPED["domains"]
    typed = TYPED | {"mails": "600", "interval_s": "60", "connections": "0", "seen": page.value("seen")}
    answer = browser_client.post(f"{URL}/{limit.id}", data=typed, follow_redirects=True)
    assert "gmail.com is given 600 a minute from now on." in answer.text
    [changed] = in_force(sqlite_session)
    url = f"{URL}/{limit.id}/remove?seen={receivers.digest(changed)}"
    assert url in read(browser_client.get("/settings/sending")).at(f"#remove-limit-{limit.id}").all("form")[0]["action"]
    browser_client.post(url)
    assert in_force(sqlite_session) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("domains", "", "Enter a domain, as in gmail.com."),
        ("domains", "gmail", "“gmail” is not a domain"),
        ("domains", "aol.com", "aol.com has a limit already."),
        ("mails", "many", "Use a whole number."),
        ("mails", "-3", "Use 0 for no limit"),
        ("connections", "99999", "Use 0 for no limit"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "known"])
def test_what_makes_no_sense_is_refused_and_nothing_typed_is_lost(
    browser_client, sqlite_session, field, value, words, is_new
):
    given(sqlite_session, ReceiverLimit(("aol.com",), 3))
    mine = given(sqlite_session)
    where = "new" if is_new else str(mine.id)
    typed = TYPED | {"domains": "gmx.de", "seen": receivers.digest(mine), field: value}
    answer = browser_client.post(f"{URL}/{where}", data=typed)
    assert answer.status_code == 422 and words in read(answer).words
    assert read(answer).value(field) == value and read(answer).value("interval_s") == "1"
    assert len(in_force(sqlite_session)) == 2 and mine in in_force(sqlite_session)


def test_a_limit_without_any_number_is_none(browser_client, sqlite_session):
    answer = browser_client.post(f"{URL}/new", data=TYPED | {"mails": "0", "connections": ""})
    assert answer.status_code == 422 and "Set at least one of mails and connections." in answer.text


def test_what_somebody_else_has_changed_is_shown_and_not_gone_over(browser_client, sqlite_session):
    mine = given(sqlite_session)
    seen = receivers.digest(mine)
    receivers.change(sqlite_session, mine.id, ReceiverLimit(GOOGLE.domains, 7), seen=seen)
    sqlite_session.commit()
    answer = browser_client.post(f"{URL}/{mine.id}", data=TYPED | {"seen": seen})
    assert answer.status_code == 409 and "In force now: 7 a second" in read(answer).words
    assert [limit.mails for limit in in_force(sqlite_session)] == [7]
    again = browser_client.post(f"{URL}/{mine.id}", data=TYPED | {"seen": read(answer).value("seen")})
    assert again.status_code == 303 and [limit.mails for limit in in_force(sqlite_session)] == [20]


def test_a_limit_that_is_gone_is_a_page_and_no_crash(browser_client):
    assert browser_client.get(f"{URL}/7").status_code == 404
    assert browser_client.post(f"{URL}/7", data=TYPED | {"seen": "x"}).status_code == 404
    assert "Somebody else has changed this limit" in browser_client.post(f"{URL}/7/remove", data={"seen": "x"}).text


def test_the_forecast_names_the_domain_that_holds_it_up(browser_client, sqlite_session):
    given(sqlite_session, ReceiverLimit(("gmail.com", "googlemail.com"), 2, 60))
    for number in range(5):
        factories.client(sqlite_session, f"ada{number}@{('gmail.com', 'GoogleMail.com')[number % 2]}")
    factories.client(sqlite_session)
    draft = factories.broadcast(sqlite_session, batch_size=0)
    sqlite_session.commit()
    words = read(browser_client.get(f"/mass-mail/{draft.id}/schedule/")).at("#forecast").words
    assert "6 mails" in words and "It takes 2 min." in words
    assert "Held up by gmail.com: 5 at 2 a minute, about 2 min." in words
    review = read(browser_client.get(f"/mass-mail/{draft.id}/review/")).words
    assert "held up by gmail.com: 5 at 2 a minute, about 2 min" in review
    factories.client(sqlite_session, "eve@gmail.com")
    factories.client(sqlite_session, "bob@gmail.com")
    sqlite_session.commit()
    assert "gmail.com: 7 at 2 a minute" in browser_client.get(f"/mass-mail/{draft.id}/schedule/").text


def test_the_page_of_a_mass_mail_says_for_whom_its_mails_wait(browser_client, sqlite_session):
    given(sqlite_session, ReceiverLimit(("gmail.com",), 2, 60))
    for number in range(6):
        factories.client(sqlite_session, f"ada{number}@gmail.com")
    broadcast = engine.sending_broadcast(sqlite_session, mails=0)
    clocks = engine.Clocks(wall=now())
    lease = engine.lease_for(sqlite_session, broadcast, clocks)
    above = limits.read(sqlite_session)
    for _ in range(2):
        ledger.claim(sqlite_session, lease, 10, lambda holders: [[""] for _ in holders], clocks.reading(), limits=above)
    sqlite_session.commit()
    words = read(browser_client.get(f"/mass-mail/{broadcast.id}/")).at("#progress").words
    assert "4 wait for gmail.com, which is given 2 a minute" in words and "done about" in words
    listed = read(browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/?group=waiting")).words
    assert "Waiting for its domain" in listed
    row = engine.rows(sqlite_session, broadcast)[-1]
    mail = read(browser_client.get(f"/mass-mail/{broadcast.id}/deliveries/{row.id}")).words
    assert "Waiting for its domain" in mail and "Next attempt" not in mail
