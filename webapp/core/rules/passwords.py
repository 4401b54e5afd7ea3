"""Which passwords are too easy to guess."""

from collections.abc import Iterable

MIN_PASSWORD = 10
JUDGED = 100
"""So many characters are judged; judging takes longer the more there are, and nobody guesses what has more."""

SAFE = 3
"""Of zxcvbn's scores from 0 to 4 the first that stands guessing at a sign-in and holds out for a while against a stolen hash."""

OF_THE_HOUSE = ("massmail", "mass mail", "password", "newsletter")


def weakness(text: str, about: Iterable[str] = ()) -> str | None:
    """Why this password is not taken, as a sentence; None for one that is. `about` is what others know of its owner: name, e-mail."""
    if len(text) < MIN_PASSWORD:
        return f"Use at least {MIN_PASSWORD} characters."
    from zxcvbn import (
        zxcvbn,  # here, because its lists of words take long to load and much memory, and workers never ask
    )

    known = [
        *OF_THE_HOUSE,
        *(part for one in about for part in (one, *one.replace("@", " ").replace(".", " ").split())),
    ]
    if zxcvbn(text[:JUDGED], user_inputs=known, max_length=JUDGED)["score"] >= SAFE:
        return None
    return "This password is common or easy to guess. Use a few words that do not belong together."
