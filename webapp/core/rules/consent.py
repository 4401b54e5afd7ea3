"""Consent: what may be declined and what must be told, and why an address must not be mailed."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a broadcast is for. A broadcast that was made before this was asked has none: nobody can decline it."""

    MARKETING = "marketing"
    IMPORTANT = "important"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def meaning(self) -> str:
        return {
            Purpose.MARKETING: "Offers and news. Whoever declined does not get it, and each mail has a link to unsubscribe.",
            Purpose.IMPORTANT: "Account, security, maintenance or legal: it must be told, also to those who declined marketing.",
        }[self]


class SuppressionKind(StrEnum):
    """Why an address must not be mailed."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BY_HAND = "by_hand"
    IMPORTED = "imported"

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


class SuppressionScope(StrEnum):
    """What must not be sent to it."""

    MARKETING = "marketing"
    EVERYTHING = "everything"

    @property
    def label(self) -> str:
        return self.value


class SuppressionAction(StrEnum):
    """What somebody did to a suppression."""

    ADDED = "added"
    CHANGED = "changed"
    LIFTED = "lifted"


class EntryFate(StrEnum):
    """What becomes of a row of a list of suppressions."""

    NEW = "new"
    WIDER = "wider"
    """It was suppressed for marketing alone, and is for everything from now on."""
    KNOWN = "known"
    """It is suppressed so already, or stands further up in the list."""
    FREE = "free"
    """The list says that it may be mailed."""
    REFUSED = "refused"
    """It cannot be read."""

    @property
    def label(self) -> str:
        return {
            EntryFate.NEW: "new",
            EntryFate.WIDER: "widened to everything",
            EntryFate.KNOWN: "known already",
            EntryFate.FREE: "may be mailed",
            EntryFate.REFUSED: "refused",
        }[self]


USUAL_SCOPE = {
    SuppressionKind.UNSUBSCRIBED: SuppressionScope.MARKETING,
    SuppressionKind.BOUNCED: SuppressionScope.EVERYTHING,
    SuppressionKind.COMPLAINED: SuppressionScope.EVERYTHING,
    SuppressionKind.BY_HAND: SuppressionScope.EVERYTHING,
    SuppressionKind.IMPORTED: SuppressionScope.EVERYTHING,
}
"""The scope of a kind, where nobody says another."""

_CODES = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
EUROPE = tuple(_CODES.split())
"""The European Union with Iceland, Liechtenstein and Norway (ISO 3166 alpha-2): there, marketing by mail asks for a consent
(Directive 2002/58/EC, article 13)."""

LONGEST_REASON = 200
"""Characters of a reason that are kept."""
