"""People and contents in more than twenty scripts, and what each mail must say, written down beside the templates and not taken from them.

Among them: addresses with international domains and such with letters outside ASCII before the @, emoji, text from right to left, words
of 900 characters, subjects and names of several hundred, and texts whose accents stand beside their letters.
"""

import csv
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from tests.core.rules.message.scripts import SCRIPTS

CASES = SCRIPTS | {"ASCII": ("Anna", "Bell", "Bell & Sons, Ltd", "The quick brown fox jumps over the lazy dog")}
FAMILY_NAME_FIRST = ("Han", "Kana", "Hangul")
_CODES = "DE VN GR UA AM GE IL SA IR PK IN BD MY SG LK TH MM CN JP KR ET US GB"
COUNTRIES = _CODES.split(" ")
"""One for each case: by it a broadcast finds its clients."""

DOMAINS = (
    ("bücher.example", "xn--bcher-kva.example"),
    ("straße.example", "xn--strae-oqa.example"),
    ("παράδειγμα.example", "xn--hxajbheg2az3al.example"),
    ("испытание.example", "xn--80akhbyknj4f.example"),
    ("例え.example", "xn--r8jz45g.example"),
    ("测试.example", "xn--0zwm56d.example"),
    ("테스트.example", "xn--9t4b11yi5a.example"),
    ("परीक्षा.example", "xn--11b5bs3a9aj6g.example"),
    ("إختبار.example", "xn--kgbechtv.example"),
    ("טעסט.example", "xn--deba0ad.example"),
    ("பரிட்சை.example", "xn--hlcj6aya9esc7a.example"),
)
"""International domains as people write them, and in ASCII (IDNA2008); most are those with which IANA tried them out."""

COLUMNS = ("Client ID", "First Name", "Last Name", "Company Name", "Email", "Country", "Language", "Status")


@dataclass(frozen=True)
class Person:
    """A client as a billing panel writes them, `country` telling the case. `rcpt_to` is where their mail must go."""

    number: str
    first: str
    last: str
    company: str
    email: str
    country: str
    rcpt_to: str

    @property
    def full(self) -> str:
        family_first = any(self.first == CASES[case][0] for case in FAMILY_NAME_FIRST)
        return f"{self.last}{self.first}" if family_first else f"{self.first} {self.last}"


@dataclass(frozen=True)
class Letter:
    """The content of the case's broadcast. `sender` is its From."""

    case: str
    country: str
    sender: tuple[str, str]
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Meant:
    """What one mail says. `html` is the text of each paragraph, then where its link leads and what that is called."""

    subject: str
    from_: tuple[str, str]
    to: tuple[str, str]
    text: str
    html: tuple[str, ...]


def people(count: int, seed: int) -> list[Person]:
    """So many clients for each case, with names in all scripts."""
    chance = random.Random(seed)
    found = []
    for country in COUNTRIES[: len(CASES)]:
        for number in range(count):
            found.append(_person(chance, country, len(found) + 1, number))
    return found


def _person(chance: random.Random, country: str, serial: int, number: int) -> Person:
    first, last, company, _ = CASES[chance.choice(list(CASES))]
    if number % 9 == 8:
        last = (last * 190)[:190].strip()
    if number % 4 == 3:
        company = ""
    local, domain = f"client{serial}", ("example.com", "example.com")
    if number % 3 == 0:
        letters = "".join(letter for letter in _nfc(first) if unicodedata.category(letter)[0] in "LMNS")
        local = f"{letters}.{serial}"
    elif number % 7 == 1:
        local = f"{'a' * 60}{serial}"[-64:]
    if number % 5 in (1, 3):
        domain = chance.choice(DOMAINS)
    return Person(str(serial), first, last, company, f"{local}@{domain[0]}", country, f"{local}@{domain[1]}")


def write(path: Path, everybody: Sequence[Person], *, apart: bool) -> None:
    """The clients as a file to import; with `apart`, every other one's accents stand beside their letters (NFD)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for place, one in enumerate(everybody):
            row = [one.number, one.first, one.last, one.company, one.email, one.country, "english", "Active"]
            rows.writerow([unicodedata.normalize("NFD", cell) for cell in row] if apart and place % 2 else row)


def letters() -> list[Letter]:
    """A letter for each case."""
    return [_letter(place, case) for place, case in enumerate(CASES)]


def _letter(place: int, case: str) -> Letter:
    _, _, company, sentence = CASES[case]
    word = long_word(sentence)
    name = company.replace("<", "").replace(">", "")
    if place % 4 == 0:
        name = " ".join([name] * 9)
    subject = (
        f"{sentence} {{{{ first_name }}}}",
        f"{{{{ company | default: '–' }}}}: {' '.join([sentence] * 12)}",
        f"{word} {{{{ first_name }}}}",
    )[place % 3]
    text = (
        f"{sentence}, {{{{ full_name }}}}!\n\n.{word} {{{{ company }}}}\n"
        "From {{ email }}: {% if company %}a company{% else %}a person{% endif %} {{ client_id }}\n"
    )
    html = (
        f"<p>{sentence}, {{{{ full_name }}}}!</p><p>.{word} {{{{ company }}}}</p>"
        "<p>From {{ email }}: {% if company %}a company{% else %}a person{% endif %} {{ client_id }}</p>"
        '<p><a href="https://x.example/{{ client_id }}?n={{ first_name }}" title="{{ company }}">{{ full_name }}</a></p>'
    )
    sender = name, f"news{place}@{DOMAINS[place % len(DOMAINS)][1]}"
    return Letter(case, COUNTRIES[place], sender, subject, text, html)


def meant(letter: Letter, person: Person) -> Meant:
    """What the mail with this letter to this person says."""
    sentence = CASES[letter.case][3]
    word = long_word(sentence)
    first, last, company, email, full = map(
        _nfc, (person.first, person.last, person.company, person.email, person.full)
    )
    assert full in (f"{first} {last}", f"{last}{first}")
    subject = (
        f"{sentence} {first}",
        f"{company or '–'}: {' '.join([sentence] * 12)}",
        f"{word} {first}",
    )[list(CASES).index(letter.case) % 3]
    lines = (
        f"{sentence}, {full}!",
        f".{word} {company}",
        f"From {email}: {'a company' if company else 'a person'} {person.number}",
    )
    link = f"https://x.example/{person.number}?n={quote(first, safe='')}"
    return Meant(
        subject,
        letter.sender,
        (full, _nfc(person.rcpt_to)),
        f"{lines[0]}\n\n{lines[1]}\n{lines[2]}\n",
        (lines[0], lines[1].strip(), lines[2], full, link, company),
    )


def long_word(sentence: str) -> str:
    """A word of 900 characters."""
    return ("".join(sentence.split()) * 900)[:900]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


class Paragraphs(HTMLParser):
    """What stands in a mail's HTML, as `Meant.html` has it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self.link: list[str] = []
        self._is_inside = False
        self.feed(html)
        self.close()

    @property
    def found(self) -> tuple[str, ...]:
        return (*(text.strip() for text in self.paragraphs), *self.link)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "p":
            self.paragraphs.append("")
            self._is_inside = True
        elif tag == "a":
            self.link += [dict(attrs).get("href") or "", dict(attrs).get("title") or ""]

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.paragraphs[-1] += data
