"""The languages of the pages for everybody, each by its own name."""

from flask import g, has_request_context

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
}


def spoken() -> str:
    """The language of this request: what its view has chosen, English for the console."""
    return g.get("page_language", "en") if has_request_context() else "en"
