"""What a brand looks like: colours by light and by dark, letters, logo, and the words below each mail. And how well it can be read."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from webapp.core.rules.branding import colours
from webapp.core.rules.branding.colours import FOR_LARGE, FOR_TEXT, contrast


class FontStack(StrEnum):
    """A choice of fonts that the recipients' machines have: a mail brings none along."""

    SYSTEM = "system"
    HELVETICA = "helvetica"
    VERDANA = "verdana"
    TREBUCHET = "trebuchet"
    GEORGIA = "georgia"
    PALATINO = "palatino"

    @property
    def label(self) -> str:
        return _LETTERS[self][0]

    @property
    def stack(self) -> str:
        """The value of `font-family`."""
        return _LETTERS[self][1]

    @property
    def in_word(self) -> str:
        """The same for Outlook on Windows, which writes Times where it does not know the first name."""
        return _LETTERS[self][2]


_LETTERS = {
    FontStack.SYSTEM: (
        "The device's own",
        "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
        "'Segoe UI', Arial, sans-serif",
    ),
    FontStack.HELVETICA: ("Helvetica or Arial", "'Helvetica Neue', Helvetica, Arial, sans-serif", "Arial, sans-serif"),
    FontStack.VERDANA: ("Verdana", "Verdana, 'DejaVu Sans', Geneva, sans-serif", "Verdana, sans-serif"),
    FontStack.TREBUCHET: (
        "Trebuchet",
        "'Trebuchet MS', 'Lucida Grande', Tahoma, sans-serif",
        "'Trebuchet MS', sans-serif",
    ),
    FontStack.GEORGIA: ("Georgia", "Georgia, 'Times New Roman', Times, serif", "Georgia, serif"),
    FontStack.PALATINO: (
        "Palatino",
        "'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, serif",
        "'Palatino Linotype', serif",
    ),
}


@dataclass(frozen=True, slots=True)
class Palette:
    """The four colours that are chosen (`#rrggbb`), and those that follow from them."""

    accent: str
    text: str
    background: str
    link: str

    @property
    def is_dark(self) -> bool:
        return colours.luminance(self.background) < 0.2

    @property
    def around(self) -> str:
        """What the sheet lies on."""
        if self.is_dark:
            return colours.mixed(self.background, colours.BLACK, 0.35)
        return colours.mixed(self.background, self.text, 0.05)

    @property
    def line(self) -> str:
        return colours.mixed(self.background, self.text, 0.15)

    @property
    def panel(self) -> str:
        """Behind what is quoted or stands out."""
        return colours.mixed(self.background, self.accent, 0.18 if self.is_dark else 0.07)

    @property
    def muted(self) -> str:
        """Of the words below the sheet."""
        return colours.muted(self.text, self.around)

    @property
    def on_accent(self) -> str:
        return colours.words_on(self.accent)


LIGHT = Palette("#0b3a75", "#1d2530", "#ffffff", "#0b57b8")
DARK = Palette("#2f6fd0", "#e6e9ee", "#1b1e24", "#8ab8ff")
COLOURS = tuple(field.name for field in fields(Palette))


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it stands in a mail: where it lies below the public address, and its size in CSS pixels. `is_dark`: it would be lost on a
    dark ground, and gets a light one there."""

    path: str
    width: int
    height: int
    is_dark: bool = False


@dataclass(frozen=True, slots=True)
class BrandLook:
    """All that the frame needs. `footer` is written as `rules/message/brand_footer.py` reads it."""

    light: Palette = LIGHT
    dark: Palette = DARK
    letters: FontStack = FontStack.SYSTEM
    footer: str = ""
    logo: Logo | None = None
    business_name: str = ""
    postal_address: str = ""

    def by(self, business_name: str, postal_address: str) -> "BrandLook":
        """The same of a business of that name at that address."""
        return replace(self, business_name=business_name, postal_address=postal_address)


@dataclass(frozen=True, slots=True)
class Legibility:
    """How well one colour of a palette can be read. `instead` is the nearest colour that can be, None where it is well as it is."""

    field: str
    words: str
    is_enough: bool
    instead: str | None = None


def legibility(palette: Palette) -> Iterator[Legibility]:
    """What is to be said about a palette's colours, a sentence or two for each."""
    yield _judged("text", "Text", palette.text, palette.background, FOR_TEXT)
    yield _judged("link", "Links", palette.link, palette.background, FOR_TEXT)
    yield _judged("accent", "The edge of a button", palette.accent, palette.background, FOR_LARGE)
    on_it = contrast(palette.on_accent, palette.accent)
    name = "white" if palette.on_accent == colours.WHITE else "black"
    yield Legibility(
        "accent", f"Words on a button are {name}, {_ratio(on_it)}: {_grade(on_it, FOR_TEXT)}", on_it >= FOR_TEXT
    )


def _judged(field: str, name: str, one: str, ground: str, least: float) -> Legibility:
    found, instead = contrast(one, ground), colours.readable(one, ground, least)
    words = f"{name} on the background: {_ratio(found)}, {_grade(found, least)}"
    if instead:
        words += f" {least:g} to 1 is asked for, which {instead} has."
    return Legibility(field, words, instead is None, instead)


def _ratio(found: float) -> str:
    return f"{int(found * 10) / 10:g} to 1"


def _grade(found: float, least: float) -> str:
    if found < least:
        return "too little." if found >= least / 2 else "far too little."
    return "very clear." if found >= least * 1.55 else "clear."
