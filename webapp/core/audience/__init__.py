"""Audiences: who a broadcast is for. One SELECT, `recipients()`, says it for the list, the explanation and the freeze; the count and the
numbers behind each choice answer the same from memory, where an audience of a million takes milliseconds."""

from webapp.core.audience.choices import Choice, Criterion, choices
from webapp.core.audience.counting import AudienceCount, Term, count, select_terms
from webapp.core.audience.explain import Explanation, explain
from webapp.core.audience.filter import CRITERIA, UNKNOWN, Audience, AudienceFilter, audience_of, criteria_of
from webapp.core.audience.listing import Listing, Recipient, listing, sample
from webapp.core.audience.picks import copy_picks, pick, picks_of
from webapp.core.audience.selection import recipients
from webapp.core.audience.words import in_words

__all__ = [
    "CRITERIA",
    "UNKNOWN",
    "Audience",
    "AudienceCount",
    "AudienceFilter",
    "Choice",
    "Criterion",
    "Explanation",
    "Listing",
    "Recipient",
    "Term",
    "audience_of",
    "choices",
    "copy_picks",
    "count",
    "criteria_of",
    "explain",
    "in_words",
    "listing",
    "pick",
    "picks_of",
    "recipients",
    "sample",
    "select_terms",
]
