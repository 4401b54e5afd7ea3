import re
from datetime import timedelta

import pytest

from tests import engine, factories
from tests.pages.page import read
from webapp.adapters.clock import now
from webapp.core import ledger, users
from webapp.core.rules.limits import NO_LIMITS, Limits
from webapp.core.rules.pacing import Retries
from webapp.core.settings import from_addresses, limits


def test_a_sender_is_added_made_default_and_removed(browser_client, sqlite_session):
    browser_client.post("/settings/sending/from-addresses", data={"name": "Help", "address": "help@example.com"})
    browser_client.post("/settings/sending/from-addresses", data={"name": "", "address": "billing@example.com"})
    second = from_addresses.listing(sqlite_session)[1]
    browser_client.post(f"/settings/sending/from-addresses/{second.id}/default")
    sqlite_session.rollback()
    assert from_addresses.default(sqlite_session) == "billing@example.com"
    browser_client.post(f"/settings/sending/from-addresses/{second.id}/remove")
    sqlite_session.rollback()
    assert [sender.address for sender in from_addresses.listing(sqlite_session)] == ["help@example.com"]


def test_a_bad_sender_keeps_what_was_typed_and_says_why(browser_client):
    answer = browser_client.post("/settings/sending/from-addresses", data={"name": "Help", "address": "help at home"})
    assert answer.status_code == 422
    assert "This address cannot be used" in answer.text
    assert 'value="help at home"' in answer.text


def test_a_new_user_signs_in_with_the_link_shown(browser_client, sqlite_app):
    page = browser_client.post("/settings/users", data={"name": "Bob", "email": "bob@example.org"}).text
    link = re.search(r"/sign-in/link/#([\w-]+)", page)
    assert link
    bob = sqlite_app.test_client()
    bob.post("/sign-in/link/", data={"token": link[1]})
    assert "bob@example.org" in bob.get("/account/").text


def test_a_locked_user_is_out_at_once_but_nobody_locks_themselves(browser_client, sqlite_app, sqlite_session):
    me = users.listing(sqlite_session)[0]
    other = factories.user(sqlite_session)
    sqlite_session.commit()
    browser_client.post(f"/settings/users/{other.id}/active/0")
    browser_client.post(f"/settings/users/{me.id}/active/0")
    sqlite_session.rollback()
    assert (other.is_active, me.is_active) == (False, True)


def test_a_user_who_is_gone_is_a_page_not_a_crash(browser_client):
    answer = browser_client.post("/settings/users/999/link")
    assert answer.status_code == 404
    assert "This user does not exist any more." in answer.text


LIMITS = {
    "per_second": "50",
    "per_day": "100,000",
    "connections": "20",
    "retry_minutes": "2, 30",
    "retry_spread": "10",
    "give_up_hours": "48",
    "wait_hours": "0.5",
}
HALF_AN_HOUR = timedelta(minutes=30)


def seen(page: str) -> dict[str, str]:
    """What the form of the limits says about those it was filled with."""
    return {"seen": read(page).value("seen")}


def opened(browser_client) -> dict[str, str]:
    return seen(browser_client.get("/settings/sending").text)


def test_limits_are_set_and_shown_again(browser_client, sqlite_session):
    answer = browser_client.post(
        "/settings/sending/limits", data=LIMITS | opened(browser_client), follow_redirects=True
    )
    assert "The limits are set." in answer.text
    assert 'value="100000"' in answer.text and 'value="2, 30"' in answer.text
    assert limits.read(sqlite_session) == Limits(
        50, 100_000, 20, Retries((2, 30), 0.1, timedelta(hours=48)), HALF_AN_HOUR
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("per_second", "-1", "Use 0 for no limit"),
        ("per_day", "many", "Use a whole number."),
        ("retry_minutes", "", "Give 1 to 20 pauses."),
        ("retry_minutes", "1, soon", "Use minutes with commas between them"),
        ("retry_minutes", "1, nan", "A pause lasts more than 0"),
        ("retry_spread", "80", "Use 0 to 50 percent."),
        ("give_up_hours", "0", "Use 1 to 720 hours."),
        ("give_up_hours", "99999999999999", "Use 1 to 720 hours."),
        ("per_day", "99999999999999", "Use 0 for no limit"),
        ("wait_hours", "", "Use a number of hours"),
        ("wait_hours", "a day", "Use a number of hours"),
        ("wait_hours", "nan", "Use a number of hours"),
        ("wait_hours", "0.001", "Use 1 minute to 720 hours."),
        ("wait_hours", "1e300", "Use 1 minute to 720 hours."),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_and_nothing_typed_is_lost(
    browser_client, sqlite_session, field, value, words
):
    as_opened = opened(browser_client)
    answer = browser_client.post("/settings/sending/limits", data=LIMITS | as_opened | {field: value})
    assert seen(answer.text) == as_opened
    assert answer.status_code == 422 and words in answer.text
    assert read(answer).has("a[@href='/settings/sending'][@aria-current='page']"), "the menu says where one is"
    assert (f'value="{value}"' in answer.text and 'value="48"' in answer.text) or field == "give_up_hours"
    assert limits.read(sqlite_session) == NO_LIMITS


def test_limits_set_by_somebody_else_meanwhile_are_not_overwritten_unseen(browser_client, sqlite_session):
    as_opened = opened(browser_client)
    theirs = Limits(per_second=7, retries=Retries((2, 30), 0.1, timedelta(hours=48)))
    limits.save(sqlite_session, theirs)
    sqlite_session.commit()
    answer = browser_client.post("/settings/sending/limits", data=LIMITS | as_opened)
    assert answer.status_code == 409
    assert "Somebody else has set other limits" in answer.text
    assert 'value="50"' in answer.text and "In force now: 7" in answer.text
    assert 'value="20"' in answer.text and "In force now: no limit" in answer.text
    assert "In force now: 12." in answer.text
    assert answer.text.count("In force now") == 4, "only beside what differs"
    assert limits.read(sqlite_session) == theirs

    again = browser_client.post("/settings/sending/limits", data=LIMITS | seen(answer.text))
    assert again.status_code == 302
    sqlite_session.rollback()
    assert limits.read(sqlite_session).per_second == 50


@pytest.mark.parametrize(
    ("typed", "minutes", "shown"), [("0.02", 1, "0.02"), ("12", 720, "12"), (" 720.0 ", 43_200, "720")]
)
def test_how_long_the_relay_is_waited_for_may_be_a_part_of_an_hour(
    browser_client, sqlite_session, typed, minutes, shown
):
    browser_client.post("/settings/sending/limits", data=LIMITS | opened(browser_client) | {"wait_hours": typed})
    assert limits.read(sqlite_session).waits_for == timedelta(minutes=minutes)
    assert read(browser_client.get("/settings/sending")).value("wait_hours") == shown


def test_limits_that_somebody_else_has_set_just_so_are_no_conflict(browser_client):
    as_opened = opened(browser_client)
    browser_client.post("/settings/sending/limits", data=LIMITS | as_opened)
    assert browser_client.post("/settings/sending/limits", data=LIMITS | as_opened).status_code == 302


def test_a_form_that_does_not_say_which_limits_it_was_filled_with_sets_none(browser_client, sqlite_session):
    assert browser_client.post("/settings/sending/limits", data=LIMITS).status_code == 409
    assert limits.read(sqlite_session) == NO_LIMITS


def test_the_forecast_and_the_progress_tell_what_a_ceiling_does(browser_client, sqlite_session):
    limits.save(sqlite_session, Limits(per_day=2))
    broadcast = engine.sending_broadcast(sqlite_session, mails=5)
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{draft.id}/schedule/").text
    assert "at most" in page and "2 mails a day" in page and "It takes 2 d" in page
    clocks = engine.Clocks(wall=now())
    lease = engine.lease_for(sqlite_session, broadcast, clocks)
    ledger.claim(
        sqlite_session,
        lease,
        10,
        lambda holders: [[""] for _ in holders],
        clocks.reading(),
        limits=limits.read(sqlite_session),
    )
    sqlite_session.commit()
    card = read(browser_client.get(f"/mass-mail/{broadcast.id}/")).at("#progress")
    assert "the mails of this day are used up" in card
    assert "at most 2 mails a day for all mass mails together" in card and "as fast as the relay" not in card


def test_marketing_can_have_a_sender_of_its_own(browser_client, sqlite_session):
    sender = from_addresses.add(sqlite_session, "News", "news@example.com")
    sqlite_session.commit()
    url = f"/settings/sending/from-addresses/{sender.id}/marketing"
    assert "Use for marketing" in browser_client.get("/settings/sending").text
    page = browser_client.post(url, data={"wanted": "1"}, follow_redirects=True).text
    assert "New marketing comes from news@example.com." in page and "Not for marketing" in page
    page = browser_client.post(url, data={"wanted": ""}, follow_redirects=True).text
    assert "New marketing comes from the default sender." in page and "Use for marketing" in page
