"""Stand-ins for tags while HTML passes through programs that know nothing of tags."""

import re
from collections.abc import Sequence

from webapp.core.rules.tags.lexer import Token


class Placeholders:
    """Words of letters and digits that occur nowhere in the source, one for each tag (kind "z") and for whatever else must be kept
    out of sight (other letters). The number is that of the tag in the source."""

    def __init__(self, source: str):
        stem, lower = "tagz", source.lower()
        while stem in lower:
            stem = stem[:-1] + "qz"
        self.stem = stem
        self.pattern = self.of_kind("z")

    def word(self, number: int, kind: str = "z") -> str:
        return f"{self.stem}{number}{kind}"

    def uncaptured(self) -> str:
        """The pattern of a tag's word, to be part of another pattern."""
        return rf"{self.stem}\d+z"

    def of_kind(self, kinds: str) -> re.Pattern[str]:
        return re.compile(rf"{self.stem}(?P<number>\d+)(?P<kind>[{kinds}])")

    def put(self, source: str, tokens: Sequence[Token]) -> str:
        """The source with a word in place of each token."""
        out: list[str] = []
        position = 0
        for number, token in enumerate(tokens):
            out += (source[position : token.start], self.word(number))
            position = token.end
        return "".join([*out, source[position:]])
