"""The stamps that tell a copy in memory what has changed."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from tests import factories
from webapp.core.consent import suppressions
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Client, Service
from webapp.core.tables.consent import Suppression
from webapp.core.tables.stamps import ADDRESSES, BLOCK_BITS, SUPPRESSIONS, AudienceStamp


def stamps(session: Session) -> dict[int, frozenset]:
    found: dict[int, set] = {}
    for stamp in session.execute(select(AudienceStamp.block, AudienceStamp.writer, AudienceStamp.stamp)):
        found.setdefault(stamp.block, set()).add((stamp.writer, stamp.stamp))
    return {block: frozenset(values) for block, values in found.items()}


def changed(session: Session, before: dict[int, frozenset]) -> set[int]:
    after = stamps(session)
    return {block for block in before.keys() | after.keys() if before.get(block) != after.get(block)}


def test_a_new_client_stamps_its_block_and_the_addresses(session: Session):
    before = stamps(session)
    factories.client(session, id=5)
    factories.client(session, None, id=3 << BLOCK_BITS)
    assert changed(session, before) == {0, 3, ADDRESSES}


def test_one_statement_with_many_clients_stamps_every_block_of_theirs(session: Session):
    first = factories.client(session, id=5)
    before = stamps(session)
    columns = {name: getattr(first, name) for name in ("status", "created_at", "updated_at")}
    numbers = (1, 2, 1 << BLOCK_BITS, (1 << BLOCK_BITS) + 1, 6 << BLOCK_BITS)
    session.execute(insert(Client), [{"id": n, "number": f"n{n}"} | columns for n in numbers])
    assert changed(session, before) == {0, 1, 6}
    before = stamps(session)
    product = factories.product(session)
    row = {"product_id": product.id, "status": HoldingStatus.ACTIVE}
    session.execute(insert(Service), [{"client_id": n, "number": f"s{n}"} | row for n in numbers])
    assert changed(session, before) == {0, 1, 6}
    before = stamps(session)
    session.execute(update(Service).values(status=HoldingStatus.INACTIVE))
    session.execute(update(Client).values(country="FR"))
    assert changed(session, before) == {0, 1, 6}


def test_a_client_without_address_leaves_the_addresses_alone(session: Session):
    before = stamps(session)
    row = factories.client(session, None)
    session.delete(row)
    session.flush()
    assert changed(session, before) == {0}


def test_every_statement_stamps_anew_also_within_one_transaction(session: Session):
    row = factories.client(session)
    for change in ({"country": "AT"}, {"language": None}, {"status": ClientStatus.FREEZE}):
        before = stamps(session)
        session.execute(update(Client).where(Client.id == row.id).values(**change))
        assert changed(session, before) == {0}, change
    before = stamps(session)
    session.execute(update(Client).where(Client.id == row.id).values(address_key="else@example.com"))
    assert changed(session, before) == {0, ADDRESSES}


def test_a_change_that_no_filter_looks_at_stamps_nothing(session: Session):
    row = factories.client(session)
    held = factories.service(session, row, factories.product(session))
    before = stamps(session)
    session.execute(update(Client).where(Client.id == row.id).values(first_name="Grace", country="DE"))
    session.execute(update(Service).where(Service.id == held.id).values(domain="else.example.net"))
    assert changed(session, before) == set()


def test_a_holding_stamps_its_clients_block_and_both_when_it_moves(session: Session):
    near, far = factories.client(session, id=1), factories.client(session, id=7 << BLOCK_BITS)
    product = factories.product(session)
    before = stamps(session)
    held = factories.service(session, far, product)
    assert changed(session, before) == {7}
    before = stamps(session)
    given = factories.addon_assignment(session, held, factories.addon(session))
    assert changed(session, before) == {7}
    before = stamps(session)
    session.execute(update(Service).where(Service.id == held.id).values(status=HoldingStatus.SUSPENDED))
    assert changed(session, before) == {7}
    before = stamps(session)
    session.execute(update(Service).where(Service.id == held.id).values(client_id=near.id))
    assert changed(session, before) == {0, 7}
    before = stamps(session)
    session.delete(given)
    session.flush()
    assert changed(session, before) == {7}


def test_a_deleted_client_takes_their_holdings_along_and_stamps(session: Session):
    row = factories.client(session)
    factories.service(session, row, factories.product(session))
    before = stamps(session)
    session.execute(delete(Client).where(Client.id == row.id))
    assert changed(session, before) == {0, ADDRESSES}
    assert not session.scalar(select(Service.id))


def test_suppressions_have_a_stamp_of_their_own(session: Session):
    before = stamps(session)
    suppressions.suppress(session, "a@example.com", SuppressionKind.BOUNCED, factories.NOW)
    session.flush()
    assert changed(session, before) == {SUPPRESSIONS}
    before = stamps(session)
    session.execute(delete(Suppression))
    assert changed(session, before) == {SUPPRESSIONS}


def test_a_rolled_back_change_brings_the_old_stamps_back_and_they_never_come_twice(session: Session):
    row = factories.client(session)
    session.commit()
    before = stamps(session)
    seen = set(before.values())
    for _ in range(3):
        session.execute(update(Client).where(Client.id == row.id).values(country="AT"))
        during = stamps(session)[0]
        assert during not in seen
        seen.add(during)
        session.rollback()
        assert stamps(session) == before


def test_transactions_do_not_wait_for_each_others_stamps_and_leave_few(session: Session):
    engine = session.get_bind()
    if engine.dialect.name == "sqlite":  # one writer at a time
        for country in ("AT", "CH"):
            factories.client(session, country=country)
            session.commit()
        assert len(stamps(session)[0]) == 1
        return
    with Session(engine) as one, Session(engine) as two:
        for writer in (one, two):
            writer.connection().exec_driver_sql("SET lock_timeout = '2s'")
        for first, second in ((0, 1 << BLOCK_BITS), (1 << BLOCK_BITS, 0)):
            factories.client(one, id=first + 1 + first // 1000)
            factories.client(two, id=second + 2 + first // 1000)
        one.commit()
        two.commit()
    assert len(stamps(session)[0]) == 2, "both are known"
    session.commit()
    factories.client(session, id=9)
    session.commit()
    assert len(stamps(session)[0]) == 1, "a later writer clears the finished ones away"
