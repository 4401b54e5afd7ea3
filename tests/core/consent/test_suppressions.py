"""Suppressions: each kind once, widened but never narrowed, with a history, as addresses or as hashes."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.consent import hashing, settings, suppressions, topics
from webapp.core.consent.suppressions import Added
from webapp.core.errors import Invalid
from webapp.core.rules.address_hashes import HIDDEN, address_hash
from webapp.core.rules.consent import SuppressionAction, SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import SuppressionEntry
from webapp.core.tables.consent import ConsentSettings, Suppression

K, S = SuppressionKind, SuppressionScope
ADA, BOB = "ada@example.com", "bob@example.com"
LATER = NOW + timedelta(days=1)


def entry(key: str, kind: K = K.IMPORTED, scope: S = S.EVERYTHING, **said) -> SuppressionEntry:
    return SuppressionEntry(key, kind, scope, **said)


def there(session: Session, key: str = ADA) -> list[tuple[str, str]]:
    return [(row.kind.value, row.scope.value) for row in suppressions.holding(session, [key])]


def actions(session: Session, key: str = ADA) -> list[str]:
    return [change.action.value for change in suppressions.history(session, key)]


def test_an_address_is_suppressed_once_for_each_kind(session: Session):
    assert suppressions.suppress(session, ADA, K.BOUNCED, NOW, evidence="550 no such user", source="smtp")
    assert not suppressions.suppress(session, ADA, K.BOUNCED, LATER, evidence="another")
    assert suppressions.suppress(session, ADA, K.UNSUBSCRIBED, LATER, source="link", delivery_id=7)
    bounced, declined = suppressions.holding(session, [ADA])
    assert (bounced.evidence, bounced.created_at, bounced.scope) == ("550 no such user", NOW, S.EVERYTHING)
    assert (declined.scope, declined.delivery_id) == (S.MARKETING, 7)
    assert actions(session) == ["added", "added"]


def test_a_wider_scope_is_taken_and_a_narrower_one_is_not(session: Session):
    assert suppressions.suppress(session, ADA, K.BY_HAND, NOW, scope=S.MARKETING)
    assert suppressions.suppress(
        session, ADA, K.BY_HAND, LATER, scope=S.EVERYTHING, reason="a letter", by="uma@x.example"
    )
    assert not suppressions.suppress(session, ADA, K.BY_HAND, LATER, scope=S.MARKETING)
    assert there(session) == [("by_hand", "everything")]
    [widened, added] = suppressions.history(session, ADA)
    assert (widened.action, widened.scope, widened.reason, widened.by) == (
        SuppressionAction.CHANGED,
        S.EVERYTHING,
        "a letter",
        "uma@x.example",
    )
    assert (added.action, added.scope) == (SuppressionAction.ADDED, S.MARKETING)


def test_lifting_wants_a_reason_and_stays_in_the_history(session: Session):
    suppressions.suppress(session, ADA, K.BY_HAND, NOW)
    with pytest.raises(Invalid):
        suppressions.lift(session, ADA, K.BY_HAND, LATER, reason="  ")
    assert suppressions.lift(session, ADA, K.BY_HAND, LATER, reason="they called", by="uma@x.example")
    assert not suppressions.lift(session, ADA, K.BY_HAND, LATER, reason="they called")
    assert there(session) == [] and actions(session) == ["lifted", "added"]
    assert suppressions.history(session, ADA)[0].reason == "they called"


def test_a_lift_is_undone_as_it_was(session: Session):
    suppressions.suppress(session, ADA, K.BY_HAND, NOW, reason="a letter", source="console", by="uma@x.example")
    suppressions.lift(session, ADA, K.BY_HAND, LATER, reason="wrong one")
    again = entry(ADA, K.BY_HAND, reason="a letter", source="console", since=NOW)
    assert suppressions.put_back(session, again, LATER, by="bert@x.example", created_by="uma@x.example", delivery_id=5)
    assert not suppressions.put_back(session, again, LATER, by="bert@x.example")
    [row] = suppressions.holding(session, [ADA])
    assert (row.created_at, row.reason, row.created_by, row.delivery_id) == (NOW, "a letter", "uma@x.example", 5)
    undone = suppressions.history(session, ADA)[0]
    assert (undone.at, undone.by, undone.reason) == (LATER, "bert@x.example", "lifting it was undone")
    assert actions(session) == ["added", "lifted", "added"]


def test_many_at_once_are_counted_and_foreseen(session: Session):
    suppressions.add(session, [entry(ADA), entry("cleo@example.com", scope=S.MARKETING)], NOW)
    many = [entry(ADA), entry(BOB), entry(BOB, scope=S.MARKETING), entry(BOB, K.BOUNCED), entry("cleo@example.com")]
    assert suppressions.foresee(session, many) == Added(2, 1, 1)
    assert suppressions.add(session, many, NOW, source="import") == Added(2, 1, 1)
    assert suppressions.add(session, many, NOW) == Added(0, 0, 4)
    assert there(session, BOB) == [("bounced", "everything"), ("imported", "everything")]
    assert suppressions.add(session, [], NOW) == Added()


def test_what_a_mail_brought_about_is_taken_back_and_nothing_else(session: Session):
    for key, source, mail in ((ADA, "smtp", 1), (BOB, "bounce", 2), ("cleo@example.com", "smtp", 3)):
        suppressions.suppress(session, key, K.BOUNCED, NOW, source=source, delivery_id=mail)
    mails = {1: ADA, 2: BOB, 4: "cleo@example.com"}
    assert suppressions.take_back(session, mails, K.BOUNCED, LATER, source="smtp", reason="no fact") == 1
    assert there(session) == [] and there(session, BOB) and there(session, "cleo@example.com")
    assert suppressions.history(session, ADA)[0].reason == "no fact"
    assert suppressions.take_back(session, {}, K.BOUNCED, LATER, source="smtp", reason="no fact") == 0


@pytest.fixture
def hashed(session: Session) -> Session:
    settings.keep_hashed(session)
    return session


def test_hashes_are_found_by_the_address_and_hold_no_address(hashed: Session):
    said = "550 5.1.1 <ada@example.com>: no such user"
    assert suppressions.suppress(hashed, ADA, K.BOUNCED, NOW, evidence=said)
    assert not suppressions.suppress(hashed, ADA, K.BOUNCED, NOW)
    [row] = suppressions.holding(hashed, [ADA])
    assert row.is_hashed and row.address_key == address_hash(settings.read(hashed).hash_key, ADA)
    assert row.evidence == f"550 5.1.1 {HIDDEN}: no such user"
    assert suppressions.lift(hashed, ADA, K.BOUNCED, LATER, reason=f"{ADA} called")
    assert there(hashed) == [] and actions(hashed) == ["lifted", "added"]
    assert all("ada" not in change.reason for change in suppressions.history(hashed, ADA))


def test_a_hash_is_lifted_and_put_back_without_the_address(hashed: Session):
    suppressions.suppress(hashed, ADA, K.BY_HAND, NOW)
    [row] = suppressions.holding(hashed, [ADA])
    kept = row.address_key
    assert suppressions.lift(hashed, kept, K.BY_HAND, LATER, reason="wrong one")
    assert suppressions.put_back(hashed, entry(kept, K.BY_HAND, since=NOW), LATER, by="")
    assert there(hashed) == [("by_hand", "everything")]


def test_the_database_makes_the_same_hash(session: Session):
    key = settings.read(session).hash_key
    for address in (ADA, "dörte@example.com"):
        query = select(func.address_hash(ConsentSettings.hash_key, address))
        assert session.scalar(query) == address_hash(key, address)


def test_all_that_is_kept_is_turned_into_hashes_in_pieces(session: Session):
    keys = [f"client{number}@example.com" for number in range(5)]
    suppressions.add(session, [entry(key, reason=f"of {key}", evidence=f"<{key}> refused") for key in keys], NOW)
    [topic, *_] = topics.topics(session)
    topics.opt_out(session, keys[0], topic.id, NOW)
    suppressions.lift(session, keys[4], K.IMPORTED, LATER, reason=f"{keys[4]} called")
    settings.keep_hashed(session)
    turned = 0
    while some := hashing.turn_some(session, most=2):
        turned += some
    assert (turned, hashing.left(session)) == (4 + 6 + 1, 0)
    assert [there(session, key) for key in keys] == [[("imported", "everything")]] * 4 + [[]]
    assert actions(session, keys[4]) == ["lifted", "added"]
    assert list(topics.declined_by(session, keys[0])) == [topic.id]
    assert not topics.opt_out(session, keys[0], topic.id, NOW)
    [row] = suppressions.holding(session, [keys[1]])
    assert (row.reason, row.evidence) == (f"of {HIDDEN}", f"{HIDDEN} refused")


def test_who_is_forgotten_stays_suppressed_under_the_hash_alone(session: Session):
    suppressions.add(session, [entry(ADA), entry(BOB)], NOW)
    assert hashing.forget(session, ADA) == 2
    assert there(session) == [("imported", "everything")]
    assert not suppressions.suppress(session, ADA, K.IMPORTED, LATER)
    kept = session.scalars(select(Suppression.address_key).where(~Suppression.is_hashed)).all()
    assert kept == [BOB]


def test_a_hash_and_its_address_become_one_that_holds_for_what_either_did(session: Session):
    suppressions.suppress(session, ADA, K.BY_HAND, NOW, scope=S.MARKETING)
    hashing.forget(session, ADA)
    row = Suppression(
        address_key=ADA, kind=K.BY_HAND, scope=S.EVERYTHING, created_at=NOW
    )  # as an older program left it
    session.add(row)
    session.flush()
    hashing.forget(session, ADA)
    assert there(session) == [("by_hand", "everything")]
