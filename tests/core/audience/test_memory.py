"""The copy in memory: sets over all ids, however large, and what somebody has got of it stays as it was."""

from array import array

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import audience
from webapp.core.audience import Audience, AudienceFilter, Term
from webapp.core.audience.memory import copy_seen_by
from webapp.core.audience.set_queries import RUN_BITS, set_of, sets_by
from webapp.core.audience.shared_addresses import Shared
from webapp.core.client_set import ClientSet
from webapp.core.rules.statuses import HoldingStatus, MessageType
from webapp.core.tables.clients import Client, Service
from webapp.core.tables.stamps import BLOCK_BITS

EVERYBODY = Audience(AudienceFilter(MessageType.GENERAL))
BORDERS = [border + n for border in (1 << BLOCK_BITS, 1 << 16, 1 << RUN_BITS, 1 << 32, 1 << 40) for n in (-1, 0)]


def test_a_copy_that_somebody_has_stays_as_it_was_when_clients_change(session: Session):
    for country in ("DE", "AT"):
        factories.client(session, country=country)
    before = copy_seen_by(session)
    germans, everybody = before.values["countries"]["DE"], list(before.everybody)
    session.execute(update(Client).values(country="FR"))
    far = factories.client(session, country="DE", id=9 << BLOCK_BITS)
    after = copy_seen_by(session)
    assert list(after.values["countries"]["DE"]) == [far.id] and "AT" not in after.values["countries"]
    assert before.values["countries"]["DE"] is germans and len(germans) == 1
    assert list(before.everybody) == everybody
    assert copy_seen_by(session) is after, "nothing has changed since"


def test_what_did_not_change_is_not_read_again(session: Session):
    factories.client(session, country="DE", id=5)
    factories.client(session, country="AT", id=9 << BLOCK_BITS)
    before = copy_seen_by(session)
    session.execute(update(Client).where(Client.id == 5).values(country="FR"))
    after = copy_seen_by(session)
    assert after.values["countries"]["AT"] is before.values["countries"]["AT"]
    assert after.shared is before.shared


def test_clients_are_counted_at_the_borders_of_everything_that_holds_them(session: Session):
    product = factories.product(session)
    for place, client_id in enumerate(BORDERS):
        row = factories.client(
            session, f"c{place % 7}@example.com", address_key=f"c{place % 7}@example.com", id=client_id
        )
        for status in (HoldingStatus.ACTIVE, HoldingStatus.SUSPENDED)[place % 2 :]:
            factories.service(session, row, product, status=status)
    session.commit()
    terms = audience.select_terms(session, EVERYBODY).terms
    assert list(terms[Term.MATCHING]) == BORDERS
    assert (list(terms[Term.WILL_RECEIVE]), list(terms[Term.SAME_ADDRESS])) == (BORDERS[:7], BORDERS[7:])
    assert set_of(session, Client.id, Client.id > BORDERS[2]) == ClientSet(BORDERS[3:])
    assert sets_by(session, Service.client_id, (Service.status,)) == {
        (HoldingStatus.ACTIVE,): ClientSet(BORDERS[::2]),
        (HoldingStatus.SUSPENDED,): ClientSet(BORDERS),
    }


@given(st.lists(st.integers(0, 4), max_size=30), st.sets(st.integers(0, 29)))
def test_of_those_with_one_address_all_but_the_first_present_are_repeated(addresses: list[int], present: set[int]):
    first = {address: addresses.index(address) for address in addresses}
    later = [one for one, address in enumerate(addresses) if first[address] != one]
    shared = Shared(array("Q", later), array("Q", [first[addresses[one]] for one in later]))
    there = present & set(range(len(addresses)))
    expected = {one for one in there if any(addresses[other] == addresses[one] for other in there if other < one)}
    assert set(shared.repeated(ClientSet(there))) == expected
