"""A person's whole name -> first and last name."""

import re

_PARTICLES = frozenset(
    [
        *(
            "van",
            "von",
            "vom",
            "zu",
            "zum",
            "zur",
            "der",
            "den",
            "dem",
            "de",
            "del",
            "della",
            "di",
            "da",
            "do",
            "dos",
            "das",
            "du",
            "des",
        ),
        *(
            "la",
            "le",
            "les",
            "lo",
            "los",
            "las",
            "el",
            "al",
            "bin",
            "ibn",
            "ben",
            "bint",
            "ter",
            "ten",
            "te",
            "'t",
            "y",
            "af",
            "av",
            "st.",
        ),
    ]
)
_TITLES = re.compile(
    r"(?:(?:mr|mrs|ms|mx|miss|dr|prof|herr|frau|hr|fr|sr|sra|srta|mme|dipl|sir)\.?(?:-?ing\.?)?\s+)+", re.IGNORECASE
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|phd|md|esq|mba|msc|bsc)\.?", re.IGNORECASE)


def split_name(text: str) -> tuple[str, str, bool]:
    """First name, last name, and whether that is plain: two words, or a comma behind the last name.

    The last word is the last name, together with the particles before it ("Anna van Dyk", "Ludwig von der Heide") and a suffix behind it.
    A title before the name is part of neither. One word alone is the last name.
    """
    name = " ".join(text.split())
    bare = _TITLES.sub("", name, count=1) if _TITLES.match(name) else name
    if bare.count(",") == 1:
        last, first = (part.strip() for part in bare.split(","))
        if _SUFFIX.fullmatch(first):
            first, before, _ = split_name(last)
            return first, f"{before}, {bare.partition(',')[2].strip()}", False
        return first, last, bool(first and last) and bare == name
    words = bare.split()
    if len(words) < 2:
        return "", bare, not bare
    at = len(words) - 1
    if at > 1 and _SUFFIX.fullmatch(words[at]):
        at -= 1
    while at > 0 and words[at - 1].lower() in _PARTICLES and (at > 1 or words[0].islower()):
        at -= 1
    return " ".join(words[:at]), " ".join(words[at:]), len(words) == 2 and bare == name
