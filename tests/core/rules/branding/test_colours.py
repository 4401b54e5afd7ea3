"""Colours against published contrasts, and the words about them."""

import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.branding import colours
from webapp.core.rules.branding.look import DARK, LIGHT, Palette, legibility


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),  # the grey that misses WCAG by a hair
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#ff0000", "#ffffff", 4.0),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float):
    assert colours.contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert colours.contrast(other, one) == colours.contrast(one, other)


def test_a_colour_is_six_digits_however_it_is_typed():
    assert [colours.colour(typed, "x") for typed in ("#ABCDEF", " abcdef", "#abc")] == ["#abcdef", "#abcdef", "#aabbcc"]
    for typed in ("red", "#12", "#1234567", "#gggggg", "", "#fff;x:url(y)"):
        with pytest.raises(Invalid) as refused:
            colours.colour(typed, "light_text")
        assert refused.value.field == "light_text"


def test_the_nearest_readable_colour_is_named_and_nothing_is_changed():
    pale = Palette("#0b3a75", "#aaaaaa", "#ffffff", "#99bbff")
    text, link, accent, on_it = legibility(pale)
    assert not text.is_enough and "2.3 to 1" in text.words
    assert text.instead and colours.contrast(text.instead, "#ffffff") >= 4.5 and text.instead in text.words
    assert not link.is_enough and accent.is_enough and on_it.is_enough and "white" in on_it.words
    assert pale.text == "#aaaaaa"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_colours_to_begin_with_can_be_read(palette: Palette):
    assert [one.words for one in legibility(palette) if not one.is_enough] == []
    assert colours.contrast(palette.muted, palette.around) >= 4.5
    assert colours.contrast(palette.text, palette.panel) >= 4.5


@pytest.mark.parametrize("fill", ["#ffcc00", "#00ff00", "#808080", "#000000", "#ff0000", "#0055ff"])
def test_words_on_a_button_are_the_better_of_white_and_black(fill: str):
    chosen = colours.words_on(fill)
    assert colours.contrast(chosen, fill) == max(colours.contrast(one, fill) for one in ("#ffffff", "#000000"))
