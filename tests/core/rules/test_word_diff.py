"""Two texts word by word: nothing is lost, nothing is made up, and long stretches without a change are cut."""

import random

from webapp.core.rules.word_diff import WordChange, compare, shortened


def side(found, *changes):
    return " ".join("".join(one.text for one in found if one.change in changes).split())


def test_both_texts_can_be_read_from_what_changed():
    words = ["on", "Monday", "at", "nine", "we", "move", "the", "server"]
    chance = random.Random(7)
    for _ in range(200):
        before, after = (" ".join(chance.choices(words, k=chance.randint(0, 20))) for _ in range(2))
        found = compare(before, after)
        assert side(found, WordChange.SAME, WordChange.REMOVED) == before
        assert side(found, WordChange.SAME, WordChange.ADDED) == after


def test_what_was_removed_stands_before_what_came_in_its_place():
    assert [one.change for one in compare("a b c", "a x c")] == [
        WordChange.SAME,
        WordChange.REMOVED,
        WordChange.ADDED,
        WordChange.SAME,
    ]


def test_a_long_stretch_without_a_change_is_cut_to_what_is_beside_one():
    same = " ".join(f"w{number}" for number in range(100))
    first, _, _ = shortened(compare(f"{same} old", f"{same} new"))
    assert first.text.strip() == "… " + " ".join(f"w{number}" for number in range(88, 100))
