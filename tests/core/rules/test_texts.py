import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules.texts import folded, shown, tidy, without_invisible


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Nováková", "novakova"),
        ("STRAẞE", "strasse"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("O’Brien", "o'brien"),
        ("Κωνσταντίνος", "κωνσταντινος"),
        ("ﬁn", "fin"),
        ("हिन्दी", "हिन्दी"),
        ("שלום", "שלום"),
        ("東京", "東京"),
    ],
)
def test_a_search_looks_for_small_letters_without_accents(text, form):
    assert folded(text) == folded(form)
    assert folded(text).replace("ς", "σ") == form.replace("ς", "σ")


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("  Anna\tMaria  ", "Anna Maria"),
        ("O'Brien-d’Été \u202e", "O'Brien-d’Été"),
        ("Zo\u0308e", "Zöe"),
        ("a\x00b", "a b"),
        ("line\r\nbreak", "line break"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_tidy_leaves_one_visible_line(text, form):
    assert tidy(text) == form


@given(st.text())
def test_tidy_text_can_be_stored_and_put_in_a_header(text):
    line = tidy(text)
    assert not {"\x00", "\r", "\n"} & set(line)
    assert tidy(line) == line


def test_only_invisible_characters_count_as_removed():
    assert without_invisible("a\u202eb") == ("ab", True)
    assert without_invisible("a\tb") == ("a b", False)


def test_a_long_text_is_cut_for_a_message():
    assert shown("x" * 30, 10) == "xxxxxxxxx…"
