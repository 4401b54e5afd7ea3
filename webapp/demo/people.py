"""People and firms for the demo, made up from `people.toml`: names in their own scripts, and how they are written in Latin letters."""

import random
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from webapp.demo.weighted import Lots

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
LETTERS = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ß": "ss", "’": "", "'": ""})


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as written, and in Latin letters: for an address (`slug`, ASCII) and to be read (`latin`)."""

    written: str
    latin: str
    slug: str


@dataclass(frozen=True, slots=True)
class LanguageNames:
    """The names of one language. A family is a pair: the form for men and the form for women."""

    women: tuple[PersonName, ...]
    men: tuple[PersonName, ...]
    families: tuple[tuple[PersonName, PersonName], ...]
    firms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Speakers:
    """People of a country with the same language; `latin` when their names are written in Latin letters."""

    language: str
    names: LanguageNames
    latin: bool


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    currency: str
    cities: tuple[PersonName, ...]
    speakers: Lots[Speakers]


@dataclass(frozen=True, slots=True)
class Person:
    first: str
    last: str
    city: str
    country: Country
    language: str
    company: str
    user: str
    """The part of an address before the @."""
    domain_word: str
    """First label of a domain of theirs."""


class People:
    """Makes up people, each by the given source of chance."""

    def __init__(self) -> None:
        data = tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))
        names = {language: _names(language, entry) for language, entry in data["names"].items()}
        weights = {_country(code, entry, names): entry["weight"] for code, entry in data["countries"].items()}
        self.countries = Lots(weights)

    def someone(self, chance: random.Random) -> Person:
        country = self.countries.draw(chance)
        speakers = country.speakers.draw(chance)
        names, woman = speakers.names, chance.random() < 0.47
        first = chance.choice(names.women if woman else names.men)
        family = chance.choice(names.families)[woman]
        city = chance.choice(country.cities)
        firm, word = chance.choice(names.firms) if chance.random() < 0.44 else ("", "")
        latin = speakers.latin
        if latin and firm and not firm.isascii():
            firm = "{family} " + word.title()
        return Person(
            first=first.latin if latin else first.written,
            last=family.latin if latin else family.written,
            city=city.latin if latin or not _same_script(city, first) else city.written,
            country=country,
            language=speakers.language,
            company=firm.format(family=family.latin if latin else family.written),
            user=f"{first.slug}.{family.slug}",
            domain_word=f"{family.slug}-{word}" if firm else f"{first.slug}-{family.slug}",
        )


@cache
def _same_script(city: PersonName, name: PersonName) -> bool:
    """Whether a person writes the city as the people there do: a Briton in Dubai does not."""
    return city.written == city.latin or name.written != name.latin


def _names(language: str, entry: dict[str, Any]) -> LanguageNames:
    def several(text: str) -> tuple[PersonName, ...]:
        return tuple(_name(language, one) for one in text.split(", "))

    families = []
    for one in entry["families"].split(", "):
        for_men, _, rest = one.partition("|")
        latin = rest.partition(" ")[2] or for_men.partition(" ")[2]
        if rest and not _is_latin(one):
            families.append((_name(language, f"{for_men} {latin}"), _name(language, rest)))
        else:
            families.append((_name(language, for_men), _name(language, rest or for_men)))
    firms = tuple(tuple(one.split(" = ")) for one in entry["firms"])
    return LanguageNames(several(entry["women"]), several(entry["men"]), tuple(families), firms)


def _country(code: str, entry: dict[str, Any], names: dict[str, LanguageNames]) -> Country:
    speakers = {}
    for people, weight in entry["people"].items():
        language, _, names_of = people.partition(":")
        speakers[Speakers(language, names[names_of or language], bool(names_of))] = weight
    cities = tuple(_name("", city) for city in entry["cities"].split(", "))
    return Country(code, entry.get("currency", "EUR"), cities, Lots(speakers))


def _name(language: str, text: str) -> PersonName:
    if _is_latin(text):
        plain = text.lower().translate(UMLAUTS) if language == "de" else text
        return PersonName(text, text, _slug(plain))
    written, _, latin = text.rpartition(" ")
    return PersonName(written, latin.replace("-", " ").title(), _slug(latin))


def _is_latin(text: str) -> bool:
    return unicodedata.name(text[0], "").startswith(("LATIN", "APOSTROPHE"))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
