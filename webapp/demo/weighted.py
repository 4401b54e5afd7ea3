"""Lots to draw from, with weights."""

import random
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Lots(Generic[Item]):
    """Items that are drawn as often as their weights say."""

    __slots__ = ("_items", "_limits", "_total")

    def __init__(self, weights: Mapping[Item, float]):
        self._items = tuple(weights)
        self._limits = tuple(accumulate(weights.values()))
        self._total = self._limits[-1]

    def draw(self, chance: random.Random) -> Item:
        return self._items[bisect(self._limits, chance.random() * self._total)]
