"""The list of suppressions: searched, narrowed, a page at a time by key."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import NOW
from webapp.core.consent import export, listing, settings, suppressions
from webapp.core.consent.listing import SuppressionSearch
from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import SuppressionEntry

K, S = SuppressionKind, SuppressionScope


def add(session: Session, key: str, kind: K = K.IMPORTED, scope: S = S.EVERYTHING, ago: int = 0, **said) -> None:
    since = NOW - timedelta(minutes=ago)
    suppressions.add(session, [SuppressionEntry(key, kind, scope, since=since, **said)], NOW)


def found(session: Session, **wanted) -> list[str]:
    return [row.address_key for row in listing.page(session, SuppressionSearch(**wanted)).rows]


@pytest.mark.parametrize("few", [0, 100])
def test_pages_go_on_by_key_in_both_directions(session: Session, monkeypatch: pytest.MonkeyPatch, few: int):
    monkeypatch.setattr(listing, "PAGE", 3)
    monkeypatch.setattr(listing, "FEW", few)
    for number in range(8):
        add(session, f"client{number}@example.com", ago=number // 4)  # four each at the same instant
    seen, place = [], None
    pages = []
    while True:
        page = listing.page(session, SuppressionSearch(kind=K.IMPORTED), place)
        pages.append(page)
        seen += [row.address_key for row in page.rows]
        assert page.total == 8
        if page.older is None:
            break
        place = page.older
    order = [3, 2, 1, 0, 7, 6, 5, 4]
    assert seen == [f"client{number}@example.com" for number in order]
    assert [page.newer is None for page in pages] == [True, False, False]
    back = listing.page(session, SuppressionSearch(kind=K.IMPORTED), pages[2].newer)
    assert [row.address_key for row in back.rows] == seen[3:6] and back.older is not None
    first = listing.page(session, SuppressionSearch(kind=K.IMPORTED), back.newer)
    assert [row.address_key for row in first.rows] == seen[:3] and first.newer is None


def test_it_is_narrowed_by_a_part_of_the_address_kind_scope_and_source(session: Session):
    add(session, "ada@example.com", K.BOUNCED, source="smtp")
    add(session, "bob_1@example.com", K.UNSUBSCRIBED, S.MARKETING, ago=1, source="link")
    add(session, "bobx1@example.org", K.IMPORTED, ago=2, source="import")
    assert found(session, words="BOB") == ["bob_1@example.com", "bobx1@example.org"]
    assert found(session, words="bob_1") == ["bob_1@example.com"]
    assert found(session, kind=K.BOUNCED) == found(session, source="smtp") == ["ada@example.com"]
    assert found(session, scope=S.MARKETING) == ["bob_1@example.com"]
    assert found(session, words="100%") == []


def test_a_hash_is_found_by_the_whole_address(session: Session):
    settings.keep_hashed(session)
    add(session, "ada@example.com")
    assert len(found(session, words="Ada@Example.com")) == 1
    assert found(session, words="ada@") == []


def test_who_has_the_address_stands_beside_it(session: Session):
    client = factories.client(session, "ada@example.com")
    twin = factories.client(session, "ada@example.com")
    assert twin.id > client.id
    assert listing.clients(session, ["ada@example.com", "bob@example.com"]) == {
        "ada@example.com": (client.id, client.number)
    }
    delivery = factories.delivery(session, factories.broadcast(session), client)
    assert list(listing.mails(session, [delivery.id, 5])) == [delivery.id]


def test_the_export_has_all_pieces_and_no_cell_is_a_formula(session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "STREAMED", 2)
    for number in range(4):
        add(session, f"client{number}@example.com", ago=number, reason="=1+1", source="console")
    session.commit()
    text = "".join(export.as_csv(session, SuppressionSearch()))
    lines = text.removeprefix("\ufeff").split("\r\n")
    assert lines[0] == "Address,Kind,Scope,Reason,Source,Evidence,Since (UTC),By"
    assert lines[1] == "client0@example.com,imported,everything,'=1+1,console,,2026-11-23T09:00:00Z,"
    assert len(lines) == 6
