"""The demo's clients with their services and addons: plausible, and the same at every start with the same number and day.

A few are as in life: without an address, with one that cannot be used, with one that somebody else has too.
"""

import random
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count as numbers_from
from typing import Any

from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.demo import catalogue
from webapp.demo.people import People, Person
from webapp.demo.weighted import Lots

SEED = 20091
FIRST_CLIENT, FIRST_SERVICE, FIRST_ADDON = 200_001, 700_001, 2_000_001
"""Numbers far from those of a small export, so that trying an import does not change made-up clients."""
BEGAN = date(2009, 4, 1)
"""When this hosting business had its first client."""
CLIENTS_A_CHUNK = 2000

PRIVATE = ("example.com", "mail.example.com", "example.org", "post.example.net", "inbox.example.org", "example.net")
FIRM = ("example.com", "example.com", "example.net", "example.org")
SPOILED = (
    "{user}",
    "{user}@",
    "@example.com",
    "{user}@@example.com",
    "{user}@example",
    "n/a",
    "{user} @ example.com",
    "jörg@example.com",
    "{user}@exam_ple..com",
)
REPAIRABLE = (
    "{first} {last} <{address}>",
    "{address};buchhaltung@example.org",
    "mailto:{address}",
    "{address}.",
    "info@{idn}.example.com",
)
IDN = ("bäckerei-müller", "größe", "кав’ярня", "δοκιμή", "例え", "pâtisserie")

CLIENT_STATUSES = Lots(catalogue.CLIENT_STATUSES)
HOLDING_STATUSES = {status: Lots(weights) for status, weights in catalogue.HOLDING_STATUSES.items()}
PRODUCTS = Lots({ware: ware.weight for ware in catalogue.PRODUCTS})
ADDONS = Lots(catalogue.ADDONS)
HOW_MANY_SERVICES = Lots({0: 7, 1: 55, 2: 22, 3: 10, 4: 4, 6: 2})
HOW_MANY_ADDONS = Lots({1: 70, 2: 23, 3: 7})
OPT_IN = Lots({True: 56, False: 25, None: 19})

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Chunk:
    """Rows as `core.clients.insert_many` takes them."""

    clients: list[Row]
    services: list[Row]
    addons: list[Row]


class Population:
    """`size` made-up clients as of `today`."""

    def __init__(self, size: int, today: date):
        self.size, self.today = size, today
        self._chance = random.Random(SEED)
        self._people = People()
        self._taken: dict[str, int] = {}
        self._recent: deque[tuple[str, str]] = deque(maxlen=40)
        self._service_numbers = numbers_from(FIRST_SERVICE)
        self._addon_numbers = numbers_from(FIRST_ADDON)

    def chunks(self) -> Iterator[Chunk]:
        """All rows, some thousand clients at a time, each with what they hold."""
        for begin in range(0, self.size, CLIENTS_A_CHUNK):
            chunk = Chunk([], [], [])
            for index in range(begin, min(begin + CLIENTS_A_CHUNK, self.size)):
                self._add_client(index, chunk)
            yield chunk

    def _add_client(self, index: int, chunk: Chunk) -> None:
        chance = self._chance
        person = self._people.someone(chance)
        status = CLIENT_STATUSES.draw(chance)
        email, company = self._email(person)
        age = (self.today - BEGAN).days * (1 - ((index + 0.5) / self.size) ** 0.8)
        number = str(FIRST_CLIENT + index)
        chunk.clients.append(
            {
                "number": number,
                "first_name": person.first,
                "last_name": person.last,
                "company": company,
                "email": email,
                "city": person.city,
                "country": person.country.code if chance.random() > 0.004 else None,
                "language": person.language if chance.random() > 0.012 else None,
                "status": status,
                "client_since": self.today - timedelta(days=round(age)),
                "marketing_opt_in": OPT_IN.draw(chance),
            }
        )
        for place in range(HOW_MANY_SERVICES.draw(chance)):
            self._add_service(number, person, status, place, chunk)

    def _add_service(self, client: str, person: Person, client_status: ClientStatus, place: int, chunk: Chunk) -> None:
        chance = self._chance
        ware = PRODUCTS.draw(chance)
        status = HOLDING_STATUSES[client_status].draw(chance)
        number = str(next(self._service_numbers))
        prefix = ("", "", "shop-", "blog-", "dev-", "app-")[place]
        chunk.services.append(
            {
                "number": number,
                "client_number": client,
                "group": ware.group,
                "product": ware.name,
                "domain": f"{prefix}{person.domain_word}{'' if place != 1 else '-' + number[-3:]}.example.net",
                "status": status,
                "price": catalogue.price(ware, person.country.currency),
                "currency": person.country.currency,
                "next_due_on": self._due(status, ware.months),
            }
        )
        if chance.random() < 0.34:
            for addon in dict.fromkeys(ADDONS.draw(chance) for _ in range(HOW_MANY_ADDONS.draw(chance))):
                chunk.addons.append(
                    {
                        "number": str(next(self._addon_numbers)),
                        "service_number": number,
                        "addon": addon,
                        "status": status if chance.random() < 0.85 else HOLDING_STATUSES[client_status].draw(chance),
                    }
                )

    def _due(self, status: HoldingStatus, months: int) -> date | None:
        """When the next payment is due: overdue where the service is suspended for it, never where it has ended."""
        if status == HoldingStatus.TERMINATED:
            return None
        if status == HoldingStatus.SUSPENDED:
            return self.today - timedelta(days=self._chance.randint(8, 60))
        if status == HoldingStatus.INACTIVE and self._chance.random() < 0.5:
            return None
        return self.today + timedelta(days=self._chance.randint(0, 30 * months))

    def _email(self, person: Person) -> tuple[str, str]:
        """What stands in the client's e-mail field, and their company, which is that of somebody else when they share an address."""
        chance, fate = self._chance, self._chance.random()
        if fate < 0.006:
            return "", person.company
        if fate < 0.012:
            return chance.choice(SPOILED).format(user=person.user), person.company
        if fate < 0.024 and self._recent:
            address, company = chance.choice(self._recent)
            return address.upper() if chance.random() < 0.3 else address, company
        address = self._address(person)
        if fate < 0.028:
            whole = chance.choice(REPAIRABLE)
            return whole.format(
                first=person.first, last=person.last, address=address, idn=chance.choice(IDN)
            ), person.company
        self._recent.append((address, person.company))
        return address, person.company

    def _address(self, person: Person) -> str:
        """An address of their own, under a domain that can never be anybody's (RFC 2606)."""
        chance = self._chance
        if person.company:
            user = chance.choice(("info", "office", person.user.partition(".")[0], person.user))
            domain = f"{person.domain_word}.{chance.choice(FIRM)}"
        else:
            user, domain = person.user, chance.choice(PRIVATE)
        again = self._taken.get(f"{user}@{domain}", 0)
        self._taken[f"{user}@{domain}"] = again + 1
        return f"{user}{again + 1 if again else ''}@{domain}"
