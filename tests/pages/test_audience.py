"""The filter page and its fragments, with htmx and without JavaScript."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.audience_page import HTMX, AudiencePage, fragment, number, some_clients, words
from tests.pages.page import read
from webapp.core import audience, broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.clients import Client, Product, Service


@pytest.fixture
def opened(browser_client: FlaskClient, sqlite_session: Session) -> AudiencePage:
    return AudiencePage(browser_client, sqlite_session)


@pytest.fixture
def clients(sqlite_session: Session) -> list[Client]:
    return some_clients(sqlite_session)


def test_a_choice_is_saved_at_once_and_all_that_follows_comes_back(opened: AudiencePage, clients: list[Client]):
    before = opened.stored()
    version = before.version
    answer = opened.choose(countries=["DE", "AT"])
    assert answer.status_code == 200
    stored = opened.stored()
    assert stored.audience_filter == {"countries": ["DE", "AT"]} and stored.version == version + 1
    assert "Will receive 2" in words(answer.text)
    assert "no usable address − 1" in words(answer.text)
    assert "Clients in Germany or Austria." in words(answer.text)
    assert number(answer.text, "client_statuses", "freeze") == "1"
    assert number(answer.text, "countries", "CZ") == "1", "its own choice does not shrink a criterion's numbers"
    assert "2 clients will receive it." in words(answer.text)
    assert f'class="draft-version" value="{stored.version}"' in answer.text
    assert "Saved" in words(fragment(answer.text, "draft-saved"))


def test_the_answer_and_the_fragment_are_what_the_page_includes(opened: AudiencePage, clients: list[Client]):
    answer = opened.choose(countries=["DE", "CZ"], client_statuses=["active"]).text
    whole = opened.reload()
    for id_ in (
        "recipient-count",
        "sample",
        "makeup",
        "step-base",
        "n-countries-DE",
        "n-client_statuses-freeze",
        "foot-number",
    ):
        assert fragment(answer, id_) == fragment(whole, id_), id_
    alone = opened.browser.get(f"{opened.url}recipient-count", headers=HTMX).text
    assert fragment(alone, "recipient-count") == fragment(whole, "recipient-count")
    assert 'value="DE" id="c-countries-DE" checked' in whole and 'id="c-countries-AT" checked' not in whole


def test_nothing_chosen_is_everybody(opened: AudiencePage, clients: list[Client]):
    opened.choose(countries=["DE"])
    answer = opened.choose()
    assert opened.stored().audience_filter == {}
    assert "All clients." in words(answer.text)


def test_without_javascript_the_form_saves_and_goes_on(opened: AudiencePage, clients: list[Client]):
    answer = opened.choose(htmx=False, countries=["DE"], stay="1")
    assert answer.status_code == 303 and answer.location.endswith(opened.url)
    assert "The audience is saved." in words(opened.reload())
    answer = opened.choose(htmx=False, countries=["DE", "AT"])
    assert answer.location.endswith(f"/mass-mail/{opened.draft.id}/content/")
    assert opened.stored().audience_filter == {"countries": ["DE", "AT"]}


def test_saving_what_is_stored_already_changes_nothing(opened: AudiencePage, clients: list[Client]):
    opened.choose(countries=["DE"])
    version, opened.base = opened.stored().version, "what another tab has"
    assert opened.choose(htmx=False, countries=["DE"]).status_code == 303
    assert opened.stored().version == version


@pytest.mark.parametrize("htmx", [True, False])
def test_a_second_tab_is_told_and_loses_nothing(opened: AudiencePage, clients: list[Client], htmx: bool):
    old = opened.base
    opened.choose(countries=["DE"])
    opened.base = old
    answer = opened.choose(htmx=htmx, countries=["AT"])
    assert answer.status_code == 409
    said = words(answer.text)
    assert "You changed this audience in another tab" in said
    assert "In force Yours Recipients Clients in Germany. Clients in Austria. Keep mine" in said
    assert "Will receive 1" in said, "the numbers are those of the choices on this page"
    assert opened.stored().audience_filter == {"countries": ["DE"]}
    if not htmx:
        assert 'id="c-countries-AT" checked' in answer.text
    keep = read(answer).value("keep_mine")
    answer = opened.choose(htmx=False, countries=["AT"], keep_mine=keep)
    assert answer.status_code == 303 and answer.location.endswith(opened.url)
    assert opened.stored().audience_filter == {"countries": ["AT"]}


@pytest.mark.parametrize(("lost", "is_own"), [("countries=DE", True), ("countries=CZ", False), ("", False)])
def test_what_a_request_without_an_answer_has_stored_is_no_conflict_for_the_next(
    opened: AudiencePage, clients: list[Client], lost: str, is_own: bool
):
    old = opened.base
    opened.choose(countries=["DE"])
    opened.base = old
    opened.choose(countries=["AT"], lost=lost and f"message_type=general&{lost}")
    assert opened.stored().audience_filter == {"countries": ["AT" if is_own else "DE"]}


def test_keeping_mine_does_not_overwrite_a_third_version(opened: AudiencePage, clients: list[Client]):
    old = opened.base
    opened.choose(countries=["DE"])
    opened.base = old
    keep = read(opened.choose(countries=["AT"])).value("keep_mine")
    opened.reload()
    opened.choose(countries=["CZ"])
    opened.base = old
    assert opened.choose(htmx=False, countries=["AT"], keep_mine=keep).status_code == 409
    assert opened.stored().audience_filter == {"countries": ["CZ"]}


def test_a_change_elsewhere_in_the_draft_is_no_conflict(opened: AudiencePage, clients: list[Client]):
    stored = opened.stored()
    broadcasts.edit(opened.session, stored.id, stored.version, {"name": "Other news"}, factories.NOW)
    opened.session.commit()
    assert opened.choose(countries=["DE"]).status_code == 200
    assert opened.stored().audience_filter == {"countries": ["DE"]} and opened.stored().name == "Other news"


def test_a_value_that_cannot_be_is_refused(opened: AudiencePage):
    answer = opened.choose(client_statuses=["lost"])
    assert answer.status_code == 422 and "not one that exists" in words(answer.text)
    assert opened.stored().audience_filter == {}


def test_another_message_type_keeps_what_applies_and_brings_the_rest_back(
    browser_client: FlaskClient, sqlite_session: Session, clients: list[Client]
):
    vps = factories.product(sqlite_session, "VPS-2")
    factories.service(sqlite_session, clients[1], vps)
    page = AudiencePage(browser_client, sqlite_session, MessageType.SERVICES)
    answer = page.choose(htmx=False, countries=["DE"], products=[vps.id], service_statuses=["active"], switch="general")
    assert answer.status_code == 303 and answer.location.endswith(page.url)
    opened = read(page.reload())
    assert "Your choices of product or service and service status are set aside." in opened
    assert "Clients in Germany." in opened and not opened.has("input[@name='service_statuses']")
    assert page.stored().message_type is MessageType.GENERAL
    page.choose(htmx=False, countries=["DE", "AT"], switch="services")
    assert page.stored().message_type is MessageType.SERVICES
    chosen = audience.audience_of(page.stored()).filter
    assert chosen.products == (vps.id,) and chosen.service_statuses == (HoldingStatus.ACTIVE,)
    assert chosen.countries == ("DE", "AT")


def test_services_show_products_by_group_and_the_service_taken(
    browser_client: FlaskClient, sqlite_session: Session, clients: list[Client]
):
    vps = factories.product(sqlite_session, "VPS-2", "Cloud Servers")
    factories.service(sqlite_session, clients[1], vps, domain="x.example.net")
    page = AudiencePage(browser_client, sqlite_session, MessageType.SERVICES)
    said = words(page.reload())
    assert "Cloud Servers › VPS-2 1" in said
    assert "VPS-2 · due 23 Dec 2026 x.example.net" in said
    gone = vps.id
    sqlite_session.execute(delete(Service))
    sqlite_session.execute(delete(Product))
    sqlite_session.commit()
    said = words(page.choose(products=[gone]).text)
    assert "Clients that have a product that no longer exists." in said and "No client matches." in said
    assert "A product that no longer exists 0" in words(page.reload()), "and can be taken back"


def test_a_long_criterion_has_its_most_frequent_choices_at_once_and_the_others_in_a_list(opened: AudiencePage):
    codes = ["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IT"]
    for place, code in enumerate(codes):
        for _ in range(12 - place):
            factories.client(opened.session, country=code)
    opened.session.commit()
    text = opened.reload()
    picker = fragment(text, "more-countries")
    assert "Greece" in picker and "Italy" in picker and "Austria" not in picker
    assert 'popovertarget="more-countries"' in text and "add a country" in words(text)
    opened.choose(countries=["IT"])
    text = opened.reload()
    assert "Italy" not in fragment(text, "more-countries"), "what is chosen stands among the chips"
    chips = [chip["value"] for chip in read(text).all("input[@name='countries']")]
    assert chips.index("IT") < chips.index("AT")


def test_no_change_stops_a_schedule_unasked_and_the_list_can_be_looked_at(opened: AudiencePage, clients: list[Client]):
    broadcasts.schedule(opened.session, opened.draft.id, None, factories.NOW)
    opened.session.commit()
    for change in (
        lambda: opened.choose(countries=["DE"]),
        lambda: opened.browser.post(f"{opened.url}pick", data={"client_id": clients[0].id, "kind": "left_out"}),
    ):
        answer = change()
        assert answer.status_code == 409 and "scheduled" in words(answer.text)
        assert opened.stored().state is BroadcastState.SCHEDULED
    recipients = opened.browser.get(f"{opened.url}recipients").text
    assert "only to look at" in words(recipients) and "Leave out" not in recipients


def test_once_it_is_sending_nothing_can_be_changed(opened: AudiencePage, clients: list[Client]):
    stored = opened.stored()
    stored.state = BroadcastState.SCHEDULED
    opened.session.flush()
    stored.state = BroadcastState.SENDING
    opened.session.commit()
    assert opened.browser.get(opened.url).location.endswith(f"/mass-mail/{opened.draft.id}/")
    assert opened.choose(countries=["DE"]).status_code == 409
    pick = opened.browser.post(f"{opened.url}pick", data={"client_id": clients[0].id, "kind": "left_out"}, headers=HTMX)
    assert pick.status_code == 409
    assert opened.stored().audience_filter == {} and not opened.picks()


def test_a_large_database_is_read_behind_a_page_that_stands_at_once(
    opened: AudiencePage, clients: list[Client], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audience, "is_warm", lambda _session: False)
    cold = opened.browser.get(opened.url).text
    assert f'hx-get="{opened.url}?counted=1"' in cold and "Reading your clients" in words(cold)
    assert "Will receive 3" in words(opened.browser.get(f"{opened.url}?counted=1").text)


def test_a_mass_mail_that_does_not_exist_is_not_found(browser_client: FlaskClient):
    for path in ("", "recipient-count", "recipients", "candidates", "explain"):
        assert browser_client.get(f"/mass-mail/999/audience/{path}").status_code == 404


def test_without_any_clients_it_says_where_they_come_from(opened: AudiencePage):
    page = opened.reload()
    assert "There are no clients yet. Import clients" in words(page) and "Take a choice back" not in words(page)


def test_where_no_client_matches_it_says_to_take_a_choice_back(opened: AudiencePage, clients: list[Client]):
    assert "No client matches. Take a choice back." in words(opened.choose(countries=["DE"], languages=["ja"]).text)
