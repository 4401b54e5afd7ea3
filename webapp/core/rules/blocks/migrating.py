"""Versions of the form in which a marked block is stored, and how an older one becomes the present one.

Each block says its version itself, as it may come out of a template or a paste that is older than the rest. Reading takes every version
there ever was, so what was written once can always be sent; writing knows the present one alone. A version that is not known yet is kept
to the letter, and the design view leaves such a body to the source view.
"""

from collections.abc import Callable, Mapping

from webapp.core.rules.blocks.elements import ElementNode

SCHEMA = 1
"""The version that is written."""

Step = Callable[[ElementNode], ElementNode]
STEPS: Mapping[tuple[str, int], Step] = {}
"""By a block's name and version: what makes its element into that of the next version. Where there is none, the form stayed."""


class UnknownVersion(ValueError):
    """A block was written by something newer, or says no version."""


def version_of(element: ElementNode) -> int:
    """The version of a marked block. Raises UnknownVersion."""
    text = element.attributes.get("data-version", "")
    if not text.isdecimal() or not text.isascii() or len(text) > 4:
        raise UnknownVersion(text)
    return int(text)


def upgraded(element: ElementNode, steps: Mapping[tuple[str, int], Step] = STEPS, newest: int = SCHEMA) -> ElementNode:
    """A marked block's element in the form of version `newest`. Raises UnknownVersion for one that is newer."""
    name, version = element.attributes["data-block"], version_of(element)
    if not 1 <= version <= newest:
        raise UnknownVersion(str(version))
    for before in range(version, newest):
        step = steps.get((name, before))
        element = step(element) if step else element
    return element
