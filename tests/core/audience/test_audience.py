"""Audiences by example: who gets a mail, in which words, and why not the others."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tests import factories
from webapp.core import audience
from webapp.core.audience import Audience, AudienceFilter, Term
from webapp.core.consent import suppressions
from webapp.core.errors import Conflict, Invalid, NotFound
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.lifecycle import BroadcastState, SkipReason
from webapp.core.rules.statuses import ClientStatus, HoldingStatus, MessageType
from webapp.core.tables.broadcasts import PickKind
from webapp.core.tables.clients import Client, Product, Service
from webapp.core.tables.stamps import BLOCK_BITS

TODAY = date(2026, 11, 23)
GENERAL, SERVICES, ADDONS = MessageType.GENERAL, MessageType.SERVICES, MessageType.ADDONS
S = HoldingStatus


def rows(session: Session, of: Audience) -> list:
    return list(session.execute(audience.recipients(of, TODAY)))


def why(session: Session, of: Audience, client: Client) -> tuple[bool, str]:
    explained = audience.explain(session, of, client.id, TODAY)
    return explained.gets_it, " ".join(explained.reasons)


def test_a_client_with_three_matching_services_gets_one_mail_about_the_one_due_next(session: Session):
    holder, product = factories.client(session), factories.product(session)
    due = [TODAY - timedelta(days=1), None, TODAY + timedelta(days=9), TODAY, TODAY]
    services = [factories.service(session, holder, product, next_due_on=day) for day in due]
    of = Audience(AudienceFilter(SERVICES, products=(product.id,)))
    assert [(row.client_id, row.service_id) for row in rows(session, of)] == [(holder.id, services[3].id)]
    session.execute(update(Service).where(Service.id >= services[2].id).values(next_due_on=TODAY - timedelta(days=5)))
    assert rows(session, of)[0].service_id == services[0].id, "of past ones the latest"
    session.execute(update(Service).values(next_due_on=None))
    assert rows(session, of)[0].service_id == services[0].id, "without a date the first"


def test_product_and_status_are_asked_of_the_same_service(session: Session):
    holder, vps, web = factories.client(session), factories.product(session), factories.product(session)
    factories.service(session, holder, vps, status=S.SUSPENDED)
    factories.service(session, holder, web, status=S.ACTIVE)
    assert not rows(session, Audience(AudienceFilter(SERVICES, products=(vps.id,), service_statuses=(S.ACTIVE,))))
    assert rows(session, Audience(AudienceFilter(SERVICES, products=(vps.id,))))
    assert rows(session, Audience(AudienceFilter(SERVICES, service_statuses=(S.ACTIVE,))))


def test_services_with_nothing_chosen_means_any_service(session: Session):
    factories.client(session)
    holder = factories.client(session)
    factories.service(session, holder, factories.product(session), status=S.TERMINATED)
    assert [row.client_id for row in rows(session, Audience(AudienceFilter(SERVICES)))] == [holder.id]
    assert not rows(session, Audience(AudienceFilter(ADDONS)))


def test_an_addon_brings_its_own_service_along(session: Session):
    holder, product = factories.client(session), factories.product(session)
    factories.service(session, holder, product, next_due_on=TODAY)
    other = factories.service(session, holder, product, next_due_on=TODAY + timedelta(days=30))
    assignment = factories.addon_assignment(session, other, factories.addon(session))
    row = rows(session, Audience(AudienceFilter(ADDONS, addons=(assignment.addon_id,))))[0]
    assert (row.service_id, row.addon_assignment_id) == (other.id, assignment.id)


def test_a_client_added_beyond_the_filter_takes_a_service_all_the_same(session: Session):
    product, other = factories.product(session), factories.product(session)
    with_other, with_none = factories.client(session), factories.client(session)
    service = factories.service(session, with_other, other, next_due_on=None)
    draft = factories.broadcast(session, message_type=SERVICES)
    for client in (with_other, with_none):
        audience.pick(session, draft.id, client.id, PickKind.ADDED)
    of = Audience(AudienceFilter(SERVICES, products=(product.id,)), draft.id)
    assert [(row.client_id, row.service_id) for row in rows(session, of)] == [
        (with_other.id, service.id),
        (with_none.id, None),
    ]
    count = audience.count(session, of, TODAY)
    assert (count.matching, count.added, count.will_receive) == (0, 2, 2)
    assert why(session, of, with_none) == (True, "Added by hand, beyond the filter.")


def test_of_clients_with_one_address_the_lowest_id_that_would_get_it_does(session: Session):
    draft = factories.broadcast(session)
    clients = [factories.client(session, "info@example.com", country=country) for country in ("FR", "DE", "DE", "DE")]
    of = Audience(AudienceFilter(GENERAL, countries=("DE",)), draft.id)

    def reasons() -> list[SkipReason | None]:
        return [row.skip_reason for row in rows(session, of)]

    assert reasons() == [None, SkipReason.SAME_ADDRESS, SkipReason.SAME_ADDRESS]
    gets, words = why(session, of, clients[3])
    assert not gets and words == f"Ada {clients[1].last_name} ({clients[1].number}) has the same address and gets it."
    audience.pick(session, draft.id, clients[1].id, PickKind.LEFT_OUT)
    assert reasons() == [SkipReason.LEFT_OUT, None, SkipReason.SAME_ADDRESS], "who is left out stands in nobody's way"
    audience.pick(session, draft.id, clients[0].id, PickKind.ADDED)
    assert reasons() == [None, SkipReason.LEFT_OUT, SkipReason.SAME_ADDRESS, SkipReason.SAME_ADDRESS]


def test_the_count_follows_addresses_that_become_shared_and_single_again(session: Session):
    of = Audience(AudienceFilter(GENERAL))

    def sums() -> tuple[int, int]:
        count = audience.count(session, of, TODAY)
        return count.same_address, count.will_receive

    first, far = factories.client(session, "info@example.com"), factories.client(session, id=5 << BLOCK_BITS)
    assert sums() == (0, 2)
    second = factories.client(session, "info@example.com")
    assert sums() == (1, 2)
    far.address = far.address_key = "info@example.com"
    session.flush()
    assert sums() == (2, 1)
    session.delete(first)
    second.address = second.address_key = "else@example.com"
    session.flush()
    assert sums() == (0, 2)


def test_who_cannot_be_mailed_is_listed_with_the_reason(session: Session):
    none = factories.client(session, None)
    blank = factories.client(session, "  ", address=None, address_key=None)
    broken = factories.client(
        session, "ada at example", address=None, address_key=None, address_problem="there is no @"
    )
    stopped = factories.client(session, "stop@example.com")
    suppressions.suppress(
        session, "stop@example.com", SuppressionKind.BY_HAND, factories.NOW, reason="asked us to stop"
    )
    of = Audience(AudienceFilter(GENERAL))
    assert {row.client_id: row.skip_reason for row in rows(session, of)} == {
        none.id: SkipReason.NO_ADDRESS,
        blank.id: SkipReason.NO_ADDRESS,
        broken.id: SkipReason.INVALID_ADDRESS,
        stopped.id: SkipReason.SUPPRESSED,
    }
    assert why(session, of, none) == (False, "Has no e-mail address.")
    assert why(session, of, broken) == (False, "The address “ada at example” cannot be used: there is no @.")
    assert why(session, of, stopped) == (
        False,
        "The address stop@example.com is suppressed since 2026-11-23: by hand (asked us to stop).",
    )
    count = audience.count(session, of, TODAY)
    assert (count.matching, count.no_usable_address, count.suppressed, count.will_receive) == (4, 3, 1, 0)


def test_what_no_longer_exists_matches_nobody_and_stays_visible(session: Session):
    holder, product = factories.client(session), factories.product(session)
    service = factories.service(session, holder, product)
    chosen = AudienceFilter(SERVICES, products=(product.id,))
    session.execute(delete(Service).where(Service.id == service.id))
    session.execute(delete(Product).where(Product.id == product.id))
    assert audience.count(session, Audience(chosen), TODAY).matching == 0
    assert not rows(session, Audience(chosen))
    assert audience.in_words(session, chosen) == "Clients that have a product that no longer exists."
    products = next(criterion for criterion in audience.choices(session, chosen) if criterion.name == "products")
    assert [(choice.value, choice.chosen, choice.gone) for choice in products.choices] == [
        (str(product.id), True, True)
    ]
    assert why(session, Audience(chosen), holder) == (False, "Has no product that no longer exists.")


def test_choices_have_names_meanings_and_groups(session: Session):
    vps = factories.product(session, "VPS-2", "Cloud Servers")
    for country, language in (("DE", "de"), ("DE", "pt-BR"), ("CH", "de"), (None, "xx")):
        factories.service(session, factories.client(session, country=country, language=language), vps)
    criteria = {c.name: c for c in audience.choices(session, AudienceFilter(SERVICES, countries=("CH", "FR")))}
    assert list(criteria) == ["countries", "languages", "client_statuses", "products", "service_statuses"]
    countries = [(choice.label, choice.count, choice.chosen) for choice in criteria["countries"].choices]
    assert countries[:2] == [("Switzerland", 1, True), ("France", 0, True)], (
        "chosen ones first, also with nobody behind"
    )
    assert countries[2:] == [("Germany", 2, False), ("No known country", 1, False)]
    assert [choice.label for choice in criteria["languages"].choices] == ["German", "Portuguese (Brazil)", "xx"]
    assert criteria["client_statuses"].choices[3].meaning == ClientStatus.FREEZE.meaning
    assert [(c.label, c.group, c.count) for c in criteria["products"].choices] == [("VPS-2", "Cloud Servers", 1)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "All clients."),
        ({"countries": ["DE", "AT", "CH"]}, "Clients in Germany, Austria or Switzerland."),
        ({"countries": [""]}, "Clients with no known country."),
        ({"languages": ["de", "pt-BR"]}, "Clients that speak German or Portuguese (Brazil)."),
        ({"client_statuses": ["active"]}, "Clients that are Active."),
        (
            {"countries": ["DE"], "languages": ["en"], "client_statuses": ["active", "freeze"]},
            "Clients in Germany that speak English and are Active or Freeze.",
        ),
    ],
)
def test_a_general_filter_in_words(sqlite_session: Session, values: dict, words: str):
    assert audience.in_words(sqlite_session, AudienceFilter.from_dict(GENERAL, values)) == words


def test_a_filter_of_holdings_in_words(sqlite_session: Session):
    session = sqlite_session
    vps2, vps4 = (factories.product(session, name, "Cloud") for name in ("VPS-2", "VPS-4"))
    web, email = factories.product(session, "Web Pro, 50 GB"), factories.product(session, "Email")
    backup = factories.addon(session, "Daily Backup")

    def words(message_type: MessageType, **criteria) -> str:
        return audience.in_words(session, AudienceFilter(message_type, **criteria))

    assert words(SERVICES) == "Clients that have a service."
    assert words(SERVICES, service_statuses=(S.ACTIVE,)) == "Clients that have an Active service."
    both = {"products": (vps2.id, vps4.id), "service_statuses": (S.ACTIVE,)}
    statuses = (ClientStatus.ACTIVE, ClientStatus.FREEZE)
    assert words(SERVICES, countries=("DE", "AT", "CH"), client_statuses=statuses, **both) == (
        "Clients in Germany, Austria or Switzerland that are Active or Freeze and have an Active VPS-2 or VPS-4."
    )
    assert words(SERVICES, products=(web.id, email.id)) == "Clients that have a “Web Pro, 50 GB” or Email."
    assert words(SERVICES, products=(email.id,)) == "Clients that have an Email."
    assert words(ADDONS, addons=(backup.id,), addon_statuses=(S.SUSPENDED, S.TERMINATED)) == (
        "Clients that have a Suspended or Terminated Daily Backup."
    )
    factories.product(session, "VPS-2", "Old Servers")
    assert words(SERVICES, products=(vps2.id,)) == "Clients that have a Cloud › VPS-2.", (
        "a name in two groups says its own"
    )


def test_many_values_in_words_are_cut(sqlite_session: Session):
    codes = ("DE", "AT", "CH", "FR", "IT", "ES", "PT", "PL", "CZ", "SE", "NO", "DK", "FI", "GB")
    words = audience.in_words(sqlite_session, AudienceFilter(GENERAL, countries=codes))
    assert words.endswith("Sweden, Norway or one of 3 more.")


def test_a_client_outside_the_filter_is_told_every_reason(session: Session):
    vps = factories.product(session, "VPS-2")
    client = factories.client(session, country="FR", language=None, status=ClientStatus.SUSPEND)
    chosen = AudienceFilter(
        SERVICES,
        countries=("DE", "AT"),
        languages=("de",),
        client_statuses=(ClientStatus.ACTIVE,),
        products=(vps.id,),
        service_statuses=(S.ACTIVE,),
    )
    assert why(session, Audience(chosen), client) == (
        False,
        "Country is France, not Germany or Austria. Language is not known, so not German. Is Suspend, not Active. Has no VPS-2.",
    )
    factories.service(session, client, vps, status=S.SUSPENDED, domain="x.example.net")
    assert why(session, Audience(chosen), client)[1].endswith("VPS-2 (x.example.net) is Suspended, not Active.")
    with pytest.raises(NotFound):
        audience.explain(session, Audience(chosen), 999_999, TODAY)


def test_only_a_draft_takes_picks(session: Session):
    draft, client = factories.broadcast(session), factories.client(session)
    audience.pick(session, draft.id, client.id, PickKind.LEFT_OUT)
    audience.pick(session, draft.id, client.id, PickKind.ADDED)
    assert audience.picks_of(session, draft.id) == {client.id: PickKind.ADDED}
    audience.pick(session, draft.id, client.id, None)
    assert audience.picks_of(session, draft.id) == {}
    with pytest.raises(NotFound):
        audience.pick(session, draft.id, 999_999, PickKind.ADDED)
    with pytest.raises(NotFound):
        audience.pick(session, 999_999, client.id, PickKind.ADDED)
    draft.state = BroadcastState.SCHEDULED
    session.flush()
    with pytest.raises(Conflict):
        audience.pick(session, draft.id, client.id, PickKind.ADDED)


def test_a_deleted_client_leaves_no_pick_behind(session: Session):
    draft, client = factories.broadcast(session), factories.client(session)
    audience.pick(session, draft.id, client.id, PickKind.ADDED)
    session.execute(delete(Client).where(Client.id == client.id))
    session.expire_all()
    assert audience.picks_of(session, draft.id) == {}
    of = Audience(AudienceFilter(GENERAL), draft.id)
    assert audience.count(session, of, TODAY).added == 0


def test_the_list_is_searched_and_paged(session: Session):
    for n in range(7):
        factories.client(session, last_name=f"Müller{n}", search_text=f"{n} ada muller{n} 100%")
    other = factories.client(session, None, last_name="Nobody")
    of = Audience(AudienceFilter(GENERAL))
    page = audience.listing(session, of, TODAY, search="MÜLLER ada", offset=4, limit=2)
    assert (page.total, [row.client.last_name for row in page.rows]) == (7, ["Müller4", "Müller5"])
    assert audience.listing(session, of, TODAY, search="100%").total == 7
    assert audience.listing(session, of, TODAY, search="1%0").total == 0, "a % is a %"
    assert audience.listing(session, of, TODAY, search="nobody").total == 0, "gets no mail, so is in another list"
    factories.service(session, page.rows[0].client, factories.product(session), domain="shop.example.net")
    assert audience.listing(session, of, TODAY, search="shop.ex").total == 1
    listed = audience.listing(session, of, TODAY, reason=Term.NO_USABLE_ADDRESS)
    assert [row.client.id for row in listed.rows] == [other.id]


def test_the_makeup_counts_those_who_will_receive_it(session: Session):
    for place, code in enumerate(("DE", "AT", "CH", "FR", "IT", "ES", "PT")):
        for _ in range(7 - place):
            factories.client(session, country=code, language="de" if place < 3 else None)
    factories.client(session, None, country="DE")
    selected = audience.select_terms(session, Audience(AudienceFilter(GENERAL)))
    found = audience.makeup(session, selected)
    assert found.countries[:2] == (("Germany", 7), ("Austria", 6)) and found.countries[5:] == (("2 more", 3),)
    assert found.languages == (("German", 18), ("No known language", 10))


def test_a_filter_survives_storing_and_refuses_what_cannot_be():
    chosen = AudienceFilter(SERVICES, ("DE", "DE", ""), products=(3, 1), service_statuses=(S.ACTIVE,))
    assert chosen.countries == ("DE", "")
    assert AudienceFilter.from_dict(SERVICES, chosen.to_dict()) == chosen
    assert AudienceFilter.from_dict(SERVICES, {"products": ["3", "1"]}).products == (3, 1)
    assert AudienceFilter.from_dict(GENERAL, {}).to_dict() == {}
    for name, value in (("client_statuses", "lost"), ("products", "x")):
        with pytest.raises(Invalid) as refused:
            AudienceFilter.from_dict(SERVICES, {name: [value]})
        assert refused.value.field == name


def test_another_message_type_keeps_what_applies_and_sets_the_rest_aside():
    chosen = AudienceFilter(SERVICES, countries=("DE",), products=(3,), service_statuses=(S.ACTIVE,))
    assert chosen.set_aside(ADDONS) == ("products", "service_statuses")
    assert chosen.set_aside(SERVICES) == ()
    addons = AudienceFilter.from_dict(ADDONS, chosen.to_dict())
    assert addons == AudienceFilter(ADDONS, countries=("DE",))
    stored = addons.stored(before=chosen.to_dict())
    assert AudienceFilter.from_dict(SERVICES, stored) == chosen, "it comes back with its type"
    assert AudienceFilter(SERVICES).stored(before=stored) == {}
