"""The review step: the button with the number, what blocks it, and that nothing leaves twice or with another number than was shown."""

import re
from datetime import timedelta

import pytest
import redis

from tests import factories
from tests.pages.page import read
from tests.visitors import sign_in
from webapp.adapters import wakeups
from webapp.adapters.clock import now
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, FromAddress


@pytest.fixture
def draft(sqlite_session) -> Broadcast:
    sqlite_session.add(FromAddress(name="Example Hosting", address="support@example.com"))
    for _ in range(2):
        factories.client(sqlite_session)
    broadcast = factories.broadcast(sqlite_session, subject="Hello {{ first_name }}")
    sqlite_session.commit()
    return broadcast


@pytest.fixture
def stored(sqlite_session, draft):
    def fresh() -> Broadcast:
        sqlite_session.rollback()
        sqlite_session.refresh(draft)
        return draft

    return fresh


def form_of(page: str) -> dict[str, str]:
    """The hidden fields that pressing the button sends."""
    return read(page).form("#review-form").fields


def test_the_page_shows_everything_at_a_glance_with_the_number_on_the_button(browser_client, draft):
    page = read(browser_client.get(f"/mass-mail/{draft.id}/review/"))
    for words in (
        "Create Broadcast: send 2 mails",
        "All clients.",
        "Example Hosting <support@example.com>",
        "Hello Ada",
        "as soon as you press",
        "25 every 30 s, about 50 a minute, 3,000 an hour",
        "will receive",
    ):
        assert words in page, words
    assert page.at("#create-broadcast").get("disabled") is None


def test_countries_of_those_who_get_it_are_shown_as_bars_that_come_to_the_number(browser_client, sqlite_session, draft):
    factories.client(sqlite_session, country="FR")
    factories.client(sqlite_session, country="FR", email="", address=None, address_key=None)
    draft.audience_filter = {"countries": ["DE", "FR"]}
    sqlite_session.commit()
    page = read(browser_client.get(f"/mass-mail/{draft.id}/review/"))
    assert page.rows("table[@aria-label='Recipients by country']") == [["Germany", "", "2"], ["France", "", "1"]]
    assert not page.has("table[@aria-label='Recipients by language']")


def test_pressing_the_button_schedules_and_wakes_a_worker(browser_client, sqlite_app, draft, stored, redis_url):
    sqlite_app.config["REDIS_URL"] = redis_url
    form = form_of(browser_client.get(f"/mass-mail/{draft.id}/review/").text)
    answer = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    assert answer.status_code == 303 and answer.location == f"/mass-mail/{draft.id}/"
    assert stored().state is BroadcastState.SCHEDULED
    with sqlite_app.app_context():
        (job,) = wakeups.queue().jobs
    assert list(job.args) == [draft.id]


def test_a_later_start_is_on_the_button_and_rings_at_its_hour(
    browser_client, sqlite_app, sqlite_session, draft, stored, redis_url
):
    sqlite_app.config["REDIS_URL"] = redis_url
    draft.starts_at = (now() + timedelta(days=2)).replace(hour=9, minute=0, second=0, microsecond=0)
    draft.start_wall = draft.starts_at.strftime("%Y-%m-%dT%H:%M")
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{draft.id}/review/").text
    assert re.search(r"Create Broadcast: 2 mails, \w{3} \d+ \w{3}, 09:00 in UTC", page)
    browser_client.post(f"/mass-mail/{draft.id}/review/", data=form_of(page))
    assert stored().state is BroadcastState.SCHEDULED
    with redis.Redis.from_url(redis_url) as connection:
        (due,) = connection.zrange("rq:scheduled:massmail", 0, -1, withscores=True)
    assert due[1] == draft.starts_at.timestamp()


def test_pressing_twice_sends_once(browser_client, draft, stored):
    form = form_of(browser_client.get(f"/mass-mail/{draft.id}/review/").text)
    first = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    version = stored().version
    second = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert (stored().state, stored().version) == (BroadcastState.SCHEDULED, version)


def test_two_people_press_at_once_and_it_is_scheduled_once(sqlite_app, sqlite_session, draft, stored):
    people = [sign_in(sqlite_app, sqlite_session) for _ in range(2)]
    forms = [form_of(one.get(f"/mass-mail/{draft.id}/review/").text) for one in people]
    for one, form in zip(people, forms, strict=True):
        assert one.post(f"/mass-mail/{draft.id}/review/", data=form).status_code == 303
    assert stored().state is BroadcastState.SCHEDULED


def test_another_number_than_the_page_showed_is_said_before_anything_leaves(
    browser_client, sqlite_session, draft, stored
):
    form = form_of(browser_client.get(f"/mass-mail/{draft.id}/review/").text)
    factories.client(sqlite_session)
    sqlite_session.commit()
    answer = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form)
    assert answer.status_code == 409
    assert "The number has changed: 3 mails, not 2." in answer.text and "Create Broadcast: send 3 mails" in answer.text
    assert stored().state is BroadcastState.DRAFT
    browser_client.post(f"/mass-mail/{draft.id}/review/", data=form_of(answer.text))
    assert stored().state is BroadcastState.SCHEDULED


def test_a_change_since_the_page_was_shown_refuses_the_button(browser_client, sqlite_session, draft, stored):
    page = browser_client.get(f"/mass-mail/{draft.id}/review/").text
    browser_client.post(f"/mass-mail/{draft.id}/name", data={"name": "Changed", "version": 1})
    answer = browser_client.post(f"/mass-mail/{draft.id}/review/", data=form_of(page))
    assert answer.status_code == 409 and "changed meanwhile" in answer.text
    assert stored().state is BroadcastState.DRAFT


@pytest.mark.parametrize(
    ("columns", "words", "link"),
    [
        ({"subject": ""}, "The subject is empty.", "content/#subject"),
        ({"html": ""}, "The mail has no text.", "content/#html"),
        ({"html": "{{ frist_name }}"}, "first_name", "content/#html"),
        ({"from_address": ""}, "No sender is chosen.", "content/#from_address"),
        ({"audience_filter": {"countries": ["FR"]}}, "No client matches the filter.", "audience/"),
        ({"starts_at": factories.NOW - timedelta(days=9999)}, "The chosen start has passed.", "schedule/"),
    ],
)
def test_what_is_missing_blocks_with_a_link_to_the_place(browser_client, sqlite_session, draft, columns, words, link):
    broadcast = factories.broadcast(sqlite_session, **columns)
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{broadcast.id}/review/").text
    assert words in page and f'href="/mass-mail/{broadcast.id}/{link}"' in page
    assert read(page).at("#create-broadcast").get("disabled") is not None
    answer = browser_client.post(f"/mass-mail/{broadcast.id}/review/", data=form_of(page))
    assert answer.status_code == 422 and words in answer.text
    sqlite_session.rollback()
    assert broadcast.state is BroadcastState.DRAFT


@pytest.fixture
def odd(sqlite_session, draft) -> str:
    """The review's address of a draft with two warnings."""
    factories.client(sqlite_session, first_name="")
    draft.content.html = '<p>Hello <a href="https://example.com/">there</a></p>'
    sqlite_session.commit()
    return f"/mass-mail/{draft.id}/review/"


def ticks_of(page: str) -> list[str]:
    return [tick["value"] for tick in read(page).all("input[@name='tick']")]


def test_what_is_odd_wants_a_tick_before_anything_leaves(browser_client, odd, stored):
    page = browser_client.get(odd).text
    assert "first_name is empty for 1 recipient" in page and "2 things to weigh want a tick first" in read(page)
    first, second = ticks_of(page)
    answer = browser_client.post(odd, data=form_of(page) | {"tick": [first]})
    assert answer.status_code == 422 and "Nothing was sent. 1 thing below wants a tick first" in read(answer)
    assert stored().state is BroadcastState.DRAFT
    assert read(answer).at(f"#tick-{first}").get("checked") is not None and "Ticked by" in read(answer), "it is kept"
    sent = browser_client.post(odd, data=form_of(answer.text) | {"tick": [second]})
    assert sent.status_code == 303 and stored().state is BroadcastState.SCHEDULED


def test_a_tick_is_kept_as_it_is_made_and_can_be_taken_back(browser_client, odd, stored):
    first, _ = ticks_of(browser_client.get(odd).text)
    headers = {"HX-Request": "true"}
    answer = browser_client.post(f"{odd}tick", data={"fingerprint": first, "tick": first}, headers=headers)
    assert "1 thing to weigh wants a tick first" in read(answer).text("#to-tick")
    assert read(browser_client.get(odd)).at(f"#tick-{first}").get("checked") is not None
    answer = browser_client.post(f"{odd}tick", data={"fingerprint": first}, headers=headers)
    assert "2 things to weigh want a tick first" in read(answer).text("#to-tick")
    browser_client.post(f"{odd}tick", data={"fingerprint": "0" * 16, "tick": "0" * 16}, headers=headers)
    assert read(browser_client.get(odd)).at(f"#tick-{first}").get("checked") is None


def test_each_finding_says_why_and_leads_to_its_place(browser_client, odd):
    page = read(browser_client.get(odd))
    part = page.at(f"#finding-{ticks_of(page.markup)[0]}")
    assert part.at("a[@class='finding-place']")["href"].endswith("/content/#subject") or part.words
    assert "It belongs to nobody" in page and page.has("a[contains(@href, '/content/#html')]")
    assert "There is no preheader." in page and not page.has("input[@name='tick'][contains(@aria-label, 'preheader')]")


@pytest.mark.parametrize("step", ["audience", "content", "schedule", "review"])
def test_looking_at_a_step_of_a_scheduled_one_leads_to_its_page_and_stops_nothing(
    browser_client, sqlite_session, draft, stored, step
):
    draft.state = BroadcastState.SCHEDULED
    sqlite_session.commit()
    answer = browser_client.get(f"/mass-mail/{draft.id}/{step}/")
    assert answer.location == f"/mass-mail/{draft.id}/"
    assert stored().state is BroadcastState.SCHEDULED


def test_the_audience_is_not_complete_while_nobody_would_get_it(browser_client, sqlite_session, draft):
    url = f"/mass-mail/{draft.id}/review/"
    done = {step.get("href").split("/")[3] for step in read(browser_client.get(url)).all("a[@data-done]")}
    assert done == {"audience", "content"}, "nobody has been at the schedule"
    draft.schedule_seen = True
    sqlite_session.commit()
    done = {step.get("href").split("/")[3] for step in read(browser_client.get(url)).all("a[@data-done]")}
    assert done == {"audience", "content", "schedule"}
    draft.audience_filter = {"countries": ["FR"]}
    sqlite_session.commit()
    done = {step.get("href").split("/")[3] for step in read(browser_client.get(url)).all("a[@data-done]")}
    assert done == {"content", "schedule"}


def test_for_nobody_no_end_is_foretold(browser_client, sqlite_session, draft):
    assert "<dt>Ends</dt>" in browser_client.get(f"/mass-mail/{draft.id}/review/").text
    draft.audience_filter = {"countries": ["FR"]}
    sqlite_session.commit()
    assert "<dt>Ends</dt>" not in browser_client.get(f"/mass-mail/{draft.id}/review/").text
