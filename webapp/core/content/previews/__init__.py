"""Previews: a draft as one of its recipients would get it, and who is worth looking at."""

from webapp.core.content.previews.mail import Preview, mails, preview
from webapp.core.content.previews.people import Extreme, Person, at, extremes, search

__all__ = ["Extreme", "Person", "Preview", "at", "extremes", "mails", "preview", "search"]
