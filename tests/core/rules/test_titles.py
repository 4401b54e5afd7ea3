"""What a mass mail is called where nobody gave it a name."""

import doctest

import pytest

from webapp.core.rules import titles
from webapp.core.rules.titles import in_words, pieces, title


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("News", "News"),
        ("{{ first_name }}, hello", "first name, hello"),
        ('{{first_name|default:"you, there"}}!', "first name!"),
        ("{% if company %}Dear {{ company }}{% else %}Hello{% endif %}", "if companyDear companyelseHelloend"),
        ("Half {{ a tag", "Half {{ a tag"),
        ("  many   blanks ", "many blanks"),
    ],
)
def test_tags_are_words(subject, words):
    assert in_words(subject) == words


def test_nothing_of_a_line_gets_lost_but_what_makes_a_tag_one():
    line = "A {{ b }} c {{ d | upcase }} e"
    assert [piece.words for piece in pieces(line)] == ["A ", "b", " c ", "d", " e"]


def test_a_name_goes_before_a_subject():
    assert title("Move", "{{ x }}") == "Move"
    assert title("", "{{ first_name }}") == "first name"
    assert title("", "") == "Untitled mass mail"
    assert title("", "", "Mass mail 7") == "Mass mail 7"


def test_its_examples_hold():
    assert doctest.testmod(titles).failed == 0
