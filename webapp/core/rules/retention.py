"""How long personal data is kept that is needed for a while only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.core.errors import Invalid

LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which these are removed: uploaded files that nobody went on with (`uploads_days`); what each mail said to its client, from
    the end of its broadcast on, and the rows that an import refused (`values_days`)."""

    uploads_days: int = 7
    values_days: int = 90

    def uploads_before(self, now: datetime) -> datetime:
        """Files uploaded before this instant are removed."""
        return now - timedelta(days=self.uploads_days)

    def values_before(self, now: datetime) -> datetime:
        """Values of broadcasts that ended, and refused rows of imports that began, before this instant are removed."""
        return now - timedelta(days=self.values_days)


KEPT = Retention()


def check(retention: Retention) -> Retention:
    """The same. Raises Invalid, with the name of the field, where a number of days makes no sense."""
    for name in ("uploads_days", "values_days"):
        if not 1 <= getattr(retention, name) <= LONGEST_DAYS:
            raise Invalid(f"Use 1 to {LONGEST_DAYS:,} days.", name)
    return retention
