"""The filter page, its fragments and the list of recipients, with htmx and without JavaScript."""

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import audience, broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client, Product, Service

HTMX = {"HX-Request": "true"}


class Page:
    """A draft with its audience page open in a browser: what it would send, and what it gets back."""

    def __init__(self, browser: FlaskClient, session: Session, message_type: MessageType = MessageType.GENERAL):
        self.browser, self.session = browser, session
        self.draft = factories.broadcast(session, message_type=message_type, name="News")
        session.commit()
        self.url = f"/mass-mail/{self.draft.id}/audience/"
        self.base = ""
        self.reload()

    def reload(self, url: str = "") -> str:
        answer = self.browser.get(url or self.url)
        assert answer.status_code == 200, answer.status
        self._read(answer.text)
        return answer.text

    def choose(self, htmx: bool = True, **values):
        """Send the form with these choices."""
        data = {"base": self.base, "message_type": self.stored().message_type.value} | values
        answer = self.browser.post(self.url, data=data, headers=HTMX if htmx else {})
        self._read(answer.text)
        return answer

    def stored(self) -> Broadcast:
        self.session.rollback()
        self.session.expire_all()
        return broadcasts.get(self.session, self.draft.id)

    def picks(self) -> dict[int, PickKind]:
        self.session.rollback()
        return audience.picks_of(self.session, self.draft.id)

    def _read(self, text: str) -> None:
        found = re.search(r'id="audience-base" value="(\w+)"', text)
        self.base = found.group(1) if found else self.base


@pytest.fixture
def opened(browser_client: FlaskClient, sqlite_session: Session) -> Page:
    return Page(browser_client, sqlite_session)


@pytest.fixture
def clients(sqlite_session: Session) -> list[Client]:
    made = [
        factories.client(
            sqlite_session, first_name="Jana", last_name="Nováková", country="CZ", search_text="jana novakova"
        ),
        factories.client(sqlite_session, country="DE"),
        factories.client(sqlite_session, None, country="DE", last_name="Silent"),
        factories.client(sqlite_session, country="AT", status=ClientStatus.FREEZE),
    ]
    sqlite_session.commit()
    return made


def words(text: str) -> str:
    """The visible text of HTML, in one line."""
    text = re.sub(r"<(script|style|template).*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def fragment(text: str, id_: str) -> str:
    """The element with this id, out of a page or an answer, without what makes it swap itself in."""
    start = re.search(rf'<(\w+)[^>]*\bid="{id_}"', text)
    assert start, f"no {id_}"
    depth, tag = 0, start.group(1)
    if tag == "input":
        return re.sub(r' hx-swap-oob="[^"]*"', "", text[start.start() : text.index(">", start.end())])
    for hit in re.finditer(rf"<(/?){tag}\b", text[start.start() :]):
        depth += -1 if hit.group(1) else 1
        if depth == 0:
            found = text[start.start() : start.start() + hit.end() + 1]
            return re.sub(r' hx-swap-oob="[^"]*"', "", found)
    raise AssertionError(f"{id_} is never closed")


def number(text: str, criterion: str, value: str) -> str:
    return words(fragment(text, f"n-{criterion}-{value}"))


def test_a_choice_is_saved_at_once_and_all_that_follows_comes_back(opened: Page, clients: list[Client]):
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


def test_the_answer_and_the_fragment_are_what_the_page_includes(opened: Page, clients: list[Client]):
    answer = opened.choose(countries=["DE", "CZ"], client_statuses=["active"]).text
    whole = opened.reload()
    for id_ in (
        "recipient-count",
        "sample",
        "audience-base",
        "n-countries-DE",
        "n-client_statuses-freeze",
        "count-bar-number",
    ):
        assert fragment(answer, id_) == fragment(whole, id_), id_
    alone = opened.browser.get(f"{opened.url}recipient-count", headers=HTMX).text
    assert fragment(alone, "recipient-count") == fragment(whole, "recipient-count")
    assert 'value="DE" id="c-countries-DE" checked' in whole and 'id="c-countries-AT" checked' not in whole


def test_nothing_chosen_is_everybody(opened: Page, clients: list[Client]):
    opened.choose(countries=["DE"])
    answer = opened.choose()
    assert opened.stored().audience_filter == {}
    assert "All clients." in words(answer.text)


def test_without_javascript_the_form_saves_and_goes_on(opened: Page, clients: list[Client]):
    answer = opened.choose(htmx=False, countries=["DE"], stay="1")
    assert answer.status_code == 303 and answer.location.endswith(opened.url)
    assert "The audience is saved." in words(opened.reload())
    answer = opened.choose(htmx=False, countries=["DE", "AT"])
    assert answer.location.endswith(f"/mass-mail/{opened.draft.id}/content/")
    assert opened.stored().audience_filter == {"countries": ["DE", "AT"]}


def test_saving_what_is_stored_already_changes_nothing(opened: Page, clients: list[Client]):
    opened.choose(countries=["DE"])
    version, opened.base = opened.stored().version, "what another tab has"
    assert opened.choose(htmx=False, countries=["DE"]).status_code == 303
    assert opened.stored().version == version


@pytest.mark.parametrize("htmx", [True, False])
def test_a_second_tab_is_told_and_loses_nothing(opened: Page, clients: list[Client], htmx: bool):
    old = opened.base
    opened.choose(countries=["DE"])
    opened.base = old
    answer = opened.choose(htmx=htmx, countries=["AT"])
    assert answer.status_code == (422 if htmx else 409)
    said = words(answer.text)
    assert "Somebody else has changed this audience" in said
    assert "Stored is now: General Clients in Germany." in said.replace("General.", "General")
    assert "Clients in Austria." in said, "the numbers are those of the choices on this page"
    assert opened.stored().audience_filter == {"countries": ["DE"]}
    if not htmx:
        assert 'id="c-countries-AT" checked' in answer.text
    keep = re.search(r'name="keep_mine" value="(\w+)"', answer.text)
    assert keep
    answer = opened.choose(htmx=False, countries=["AT"], keep_mine=keep.group(1))
    assert answer.status_code == 303 and answer.location.endswith(opened.url)
    assert opened.stored().audience_filter == {"countries": ["AT"]}


def test_keeping_mine_does_not_overwrite_a_third_version(opened: Page, clients: list[Client]):
    old = opened.base
    opened.choose(countries=["DE"])
    opened.base = old
    keep = re.search(r'name="keep_mine" value="(\w+)"', opened.choose(countries=["AT"]).text)
    assert keep
    opened.reload()
    opened.choose(countries=["CZ"])
    opened.base = old
    assert opened.choose(htmx=False, countries=["AT"], keep_mine=keep.group(1)).status_code == 409
    assert opened.stored().audience_filter == {"countries": ["CZ"]}


def test_a_change_elsewhere_in_the_draft_is_no_conflict(opened: Page, clients: list[Client]):
    stored = opened.stored()
    broadcasts.edit(opened.session, stored.id, stored.version, {"name": "Other news"}, factories.NOW)
    opened.session.commit()
    assert opened.choose(countries=["DE"]).status_code == 200
    assert opened.stored().audience_filter == {"countries": ["DE"]} and opened.stored().name == "Other news"


def test_a_value_that_cannot_be_is_refused(opened: Page):
    answer = opened.choose(client_statuses=["lost"])
    assert answer.status_code == 422 and "not one that exists" in words(answer.text)
    assert opened.stored().audience_filter == {}


def test_another_message_type_keeps_what_applies_and_brings_the_rest_back(
    browser_client: FlaskClient, sqlite_session: Session, clients: list[Client]
):
    vps = factories.product(sqlite_session, "VPS-2")
    factories.service(sqlite_session, clients[1], vps)
    page = Page(browser_client, sqlite_session, MessageType.SERVICES)
    answer = page.choose(htmx=False, countries=["DE"], products=[vps.id], service_statuses=["active"], switch="general")
    assert answer.status_code == 303 and answer.location.endswith(page.url)
    said = words(page.reload())
    assert "Your choices of product or service and service status are set aside." in said
    assert (
        "Clients in Germany." in said
        and "Service status" not in said.split("Will receive")[0].split("Client status")[1]
    )
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
    page = Page(browser_client, sqlite_session, MessageType.SERVICES)
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


def test_a_long_criterion_has_its_most_frequent_choices_at_once_and_the_others_in_a_list(opened: Page):
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
    assert text.index("c-countries-IT") < text.index("c-countries-AT")


def test_does_this_client_get_it(opened: Page, clients: list[Client]):
    opened.choose(countries=["DE"])
    answer = opened.browser.get(f"{opened.url}explain?q=nováková", headers=HTMX).text
    assert "No Jana Nováková" in words(answer) and "Country is Czechia, not Germany." in words(answer)
    whole = opened.reload(f"{opened.url}explain?q=nováková")
    assert fragment(whole, "explain") == fragment(answer, "explain")
    answer = opened.browser.get(f"{opened.url}explain?q=nobody-at-all", headers=HTMX).text
    assert "No client has “nobody-at-all”" in words(answer)
    assert words(opened.browser.get(f"{opened.url}explain?q=", headers=HTMX).text) == ""


def test_each_term_of_the_sum_links_to_its_list(opened: Page, clients: list[Client]):
    text = opened.choose(countries=["DE"]).text
    url = re.search(r'href="([^"]+)">no usable address', text)
    assert url
    listed = words(opened.browser.get(html.unescape(url.group(1))).text)
    assert "Silent" in listed and "No: no address" in listed and "1–1 of 1 client" in listed
    listed = words(opened.browser.get(f"{opened.url}recipients").text)
    assert "Silent" not in listed and clients[1].last_name in listed


def test_the_list_is_searched_without_the_rest_of_the_page(opened: Page, clients: list[Client]):
    url = f"{opened.url}recipients?q=novak"
    answer = opened.browser.get(url, headers=HTMX | {"HX-Target": "recipients"}).text
    assert "Jana Nováková" in words(answer) and "<html" not in answer
    assert fragment(answer, "recipients") == fragment(opened.browser.get(url).text, "recipients")
    assert "Nobody here is called that" in words(opened.browser.get(f"{opened.url}recipients?q=zzz").text)


def test_a_client_is_left_out_and_put_back(opened: Page, clients: list[Client]):
    out = {"client_id": clients[1].id, "kind": "left_out", "place": "list", "back": "q=a"}
    answer = opened.browser.post(f"{opened.url}pick", data=out, headers=HTMX)
    assert (
        answer.status_code == 200 and "No: left out by hand" in words(answer.text) and "Put back" in words(answer.text)
    )
    assert "Will receive 2" in words(fragment(answer.text, "recipient-tabs"))
    assert opened.picks() == {clients[1].id: PickKind.LEFT_OUT}
    back = opened.browser.post(f"{opened.url}pick", data=out | {"kind": ""})
    assert back.status_code == 303 and back.location.endswith("/recipients?q=a")
    assert opened.picks() == {}


def test_somebody_beyond_the_filter_is_found_and_added(opened: Page, clients: list[Client]):
    opened.choose(countries=["DE"])
    found = opened.browser.get(f"{opened.url}candidates?add=novakova", headers=HTMX).text
    assert "Jana Nováková" in words(found) and "Not in the filter" in words(found)
    whole = opened.browser.get(f"{opened.url}recipients?add=novakova").text
    assert words(fragment(found, "candidates")) == words(fragment(whole, "candidates"))
    add = {"client_id": clients[0].id, "kind": "added", "place": "add"}
    answer = opened.browser.post(f"{opened.url}pick", data=add, headers=HTMX)
    assert "Yes, added by hand" in words(answer.text) and "Take off" in words(answer.text)
    assert "added by hand + 1" in words(opened.reload())


def test_a_pick_of_nobody_or_of_nothing_is_refused(opened: Page, clients: list[Client]):
    for data in ({"client_id": "999999", "kind": "added"}, {"client_id": clients[0].id, "kind": "loved"}, {}):
        answer = opened.browser.post(f"{opened.url}pick", data=data, headers=HTMX)
        assert answer.status_code in (404, 422), data
    assert opened.picks() == {}


def test_any_change_makes_a_scheduled_mass_mail_a_draft_again(opened: Page, clients: list[Client]):
    for change in (
        lambda: opened.choose(countries=["DE"]),
        lambda: opened.browser.post(f"{opened.url}pick", data={"client_id": clients[0].id, "kind": "left_out"}),
    ):
        broadcasts.schedule(opened.session, opened.draft.id, None, factories.NOW)
        opened.session.commit()
        assert "Any change takes it off the calendar" in words(opened.reload())
        change()
        assert opened.stored().state is BroadcastState.DRAFT


def test_once_it_is_sending_nothing_can_be_changed(opened: Page, clients: list[Client]):
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
    opened: Page, clients: list[Client], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audience, "is_warm", lambda _session: False)
    cold = opened.browser.get(opened.url).text
    assert f'hx-get="{opened.url}?counted=1"' in cold and "Reading your clients" in words(cold)
    assert "Will receive 3" in words(opened.browser.get(f"{opened.url}?counted=1").text)


def test_a_mass_mail_that_does_not_exist_is_not_found(browser_client: FlaskClient):
    for path in ("", "recipient-count", "recipients", "candidates", "explain"):
        assert browser_client.get(f"/mass-mail/999/audience/{path}").status_code == 404
