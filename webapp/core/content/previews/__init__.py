"""Previews: a draft as one of its recipients would get it, and who is worth looking at."""

from webapp.core.content.previews.mail import EXAMPLE_ADDRESS, DraftPreview, mails, preview
from webapp.core.content.previews.people import Extreme, PreviewRecipient, at, extremes, extremes_of, search

__all__ = [
    "EXAMPLE_ADDRESS",
    "DraftPreview",
    "Extreme",
    "PreviewRecipient",
    "at",
    "extremes",
    "extremes_of",
    "mails",
    "preview",
    "search",
]
