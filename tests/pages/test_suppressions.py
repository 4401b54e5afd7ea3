"""Clients, Suppressions: the list, adding, lifting with its undo, the export and the import."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.pages.page import read
from webapp.adapters import list_round
from webapp.adapters.clock import now
from webapp.core.consent import settings, suppressions
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import SuppressionEntry
from webapp.core.tables.imports import Upload
from webapp.extensions import db
from webapp.pages.suppressions.forms import addresses_in

URL = "/clients/suppressions/"
HTMX = {"HX-Request": "true"}
K, S = SuppressionKind, SuppressionScope
ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def session(sqlite_session: Session) -> Session:
    return sqlite_session


def suppress(session: Session, *keys: str, kind: K = K.BY_HAND, **said) -> None:
    for key in keys:
        suppressions.suppress(session, key, kind, now(), **said)
    session.commit()


def kinds(session: Session, key: str = ADA) -> list[tuple[str, str]]:
    session.rollback()
    return [(row.kind.value, row.scope.value) for row in suppressions.holding(session, [key])]


def text(visitor: FlaskClient, url: str, **options) -> str:
    answer = visitor.get(url, **options)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_an_empty_list_says_what_it_is_for(browser_client: FlaskClient):
    page = text(browser_client, URL)
    assert "No address is suppressed" in page and "/clients/suppressions/import" in page


def test_the_list_shows_address_kind_scope_source_and_who(browser_client: FlaskClient, session: Session):
    client = factories.client(session, ADA)
    delivery = factories.delivery(session, factories.broadcast(session), client)
    suppress(session, ADA, kind=K.BOUNCED, source="smtp", evidence="550 no such user", delivery_id=delivery.id)
    suppress(session, BOB, source="console", reason="<b>called</b>", by="uma@example.org")
    page = text(browser_client, URL)
    for words in (ADA, "Bounced", "550 no such user", "Refused by the relay", f"/clients/{client.id}", BOB, "By hand"):
        assert words in page
    assert f"/mass-mail/{delivery.broadcast_id}/deliveries/{delivery.id}" in page
    assert "&lt;b&gt;called" in page and "by uma@example.org" in page


def test_it_is_searched_and_the_fragment_is_the_same(browser_client: FlaskClient, session: Session):
    suppress(session, ADA, BOB)
    suppress(session, BOB, kind=K.UNSUBSCRIBED)
    found = text(browser_client, f"{URL}?q=ada", headers=HTMX)
    assert found.lstrip().startswith('<div id="suppression-list"') and ADA in found and BOB not in found
    assert "Nothing found" in text(browser_client, f"{URL}?q=cleo")
    narrowed = text(browser_client, f"{URL}?kind=unsubscribed&scope=marketing&source=")
    assert BOB in narrowed and ADA not in narrowed
    assert ADA in text(browser_client, f"{URL}?kind=nonsense&at=nonsense&key=x&of=y")


def test_pages_are_walked_by_key(browser_client: FlaskClient, session: Session):
    suppressions.add(
        session, [SuppressionEntry(f"c{n}@example.com", K.IMPORTED, S.EVERYTHING) for n in range(60)], now()
    )
    session.commit()
    first = text(browser_client, URL)
    assert "60 suppressions" in first and first.count('data-dialog="lift-') == 50
    older = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    last = text(browser_client, older)
    assert last.count('data-dialog="lift-') == 10 and 'rel="prev"' in last and 'rel="next"' not in last


def test_pasted_addresses_are_added_and_what_cannot_be_read_comes_back(browser_client: FlaskClient, session: Session):
    pasted = "Ada <Ada@example.com>\r\nbob@example.com; cleo@example.com\r\nnobody at all\r\n\r\nada@example.com"
    answer = browser_client.post(f"{URL}add", data={"addresses": pasted, "scope": "marketing", "reason": "they called"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "1 piece of this could not be read" in page and "3 new" in page
    assert ">nobody at all</textarea>" in page.replace("\r\n", "")
    assert kinds(session) == kinds(session, "cleo@example.com") == [("by_hand", "marketing")]
    assert suppressions.history(session, ADA)[0].by.startswith("user")
    answer = browser_client.post(f"{URL}add", data={"addresses": ADA, "scope": "everything"}, follow_redirects=True)
    assert "1 now for everything" in answer.get_data(as_text=True)
    assert kinds(session) == [("by_hand", "everything")]
    assert browser_client.post(f"{URL}add", data={"addresses": " ", "scope": "everything"}).status_code == 422


@pytest.mark.parametrize(
    ("given", "keys", "unread"),
    [
        ("a@b.example, c@d.example", ["a@b.example", "c@d.example"], 0),
        ("Ada, née Byron <a@b.example>", ["a@b.example"], 0),
        ("A <a@b.example>, B <c@d.example>;", ["a@b.example", "c@d.example"], 0),
        ("a@b.example\tc@d.example\nA@B.example", ["a@b.example", "c@d.example"], 0),
        ("max,muster at b.example\n\n , ", [], 1),
    ],
)
def test_addresses_are_found_in_what_people_paste(given: str, keys: list[str], unread: int):
    pasted = addresses_in(given)
    assert (pasted.keys, len(pasted.unread)) == (keys, unread)


def test_a_lift_wants_a_reason_and_is_undone(browser_client: FlaskClient, session: Session):
    suppress(session, ADA, reason="a letter", source="console")
    asked = text(browser_client, f"{URL}lift?address_key={ADA}&kind=by_hand")
    assert "Why may it be mailed again?" in asked
    data = {"address_key": ADA, "kind": "by_hand", "reason": ""}
    assert browser_client.post(f"{URL}lift", data=data).status_code == 422
    answer = browser_client.post(f"{URL}lift", data=data | {"reason": "they called"}, follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert "Lifted:" in page and "Undo" in page and kinds(session) == []
    assert browser_client.post(f"{URL}lift", data=data | {"reason": "again"}).status_code == 404
    answer = browser_client.post(f"{URL}put-back", data={}, follow_redirects=True)
    assert "it is suppressed again" in answer.get_data(as_text=True)
    assert kinds(session) == [("by_hand", "everything")]
    [row] = suppressions.holding(session, [ADA])
    assert (row.reason, row.source) == ("a letter", "console")
    assert browser_client.post(f"{URL}put-back", data={}).status_code == 422


def test_a_hash_is_lifted_as_well(browser_client: FlaskClient, session: Session):
    settings.keep_hashed(session)
    suppress(session, ADA)
    page = text(browser_client, URL)
    assert "Kept as a hash" in page and ADA not in page
    key = suppressions.holding(session, [ADA])[0].address_key
    data = {"address_key": key, "kind": "by_hand", "reason": "they called"}
    assert "Lifted:" in browser_client.post(f"{URL}lift", data=data, follow_redirects=True).get_data(as_text=True)
    browser_client.post(f"{URL}put-back", data={})
    assert kinds(session) == [("by_hand", "everything")]


def test_the_export_is_narrowed_as_the_page(browser_client: FlaskClient, session: Session):
    suppress(session, ADA, reason="=1+1")
    suppress(session, BOB, kind=K.UNSUBSCRIBED)
    answer = browser_client.get(f"{URL}export.csv?kind=by_hand")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="suppressions.csv"'
    assert answer.get_data(as_text=True).count("\r\n") == 2 and "'=1+1" in answer.get_data(as_text=True)


def upload(visitor: FlaskClient, content: str, name: str = "list.csv"):
    return visitor.post(f"{URL}import", data={"file": (io.BytesIO(content.encode()), name)})


@pytest.fixture
def work(sqlite_app: Flask, session: Session, tmp_path: Path) -> Callable[[str], None]:
    """What a worker does when it is asked for a step of list 1."""

    def do(step: str) -> None:
        session.rollback()
        with sqlite_app.app_context():
            list_round.work_on(db.engine, 1, step, tmp_path, lambda: False, lambda: False)

    return do


Work = Callable[[str], None]
BOUNCES = "address,code,error,created_at\nada@example.com,550,no such user,\nbob@example.com,550,gone,2024-05-06\nnonsense,550,x,\n"


def test_a_list_is_looked_at_and_taken_over(browser_client: FlaskClient, session: Session, work: Work):
    suppress(session, ADA, kind=K.BOUNCED)
    answer = upload(browser_client, BOUNCES, "bounces.csv")
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert "Waits for a worker" in read(text(browser_client, address)).words
    work("check")
    page = text(browser_client, address)
    assert "a list of Mailgun, bounces" in page and "Take over 1" in page and "nonsense" in page
    assert kinds(session, BOB) == []
    assert browser_client.post(f"{address}/run", data=read(page).form("form[contains(@action, '/run')]").fields)
    assert "Taking the list over" in read(text(browser_client, address)).words
    work("run")
    page = read(text(browser_client, address))
    assert "What was done" in page.words and "Take over" not in page.words
    assert kinds(session, BOB) == [("bounced", "everything")]
    [row] = suppressions.holding(session, [BOB])
    assert (row.kind, row.source, row.evidence, row.reason) == (
        K.BOUNCED,
        "import",
        "gone",
        "Mailgun, bounces: bounces.csv",
    )
    assert row.created_at.year == 2024 and row.created_by
    again = browser_client.post(f"{address}/run", follow_redirects=True)  # pressed twice
    assert again.status_code == 200 and len(suppressions.history(session, BOB)) == 1


def test_what_became_of_each_row_is_listed_and_downloaded(browser_client: FlaskClient, session: Session, work: Work):
    suppress(session, ADA, kind=K.BOUNCED)
    address = upload(browser_client, BOUNCES, "=bounces.csv").headers["Location"]
    work("check")
    assert "nonsense" in text(browser_client, address)  # what was refused comes first
    new = text(browser_client, f"{address}?rows=new")
    assert BOB in new and "nonsense" not in new
    answer = browser_client.get(f"{address}/report.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="=bounces-report.csv"'
    assert answer.get_data(as_text=True).splitlines()[1:] == [
        "2,ada@example.com,known already,",
        "3,bob@example.com,new,",
        '4,"nonsense,550,x,",refused,“nonsense” is not an e-mail address: it has no @',
    ]
    assert browser_client.get(f"{address}/report.csv?rows=new").text.count("\r\n") == 2


def test_a_page_that_is_left_finds_the_work_where_it_is(browser_client: FlaskClient, session: Session, work: Work):
    address = upload(browser_client, BOUNCES, "bounces.csv").headers["Location"]
    assert 'hx-trigger="every 1s"' in text(browser_client, address, headers=HTMX)
    assert "Being checked" in (page := text(browser_client, f"{URL}import")) and address in page
    work("check")
    assert "hx-trigger" not in text(browser_client, address, headers=HTMX)


def test_stopping_and_looking_again(browser_client: FlaskClient, session: Session, work: Work):
    address = upload(browser_client, BOUNCES, "bounces.csv").headers["Location"]
    page = browser_client.post(f"{address}/stop", follow_redirects=True).text
    assert "Stopped. Nothing was changed." in page and "Not looked through" in page
    browser_client.post(f"{address}/check")
    work("check")
    assert "Take over 2" in text(browser_client, address)


def test_where_a_list_does_not_say_what_it_is_it_is_asked(browser_client: FlaskClient, session: Session, work: Work):
    address = upload(browser_client, "ada@example.com\nbob@example.com\n").headers["Location"]
    work("check")
    assert "What are they?" in text(browser_client, address)
    browser_client.post(f"{address}/check", data={"kind": "unsubscribed"})
    work("check")
    page = read(text(browser_client, address))
    assert page.form("form[contains(@action, '/check')]").fields["kind"] == "unsubscribed"
    assert browser_client.post(f"{address}/run", data={"kind": "imported"}).status_code == 409  # another page's answer
    browser_client.post(f"{address}/run", data=page.form("form[contains(@action, '/run')]").fields)
    work("run")
    assert kinds(session) == kinds(session, BOB) == [("unsubscribed", "marketing")]


def test_what_is_no_list_is_refused_with_words(browser_client: FlaskClient):
    answer = upload(browser_client, "name,city\nAda,Bonn\n")
    assert answer.status_code == 422 and "No column of this file holds e-mail addresses" in answer.get_data(
        as_text=True
    )
    assert browser_client.post(f"{URL}import", data={}).status_code == 422


def test_a_list_is_taken_off_with_its_file(browser_client: FlaskClient, session: Session, work: Work):
    address = upload(browser_client, BOUNCES, "bounces.csv").headers["Location"]
    assert browser_client.post(f"{address}/discard").status_code == 409  # it is worked on
    work("check")
    browser_client.post(f"{address}/discard")
    assert browser_client.get(address).status_code == 404 and kinds(session) == []
    assert session.scalar(select(func.count()).select_from(Upload)) == 0


def test_the_clients_page_says_what_is_sent_and_why_not(browser_client: FlaskClient, session: Session):
    client = factories.client(session, ADA, country="US", marketing_opt_in=None)
    session.commit()
    page = text(browser_client, f"/clients/{client.id}")
    assert page.count("Gets it") == 2 and "not known, which counts as yes" in page
    client.country = "DE"
    session.commit()
    assert "which counts as no in the EU" in text(browser_client, f"/clients/{client.id}")
    answer = browser_client.post(
        f"{URL}do-not-mail",
        data={"client": client.id, "scope": "everything", "reason": "a letter"},
        follow_redirects=True,
    )
    page = answer.get_data(as_text=True)
    assert "Gets it" not in page and "a letter" in page and "By hand added" in page
    data = {"address_key": ADA, "kind": "by_hand", "client": client.id, "reason": "they called"}
    page = browser_client.post(f"{URL}lift", data=data, follow_redirects=True).get_data(as_text=True)
    assert page.count("Gets it") == 1 and "By hand lifted" in page and "Undo" in page
    assert kinds(session) == []


def test_a_client_who_said_no_or_shares_an_address_with_one_gets_no_marketing(
    browser_client: FlaskClient, session: Session
):
    first = factories.client(session, ADA, marketing_opt_in=False)
    twin = factories.client(session, ADA, marketing_opt_in=True)
    nowhere = factories.client(session, None)
    session.commit()
    assert "opted out" in text(browser_client, f"/clients/{first.id}")
    page = text(browser_client, f"/clients/{twin.id}")
    assert "another client with this address opted out" in page and page.count("Gets it") == 1
    page = text(browser_client, f"/clients/{nowhere.id}")
    assert "No address" in page and 'data-dialog="do-not-mail"' not in page
    assert (
        browser_client.post(f"{URL}do-not-mail", data={"client": nowhere.id, "scope": "everything"}).status_code == 422
    )
