"""Broadcasts in several languages: which text a client gets, how a language is written, what of a text a translation does not know yet.

choosing.py      the rule which text a client gets, the same for the count, the list, the freeze and the sender
directions.py    whether a language is written from right to left
translations.py  what has changed in a text since it was translated
"""

from webapp.core.rules.languages.choosing import MAIN, Cases, Texts, WithoutText, cases_of
from webapp.core.rules.languages.directions import direction, is_right_to_left

__all__ = ["MAIN", "Cases", "Texts", "WithoutText", "cases_of", "direction", "is_right_to_left"]
