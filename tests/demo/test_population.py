"""The demo's made-up clients: as many and as varied as promised, always the same, and all of them nobody's."""

import re
import unicodedata
from collections import Counter
from datetime import date
from functools import cache
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.rules.addresses import Address, usable
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.demo.data import seed_clients
from webapp.demo.population import Chunk, Population

TODAY = date(2026, 11, 23)
SCRIPTS = {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "CJK", "HIRAGANA", "HANGUL", "THAI"}


@cache
def whole() -> Chunk:
    """The population of the first start."""
    chunks = list(Population(5000, TODAY).chunks())
    return Chunk(
        [row for chunk in chunks for row in chunk.clients],
        [row for chunk in chunks for row in chunk.services],
        [row for chunk in chunks for row in chunk.addons],
    )


def test_there_are_24_countries_18_languages_and_every_status():
    clients, services, addons = whole().clients, whole().services, whole().addons
    assert len(clients) == 5000
    assert len({row["country"] for row in clients} - {None}) == 24
    assert len({row["language"] for row in clients} - {None}) == 18
    assert {row["status"] for row in clients} == set(ClientStatus)
    assert {row["status"] for row in services} == {row["status"] for row in addons} == set(HoldingStatus)
    assert len({(row["group"], row["product"]) for row in services}) == 12
    assert len({row["addon"] for row in addons}) == 8


def test_names_stand_in_their_own_scripts():
    letters = Counter(unicodedata.name(row["first_name"][0]).split()[0] for row in whole().clients)
    assert letters.keys() >= SCRIPTS - {"HIRAGANA"}
    assert any(
        unicodedata.name(letter).startswith("HIRAGANA") for row in whole().clients for letter in row["first_name"]
    )


def test_it_is_the_same_at_every_start():
    again = next(Population(5000, TODAY).chunks())
    assert again.clients == whole().clients[:2000]
    assert again.services == list(islice(whole().services, len(again.services)))


def test_addresses_belong_to_nobody():
    for row in whole().clients:
        for domain in re.findall(r"@([\w.-]+\.[a-z]+)", row["email"].lower()):
            assert re.search(r"(^|\.)example(\.(com|net|org))?$", domain) or domain == "exam_ple..com", row["email"]
    assert all(row["domain"].endswith(".example.net") for row in whole().services)


def test_a_few_addresses_are_missing_wrong_or_shared_as_in_life():
    found = [usable(row["email"]) for row in whole().clients]
    missing = sum(not isinstance(one, Address) and one.missing for one in found)
    wrong = sum(not isinstance(one, Address) and not one.missing for one in found)
    keys = Counter(one.key for one in found if isinstance(one, Address))
    shared = sum(times - 1 for times in keys.values())
    mended = sum(isinstance(one, Address) and one.repair is not None for one in found)
    assert 10 <= missing <= 60
    assert 10 <= wrong <= 60
    assert 20 <= shared <= 120
    assert 5 <= mended <= 60


def test_holdings_go_with_their_client():
    status = {row["number"]: row["status"] for row in whole().clients}
    for row in whole().services:
        if status[row["client_number"]] == ClientStatus.TERMINATE:
            assert row["status"] != HoldingStatus.ACTIVE
        if row["status"] == HoldingStatus.SUSPENDED:
            assert row["next_due_on"] < TODAY
        if row["status"] == HoldingStatus.TERMINATED:
            assert row["next_due_on"] is None


def test_all_of_it_fits_the_database(session: Session):
    seed_clients(session, 300)
    session.commit()
    counts = [session.scalar(select(func.count()).select_from(one)) for one in (Client, Service, Addon, Product)]
    assert counts[0] == 300
    assert counts[1] > 300
    assert counts[2:] == [8, 12]
    assert session.scalar(select(func.count()).select_from(AddonAssignment)) > 50
    assert session.scalar(select(func.count()).where(Client.address.is_not(None))) > 280
