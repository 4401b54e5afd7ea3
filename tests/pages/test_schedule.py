"""The schedule step: what is chosen is saved as it is chosen, judged in the chosen zone, and foretold."""

import re
from urllib.parse import urlencode

import pytest

from tests import factories
from tests.pages.page import read
from webapp.core import broadcasts
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Step
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy

HTMX = {"HX-Request": "true"}
NOW_FORM = {"when": "now", "time_zone": "UTC", "batch_size": "25", "interval_s": "30", "uncertain_policy": "hold"}
LATER = {"when": "later", "date": "2036-07-01", "time": "09:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def draft(sqlite_session) -> Broadcast:
    for _ in range(3):
        factories.client(sqlite_session)
    broadcast = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    return broadcast


class Tab:
    """The page as a browser holds it, which knows what it started from. Called, it sends its form as htmx does, or as a browser without
    JavaScript, and takes over what the answer says."""

    def __init__(self, browser_client, draft):
        self.browser, self.url = browser_client, f"/mass-mail/{draft.id}/schedule/"
        self.opened = self.base = steps.digest(draft, Step.SCHEDULE)

    def __call__(self, htmx=True, **fields):
        data = NOW_FORM | {"base": self.base} | fields
        answer = self.browser.post(self.url, data=data, headers=HTMX if htmx else {})
        found = read(answer).all("#step-base")
        self.base = found[0]["value"] if found else self.base
        return answer


@pytest.fixture
def save(browser_client, draft):
    return Tab(browser_client, draft)


@pytest.fixture
def stored(sqlite_session, draft):
    def fresh() -> Broadcast:
        sqlite_session.rollback()
        sqlite_session.refresh(draft)
        return draft

    return fresh


def test_the_page_shows_the_default_pace_in_plain_words_and_the_forecast(browser_client, draft):
    page = browser_client.get(f"/mass-mail/{draft.id}/schedule/").text
    assert 'value="25"' in page and 'value="30"' in page
    assert "About 50 a minute, 3,000 an hour." in page
    assert '<span class="figure">3</span> mails' in page and "from <b>now</b> to about" in page
    assert "Europe/Berlin" in page and "Berlin, Germany" in page


def test_a_date_and_time_in_a_zone_are_saved_at_once_and_what_is_stored_comes_back(save, stored):
    answer = save(**LATER)
    broadcast = stored()
    assert answer.status_code == 200 and save.base == steps.digest(broadcast, Step.SCHEDULE) != save.opened
    assert 'class="draft-version" value="2"' in answer.text
    assert (broadcast.start_wall, broadcast.time_zone) == ("2036-07-01T09:00", "Europe/Berlin")
    assert broadcast.starts_at is not None and broadcast.starts_at.isoformat() == "2036-07-01T07:00:00+00:00"
    assert "1 Jul 2036, 09:00" in answer.text and "in Berlin" in answer.text
    assert "For you that is from 1 Jul 2036, 07:00" in answer.text


def test_a_zone_may_be_typed_as_a_city(save, stored):
    save(**LATER | {"time_zone": "new york"})
    assert stored().time_zone == "America/New_York"


def test_saving_what_is_saved_changes_nothing(save, stored):
    save(**LATER)
    assert save(**LATER, base=save.opened).status_code == 200
    assert stored().version == 2


def test_going_back_to_now_forgets_the_start(save, stored):
    save(**LATER)
    save()
    assert (stored().start_wall, stored().starts_at) == (None, None)


def test_a_time_that_clocks_skip_is_refused_with_what_comes_instead(save, stored):
    answer = save(**LATER | {"date": "2036-03-30", "time": "02:30"})
    assert answer.status_code == 422
    assert "02:30 does not exist on 30 March 2036 in Berlin: clocks are put forward to 03:00." in answer.text
    assert "Fix what is marked" in answer.text
    assert stored().start_wall is None


def test_a_time_that_comes_twice_asks_which_and_takes_the_answer(save, stored):
    twice = LATER | {"date": "2036-10-26", "time": "02:30"}
    answer = save(**twice)
    assert "comes twice" in answer.text and "The first, UTC+2" in answer.text and "The second, UTC+1" in answer.text
    assert stored().starts_at.isoformat() == "2036-10-26T00:30:00+00:00"
    save(**twice, which="second")
    assert stored().starts_at.isoformat() == "2036-10-26T01:30:00+00:00"


def test_the_page_remembers_which_of_two_equal_times_was_chosen(save, stored, browser_client):
    save(**LATER | {"date": "2036-10-26", "time": "02:30", "which": "second"})
    page = browser_client.get(f"/mass-mail/{stored().id}/schedule/").text
    assert 'value="second" checked' in page and "The second one is taken, UTC+1." in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"date": "2020-01-01"}, "has passed"),
        ({"date": ""}, "Choose a date and a time."),
        ({"time": "x"}, "Choose a date and a time."),
        ({"time_zone": "Atlantis"}, "There is no time zone called “Atlantis”"),
        ({"time_zone": "Atlantis", "date": ""}, "There is no time zone called “Atlantis”"),
        ({"batch_size": "-1"}, "Use a whole number from 0"),
        ({"batch_size": "many"}, "Use a whole number from 0"),
        ({"interval_s": "0"}, "Use a whole number from 1"),
        ({"interval_s": ""}, "Use a whole number from 1"),
    ],
)
def test_what_cannot_be_used_is_said_beside_the_field_and_not_saved(save, stored, fields, words):
    answer = save(**LATER | fields)
    assert answer.status_code == 422 and words in answer.text
    assert stored().version == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"date": "2020-01-01", "batch_size": "x"}, "date"),
        ({"time_zone": "Atlantis"}, "time_zone"),
        ({"batch_size": "x"}, "batch_size"),
        ({"interval_s": "0"}, "interval_s"),
    ],
)
def test_the_page_that_comes_back_says_that_nothing_was_saved_and_puts_the_cursor_where_to_mend(
    save, draft, fields, place
):
    page = read(save(htmx=False, **LATER | fields))
    assert page.text("#draft-saved") == "Not saved"
    assert [field["name"] for field in page.all("*[@autofocus]")] == [place]


def test_the_page_that_is_looked_at_says_when_it_was_saved(browser_client, draft):
    page = browser_client.get(f"/mass-mail/{draft.id}/schedule/").text
    assert 'id="draft-saved">Saved ' in page and "autofocus" not in page


def test_without_javascript_the_form_comes_back_with_what_was_typed(save, stored):
    answer = save(htmx=False, **LATER | {"batch_size": "x"})
    assert answer.status_code == 422 and "<html" in answer.text
    assert 'value="2036-07-01"' in answer.text and 'value="x"' in answer.text
    assert "Use a whole number from 0" in answer.text


def test_without_javascript_a_good_form_leads_to_review(save, stored):
    answer = save(htmx=False, **LATER)
    assert answer.status_code == 303 and answer.location == f"/mass-mail/{stored().id}/review/"


def test_zero_mails_means_as_fast_as_the_relay_takes_them(save, stored):
    answer = save(batch_size="0")
    assert stored().batch_size == 0
    assert "As fast as the relay takes them." in answer.text and "to about" not in answer.text


def test_what_happens_without_an_answer_is_chosen_under_advanced(save, stored):
    save(uncertain_policy="retry")
    assert stored().uncertain_policy is UncertainPolicy.RETRY


def test_what_is_to_be_mended_does_not_take_over_what_somebody_else_has_stored(save, stored, sqlite_session, draft):
    broadcasts.edit(sqlite_session, draft.id, None, {"batch_size": 7}, factories.NOW)
    sqlite_session.commit()
    assert save(batch_size="x").status_code == 422
    assert save(htmx=False, batch_size="x").status_code == 422
    assert save.base == save.opened
    assert save(batch_size="9").status_code == 409
    assert stored().batch_size == 7


def test_what_a_request_without_an_answer_has_stored_is_no_conflict_for_the_next(save, stored):
    first = NOW_FORM | {"batch_size": "7"}
    save(**first)
    answer = save(**LATER, base=save.opened, lost=urlencode(first))
    assert answer.status_code == 200 and stored().start_wall is not None


@pytest.mark.parametrize("lost", [{"batch_size": "7"}, {"batch_size": "many"}])
def test_a_request_without_an_answer_does_not_go_over_what_somebody_else_has_stored(save, stored, lost):
    save(batch_size="9")
    answer = save(**LATER, base=save.opened, lost=urlencode(NOW_FORM | lost))
    assert answer.status_code == 409
    assert (stored().start_wall, stored().batch_size) == (None, 9)


def test_a_page_that_is_behind_does_not_stop_a_schedule_unasked(browser_client, save, stored, sqlite_session, draft):
    draft.state = BroadcastState.SCHEDULED
    sqlite_session.commit()
    answer = save(batch_size="10")
    assert answer.status_code == 409 and "press Edit on its page" in answer.text
    assert (stored().state, stored().batch_size) == (BroadcastState.SCHEDULED, 25)


def test_the_step_is_complete_once_somebody_has_been_there(browser_client, save, stored):
    ticked = re.compile(r'href="/mass-mail/\d+/schedule/"(?: aria-current="step")? data-done')
    page = f"/mass-mail/{stored().id}/schedule/"
    assert not ticked.search(browser_client.get(page).text)
    save({})
    assert ticked.search(browser_client.get(page).text)


def test_a_zone_goes_with_its_time(browser_client, save, stored, sqlite_session):
    save(**LATER | {"time_zone": "America/New_York"})
    assert stored().time_zone == "America/New_York"
    save(**NOW_FORM)
    assert (stored().start_wall, stored().time_zone) == (None, "UTC")
    assert "New York" not in browser_client.get(f"/mass-mail/{stored().id}/review/").text


def test_the_fragments_equal_what_the_page_holds(browser_client, save, stored):
    answer = save(batch_size="10").text
    page = browser_client.get(f"/mass-mail/{stored().id}/schedule/").text
    assert "About 20 a minute, 1,200 an hour." in answer
    assert "About 20 a minute, 1,200 an hour." in page
    forecast = read(answer).all("section")[0]
    same = read(page).at(f"#{forecast['id']}")
    assert without_clock(forecast.words) == without_clock(same.words)


def without_clock(html: str) -> str:
    """Two answers may have a minute between them."""
    return re.sub(r"\d\d:\d\d", "", html)
