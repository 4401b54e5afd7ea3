"""Audiences: who a broadcast is for. One SELECT, `recipients()`, says it for the list, the explanation and the freeze; the count and the
numbers behind each choice answer the same from memory, where an audience of a million takes milliseconds."""

from webapp.core.audience.filter import CRITERIA, UNKNOWN, Audience, AudienceFilter, audience_of, criteria_of
from webapp.core.audience.picks import copy_picks, pick, picks_of
from webapp.core.audience.selection import recipients

__all__ = [
    "CRITERIA",
    "UNKNOWN",
    "Audience",
    "AudienceFilter",
    "audience_of",
    "copy_picks",
    "criteria_of",
    "pick",
    "picks_of",
    "recipients",
]
