"""Audience, message and schedule are saved alike: two tabs at one field are told of each other, two at different steps are not."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import factories
from tests.pages.page import read
from webapp.core import broadcasts
from webapp.core.broadcasts.steps import Step
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import SignIn
from webapp.pages.broadcasts.saving import SHOWN, different

HTMX = {"HX-Request": "true"}
SENDER = "Example Hosting <support@example.com>"
FIELDS: dict[Step, dict[str, Any]] = {
    Step.AUDIENCE: {"message_type": "general"},
    Step.CONTENT: {"from_address": SENDER, "reply_to": "", "subject": "News", "html": "<p>Hello</p>"},
    Step.SCHEDULE: {
        "when": "now", "time_zone": "UTC", "batch_size": "25", "interval_s": "30", "uncertain_policy": "hold",
    },
}  # fmt: skip
SAME_FIELD = [
    (Step.AUDIENCE, {"countries": ["DE"]}, {"countries": ["AT"]}, ("Recipients", "Clients in Germany.", "Clients in Austria.")),
    (Step.CONTENT, {"subject": "Theirs"}, {"subject": "Mine"}, ("Subject", "Theirs", "Mine")),
    (Step.CONTENT, {"html": "<p>Good day</p>"}, {"html": "<p>Hi</p>"}, ("Body", "Good day", "Hi")),
    (Step.CONTENT, {"html": "<p><b>Hello</b></p>"}, {"html": "<h1>Hello</h1>"}, ("Body", "<p><b>Hello</b></p>", "<h1>Hello</h1>")),
    (Step.CONTENT, {"own_text": "1", "text": "By hand"}, {"subject": "Mine"}, ("Plain text part", "By hand", "made from the body")),
    (Step.CONTENT, {"reply_to": "a@example.com"}, {"subject": "Mine"}, ("Reply-To", "a@example.com", "nothing")),
    (Step.SCHEDULE, {"batch_size": "7"}, {"batch_size": "9"}, ("Pace", "7 every 30 s", "9 every 30 s")),
    (Step.SCHEDULE, {"uncertain_policy": "retry"}, {"batch_size": "9"}, ("No answer", "Send it again", "Hold it")),
    (
        Step.SCHEDULE,
        {"when": "later", "date": "2036-07-01", "time": "09:00", "time_zone": "Europe/Berlin"},
        {"batch_size": "9"},
        ("Starts", "Tuesday 1 July 2036, 09:00 in Berlin (UTC+2)", "as soon as you confirm"),
    ),
]  # fmt: skip
OTHER_STEP = [(mine, theirs) for mine in Step for theirs in Step if mine is not theirs]


class Tab:
    """A step's page in one tab of a browser. `save` changes fields and sends the form, and takes over the base that comes back."""

    def __init__(self, browser: FlaskClient, draft_id: int, step: Step):
        self.browser, self.url = browser, f"/mass-mail/{draft_id}/{step.value}/"
        self.fields = dict(FIELDS[step])
        self._read(browser.get(self.url).text)

    def save(self, headers: dict[str, str] = HTMX, **changes: Any) -> TestResponse:
        self.fields |= changes
        answer = self.browser.post(self.url, data=self.fields, headers=headers)
        self._read(answer.text)
        return answer

    def _read(self, text: str) -> None:
        found = read(text).all("#step-base")
        if found:
            self.fields["base"] = found[0]["value"]


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    for country in ("DE", "AT"):
        factories.client(sqlite_session, country=country)
    row = factories.broadcast(sqlite_session, subject="News", html="<p>Hello</p>")
    sqlite_session.commit()
    return row


@pytest.fixture
def open_tab(browser_client: FlaskClient, draft: Broadcast) -> Callable[[Step], Tab]:
    return lambda step: Tab(browser_client, draft.id, step)


@pytest.fixture
def version(sqlite_session: Session, draft: Broadcast) -> Callable[[], int]:
    def of_draft() -> int:
        sqlite_session.rollback()
        sqlite_session.refresh(draft)
        return draft.version

    return of_draft


def told(text: str) -> list[tuple[str, str, str]]:
    """The table of a conflict: label, what is in force, what was typed."""
    return [(row[0], row[1], row[2]) for row in read(text).rows("table[.//th[.='In force']]")]


@pytest.mark.parametrize("headers", [HTMX, {}])
@pytest.mark.parametrize(("step", "theirs", "mine", "row"), SAME_FIELD)
def test_a_second_tab_is_told_what_is_in_force_beside_what_was_typed(
    open_tab, version, step, theirs, mine, row, headers
):
    one, other = open_tab(step), open_tab(step)
    assert other.save(**theirs).status_code == 200
    before = version()
    answer = one.save(headers, **mine)
    assert answer.status_code == 409
    assert "You changed this" in answer.text and "is not saved" in answer.text
    assert row in told(answer.text)
    assert version() == before
    if headers:
        assert answer.headers["HX-Retarget"] == "#conflict" and "<html" not in answer.text
    keep = read(answer).at("*[@name='keep_mine']")
    assert read(one.browser.get(one.url)).has(f"#{keep['form']}")
    kept = one.save({}, keep_mine=keep["value"])
    assert kept.status_code == 303 and kept.location == one.url
    assert version() == before + 1


@pytest.mark.parametrize(("step", "other_step"), OTHER_STEP)
def test_another_tab_at_another_step_is_no_conflict(open_tab, version, step, other_step):
    theirs = next(values for of, values, _, _ in SAME_FIELD if of is other_step)
    mine = next(values for of, _, values, _ in SAME_FIELD if of is step)
    one, other = open_tab(step), open_tab(other_step)
    assert other.save(**theirs).status_code == 200
    assert one.save(**mine).status_code == 200
    assert version() == 3


@pytest.mark.parametrize("step", Step)
def test_one_tab_goes_on_from_what_it_has_saved(open_tab, version, step):
    _, first, second, _ = next(case for case in SAME_FIELD if case[0] is step)
    tab = open_tab(step)
    answers = [tab.save(**values) for values in (first, second, first)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all('<div hx-swap-oob="innerHTML:#conflict"></div>' in answer.text for answer in answers)
    assert version() == 4


@pytest.mark.parametrize("step", Step)
def test_keeping_mine_goes_over_no_third_version(open_tab, step):
    case = next(case for case in SAME_FIELD if case[0] is step)
    third = {
        Step.AUDIENCE: {"countries": ["CZ"]},
        Step.CONTENT: {"subject": "Third"},
        Step.SCHEDULE: {"batch_size": "3"},
    }
    one, other = open_tab(step), open_tab(step)
    other.save(**case[1])
    keep = read(one.save(**case[2])).value("keep_mine")
    assert other.save(**third[step]).status_code == 200
    assert one.save(keep_mine=keep).status_code == 409


@pytest.mark.parametrize("step", Step)
def test_what_is_scheduled_meanwhile_is_told_and_stays(open_tab, version, sqlite_session, draft, step):
    mine = next(values for of, _, values, _ in SAME_FIELD if of is step)
    tab = open_tab(step)
    broadcasts.schedule(sqlite_session, draft.id, None, factories.NOW)
    sqlite_session.commit()
    answer = tab.save(**mine)
    assert answer.status_code == 409 and "press Edit on its page" in answer.text and "keep_mine" not in answer.text
    answer = tab.save({})
    assert answer.status_code == 409 and "it is scheduled. What you typed is not saved." in answer.text
    assert version() == 1


@pytest.mark.parametrize("step", Step)
def test_a_form_that_names_nothing_it_started_from_goes_over_nothing(open_tab, version, step):
    mine = next(values for of, _, values, _ in SAME_FIELD if of is step)
    assert open_tab(step).save({}, **mine | {"base": ""}).status_code == 409
    assert version() == 1


@pytest.mark.parametrize("step", Step)
def test_who_is_signed_out_meanwhile_is_asked_and_nothing_is_saved(open_tab, version, sqlite_session, step):
    mine = next(values for of, _, values, _ in SAME_FIELD if of is step)
    tab = open_tab(step)
    sqlite_session.execute(delete(SignIn))
    sqlite_session.commit()
    assert tab.save(**mine).status_code == 401
    assert tab.save({"Sec-Fetch-Site": "same-origin"}).status_code == 401
    assert version() == 1


def test_of_long_texts_the_part_that_differs_is_shown():
    [found] = different("Body", f"{'a ' * 500}theirs{' b' * 500}", f"{'a ' * 500}mine{' b' * 500}")
    assert found.theirs.startswith("…a a") and "theirs" in found.theirs and found.theirs.endswith("…")
    assert "mine" in found.mine and len(found.mine) == SHOWN + 2
    [found] = different("Subject", "News", "News of today")
    assert (found.theirs, found.mine) == ("News", "News of today")
    assert different("Subject", "News", "News") == []
