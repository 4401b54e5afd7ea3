"""A database of any size for measuring audiences: clients with skewed countries and statuses, services, addons, shared and missing
addresses, suppressions. Deterministic, and written by the quickest way into each database, past the ORM."""

import random
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Addon, AddonAssignment, Client, Product, Service
from webapp.core.tables.consent import Suppression

COUNTRIES = tuple(re.findall("..", "DEUSGBFRINBRNLESITPLATCHCZSENODKFIPTGRTRJPCNKRID"))
LANGUAGES = (
    "de",
    "en",
    "fr",
    "es",
    "pt-BR",
    "nl",
    "it",
    "pl",
    "cs",
    "sv",
    "nb",
    "da",
    "fi",
    "pt",
    "el",
    "tr",
    "ja",
    "zh",
)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def fill(
    session: Session, clients: int, *, services: int | None = None, addons: int | None = None, seed: int = 1
) -> None:
    """Fill empty tables with `clients` clients, `services` (twice as many if not given) and `addons` (half as many). Commits.

    Of the clients 3 % share an address with another, 1 % have none, 0.5 % one that cannot be used, and 1 % are suppressed.
    """
    chance = random.Random(seed)
    session.execute(
        insert(Product),
        [{"id": n, "group_name": f"Group {n % 4}", "name": f"Product {n}"} for n in range(1, 13)],
    )
    session.execute(insert(Addon), [{"id": n, "name": f"Addon {n}"} for n in range(1, 9)])
    session.commit()
    services = clients * 2 if services is None else services
    addons = clients // 2 if addons is None else addons
    _load(session, Client.__tablename__, _CLIENT, _clients(chance, clients))
    _load(session, Service.__tablename__, _SERVICE, _services(chance, clients, services))
    _load(session, AddonAssignment.__tablename__, _ADDON, _addons(chance, clients, services, addons))
    suppressed = sorted(chance.sample(range(1, clients + 1), clients // 100))
    rows = ((f"client{n}@example.com", "bounced", "everything", "hard bounce", NOW) for n in suppressed)
    _load(session, Suppression.__tablename__, ("address_key", "kind", "scope", "reason", "created_at"), rows)
    if session.get_bind().dialect.name == "postgresql":
        for table in ("client", "service", "addon_assignment", "product", "addon"):
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))
    session.commit()


_CLIENT = (
    *(
        "id",
        "number",
        "first_name",
        "last_name",
        "company",
        "email",
        "address",
        "address_key",
        "address_problem",
        "city",
    ),
    *("country", "language", "status", "client_since", "marketing_opt_in", "search_text", "created_at", "updated_at"),
)
_SERVICE = ["id", "number", "client_id", "product_id", "domain", "status", "price", "currency", "next_due_on"]
_ADDON = ["id", "number", "client_id", "service_id", "addon_id", "status"]
_STATUSES = list(ClientStatus)
_HOLDING = list(HoldingStatus)


def _clients(chance: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    countries = chance.choices(COUNTRIES, [1 / (n + 1) for n in range(len(COUNTRIES))], k=count)
    statuses = chance.choices(_STATUSES, [4, 1, 80, 3, 5, 7], k=count)
    for n, country, status in zip(range(1, count + 1), countries, statuses, strict=True):
        luck = chance.random()
        email: str = f"client{n}@example.com"
        if luck < 0.015 and n > 1:
            email = f"client{chance.randrange(1, n)}@example.com"
        elif luck < 0.025:
            email = ""
        elif luck < 0.030:
            email = "nobody at example"
        usable = "@" in email
        language = LANGUAGES[COUNTRIES.index(country) * 7 % 18] if luck > 0.2 else "en"
        yield (
            n, str(n), "Ada", f"Example{n}", "", email, email if usable else None, email if usable else None,
            None if usable else "no @", "Berlin", country, language, status.value, date(2020, 1, 1), True,
            f"{n} ada example{n} {email}", NOW, NOW,
        )  # fmt: skip


def _services(chance: random.Random, clients: int, count: int) -> Iterator[tuple[Any, ...]]:
    statuses = chance.choices(_HOLDING, [70, 8, 10, 12], k=count)
    for n, status in zip(range(1, count + 1), statuses, strict=True):
        due = None if n % 20 == 0 else TODAY + timedelta(days=chance.randrange(-60, 365))
        product = min(12, 1 + int(chance.expovariate(0.25)))
        yield n, str(n), chance.randrange(1, clients + 1), product, f"s{n}.example.net", status.value, 9.9, "EUR", due


def _addons(chance: random.Random, clients: int, services: int, count: int) -> Iterator[tuple[Any, ...]]:
    for n in range(1, count + 1):
        status = chance.choice(_HOLDING).value
        yield (
            n,
            str(n),
            chance.randrange(1, clients + 1),
            chance.randrange(1, services + 1),
            chance.randrange(1, 9),
            status,
        )


def _load(session: Session, table: str, columns: Iterable[str], rows: Iterator[tuple[Any, ...]]) -> None:
    columns = tuple(columns)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    if session.get_bind().dialect.name == "postgresql":
        with driver.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        plain = (tuple(_plain(value) for value in row) for row in rows)
        driver.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", plain)
    session.commit()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ") + ".000000"
    return value.isoformat() if isinstance(value, date) else value
