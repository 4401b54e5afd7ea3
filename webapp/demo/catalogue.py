"""What the demo's clients hold: products, addons, and the statuses that go with a client's own."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from webapp.core.rules.statuses import ClientStatus, HoldingStatus


@dataclass(frozen=True, slots=True)
class Ware:
    """A product with its price in euros; `months` is how long one payment lasts, `weight` how many hold it."""

    group: str
    name: str
    price: Decimal
    months: int
    weight: int


PRODUCTS = (
    Ware("Shared Hosting", "Web Start, 5 GB", Decimal("35.88"), 12, 22),
    Ware("Shared Hosting", "Web Pro, 50 GB", Decimal("83.88"), 12, 26),
    Ware("Shared Hosting", "Web Agency, 250 GB", Decimal("299.00"), 12, 7),
    Ware("Cloud Servers", "VPS-1", Decimal("5.90"), 1, 10),
    Ware("Cloud Servers", "VPS-2", Decimal("11.90"), 1, 14),
    Ware("Cloud Servers", "VPS-4", Decimal("23.90"), 1, 9),
    Ware("Cloud Servers", "VPS-8", Decimal("47.90"), 1, 4),
    Ware("Dedicated Servers", "EPYC 16", Decimal("119.00"), 1, 2),
    Ware("Dedicated Servers", "EPYC 32", Decimal("199.00"), 1, 1),
    Ware("Kubernetes", "K8s Cluster S", Decimal("89.00"), 1, 2),
    Ware("E-Mail", "Mailbox 10", Decimal("29.90"), 12, 12),
    Ware("Storage", "Object Storage, 1 TB", Decimal("6.90"), 1, 5),
)

ADDONS = {
    "Daily Backup": 24,
    "SSL Wildcard": 18,
    "Dedicated IPv4": 13,
    "cPanel Licence": 12,
    "DDoS Protection": 7,
    "Managed Support": 6,
    "Monitoring": 10,
    "Extra 100 GB NVMe": 5,
}
"""Addons, and how many hold them."""

PER_EURO: dict[str, int | Decimal] = {
    "EUR": 1, "CHF": 1, "GBP": Decimal("0.86"), "USD": Decimal("1.09"), "CAD": Decimal("1.5"), "MXN": 20, "BRL": 6,
    "PLN": Decimal("4.3"), "UAH": 45, "AED": 4, "ILS": 4, "INR": 90, "CNY": Decimal("7.8"), "JPY": 160, "KRW": 1480,
    "THB": 38, "VND": 27500,
}  # fmt: skip
WHOLE_UNITS = frozenset({"JPY", "KRW", "VND"})
"""Currencies in which nobody counts hundredths."""

CLIENT_STATUSES = {
    ClientStatus.ACTIVE: 72,
    ClientStatus.SUSPEND: 9,
    ClientStatus.TERMINATE: 8,
    ClientStatus.PENDING: 6,
    ClientStatus.FREEZE: 3,
    ClientStatus.BLOCKED: 2,
}

H = HoldingStatus
HOLDING_STATUSES = {
    ClientStatus.ACTIVE: {H.ACTIVE: 88, H.INACTIVE: 4, H.SUSPENDED: 3, H.TERMINATED: 5},
    ClientStatus.SUSPEND: {H.SUSPENDED: 80, H.ACTIVE: 8, H.TERMINATED: 12},
    ClientStatus.TERMINATE: {H.TERMINATED: 95, H.SUSPENDED: 5},
    ClientStatus.PENDING: {H.INACTIVE: 92, H.ACTIVE: 8},
    ClientStatus.FREEZE: {H.INACTIVE: 70, H.SUSPENDED: 30},
    ClientStatus.BLOCKED: {H.SUSPENDED: 75, H.TERMINATED: 25},
}


@cache
def price(ware: Ware, currency: str) -> Decimal:
    """The ware's price in `currency`, rounded as price lists are."""
    amount = ware.price * PER_EURO[currency]
    if currency in WHOLE_UNITS:
        return amount.quantize(Decimal("1E1")).quantize(Decimal(1))
    return amount.quantize(Decimal("0.1")) if amount < 1000 else amount.quantize(Decimal(1))
