"""What the business decided about consent: how unknown choices count, who it is on public pages, how addresses are kept, what bounces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid
from webapp.core.rules.address_hashes import address_hash, is_hash
from webapp.core.rules.consent import EUROPE
from webapp.core.rules.final_refusals import RefusalRule, rules_of
from webapp.core.tables.consent import ConsentSettings

THE_ROW = 1
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONGEST = {"business_name": 200, "postal_address": 400}


@dataclass(frozen=True)
class Consent:
    """The settings in force; their meaning stands with `ConsentSettings`. `rules` has a rule for each reason of a final refusal."""

    unknown_is_in: bool = True
    unknown_is_in_europe: bool = False
    business_name: str = ""
    colour: str = "#2454a6"
    postal_address: str = ""
    keep_hashed: bool = False
    soft_bounces: int = 3
    soft_bounce_days: int = 14
    brake_bounced_percent: float = 2.0
    brake_complained_percent: float = 0.1
    may_count: bool = False
    rules: Mapping[str, RefusalRule] = field(default_factory=lambda: rules_of({}))
    hash_key: str = field(default="", repr=False)

    def kept_as(self, address_key: str) -> str:
        """The form in which an address is kept from now on."""
        return self._hashed(address_key) if self.keep_hashed else address_key

    def forms(self, address_key: str) -> tuple[str, ...]:
        """The forms in which an address may be kept; of a hash only itself."""
        return (address_key,) if is_hash(address_key) else (address_key, self._hashed(address_key))

    def counts_as_in(self, choice: bool | None, country: str | None) -> bool:
        """Whether marketing goes to a client with this choice, who lives in this country, as far as nothing else speaks against it."""
        if choice is not None:
            return choice
        return self.unknown_is_in_europe if country in EUROPE else self.unknown_is_in

    def _hashed(self, address_key: str) -> str:
        return address_key if is_hash(address_key) else address_hash(self.hash_key, address_key)


def read(session: Session) -> Consent:
    """What is in force."""
    row = session.get_one(ConsentSettings, THE_ROW, populate_existing=True)
    same = {one.name: getattr(row, one.name) for one in fields(Consent) if one.name != "rules"}
    return Consent(**same, rules=rules_of(row.refusal_rules))


def save(session: Session, wanted: Consent) -> None:
    """Have these heeded from now on. How addresses are kept has its own way (`keep_hashed`). Raises Invalid."""
    checked = _checked(wanted)
    apart = {"rules", "hash_key", "keep_hashed"}
    values: dict[str, Any] = {one.name: getattr(checked, one.name) for one in fields(Consent) if one.name not in apart}
    values["refusal_rules"] = {reason: int(rule) for reason, rule in checked.rules.items()}
    _change(session, values)


def keep_hashed(session: Session) -> None:
    """Keep addresses as hashes from now on. There is no way back: what is a hash cannot be read any more."""
    _change(session, {"keep_hashed": True})


def _change(session: Session, values: dict[str, Any]) -> None:
    session.execute(update(ConsentSettings).where(ConsentSettings.id == THE_ROW).values(values))


def _checked(wanted: Consent) -> Consent:
    for name, most in _LONGEST.items():
        if len(getattr(wanted, name)) > most:
            raise Invalid(f"This is longer than {most} characters.", name)
    if not _COLOUR.fullmatch(wanted.colour.lower()):
        raise Invalid("A colour is written as # and six digits from 0 to f.", "colour")
    for name, least, most in (("soft_bounces", 0, 100), ("soft_bounce_days", 1, 365)):
        if not least <= getattr(wanted, name) <= most:
            raise Invalid(f"A number from {least} to {most}.", name)
    for name in ("brake_bounced_percent", "brake_complained_percent"):
        if not 0 <= getattr(wanted, name) <= 100:
            raise Invalid("Percent, from 0 to 100.", name)
    return replace(wanted, colour=wanted.colour.lower(), business_name=wanted.business_name.strip())
