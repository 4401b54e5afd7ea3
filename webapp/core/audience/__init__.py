"""Audiences: who a broadcast is for. One SELECT, `recipients()`, says it for the list, the explanation and the freeze; the count and the
numbers behind each choice answer the same from memory, where an audience of a million takes milliseconds."""

from webapp.core.audience.choices import Choice, Criterion, choices
from webapp.core.audience.counting import AudienceCount, Selected, Term, count, select_terms
from webapp.core.audience.directory import client_count, directory
from webapp.core.audience.explain import Explanation, explain
from webapp.core.audience.filter import CRITERIA, UNKNOWN, Audience, AudienceFilter, audience_of, criteria_of, texts_of
from webapp.core.audience.listing import (
    Listing,
    Recipient,
    client_name,
    find_clients,
    listing,
    recipients_among,
    sample,
    sample_of,
)
from webapp.core.audience.makeup import Makeup, by_country, makeup
from webapp.core.audience.memory import is_warm
from webapp.core.audience.overrides import has_picks, pick, picks_of
from webapp.core.audience.receiving import to_receivers
from webapp.core.audience.selection import recipients
from webapp.core.audience.texts import TextCount, count_texts, receivers_by_text
from webapp.core.audience.wording import in_words, language_name

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
    "Makeup",
    "Recipient",
    "Selected",
    "Term",
    "TextCount",
    "audience_of",
    "by_country",
    "choices",
    "client_count",
    "client_name",
    "count",
    "count_texts",
    "criteria_of",
    "directory",
    "explain",
    "find_clients",
    "has_picks",
    "in_words",
    "is_warm",
    "language_name",
    "listing",
    "makeup",
    "pick",
    "picks_of",
    "receivers_by_text",
    "recipients",
    "recipients_among",
    "sample",
    "sample_of",
    "select_terms",
    "texts_of",
    "to_receivers",
]
