"""What the filters make of values: the same as Liquid's own, and never anything but text."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid import Environment

from tests.core.rules.tags import reference
from webapp.core.content.tag_catalogue.formats import Formats, formats_for
from webapp.core.rules.tags import filters
from webapp.core.rules.tags.expressions import TagError, read_output
from webapp.core.rules.tags.nodes import Name

LIQUID = Environment().filters
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def liquid(name: str, value: str, *arguments: object) -> str:
    return str(LIQUID[name](value, *arguments))


@settings(deadline=None, max_examples=150)
@given(value=texts, other=texts, old=texts.filter(bool), length=st.integers(1, 40))
def test_a_filter_on_a_text_does_what_liquids_own_does(value, other, old, length):
    ours = filters.ON_TEXT
    for name in ("upcase", "downcase", "capitalize", "truncate"):
        assert ours[name](value) == liquid(name, value)
    assert ours["default"](value, other) == liquid("default", value, other)
    if (
        len(value) != length and len(other) <= length
    ):  # there python-liquid differs from Liquid in Ruby, whose way is ours
        assert ours["truncate"](value, length, other) == liquid("truncate", value, length, other)
    assert ours["replace"](value, old) == liquid("replace", value, old)
    assert ours["replace"](value, old, other) == liquid("replace", value, old, other)


@settings(deadline=None, max_examples=100)
@given(
    day=st.dates(date(1900, 1, 1)),
    parts=st.lists(st.sampled_from([*filters.DIRECTIVES, ". ", "d", "'", "de "]), max_size=6),
)
def test_a_pattern_of_a_date_is_read_as_liquid_reads_it(day, parts):
    pattern = "".join(parts)
    assert formats_for("en", None).styled_date(day, pattern) == reference.of_date(day, pattern)


@pytest.mark.parametrize(
    ("language", "country", "style", "written"),
    [
        ("en", "IE", "short", "14/03/2027"),
        ("en", "US", "short", "3/14/27"),
        ("de", "DE", "medium", "14.03.2027"),
        ("de", "DE", "long", "14. März 2027"),
        ("de", "DE", "full", "Sonntag, 14. März 2027"),
        ("ru", None, "%-d %B %Y", "14 марта 2027"),
        ("ru", None, "%B %Y", "март 2027"),
        ("fr", None, "%A %-d %b", "dimanche 14 mars"),
        ("ja", None, "%Y年%-m月%-d日", "2027年3月14日"),
    ],
)
def test_a_date_is_written_as_the_recipient_writes_it(language, country, style, written):
    assert formats_for(language, country).styled_date(date(2027, 3, 14), style) == written


@pytest.mark.parametrize(
    ("language", "style", "written"),
    [
        ("en", "symbol", "€265.00"),
        ("en", "code", "EUR265.00"),
        ("en", "name", "265.00 euros"),
        ("en", "number", "265.00"),
        ("en", "whole", "€265"),
        ("de", "whole", "265 €"),
        ("de", "code", "265,00 EUR"),
        ("de", "name", "265,00 Euro"),
    ],
)
def test_an_amount_is_written_as_asked_for(language, style, written):
    shown = formats_for(language, None).styled_money(Decimal("265.00"), "EUR", style)
    assert shown.replace("\xa0", " ").replace("EUR ", "EUR") == written.replace("EUR ", "EUR")


def test_an_amount_with_cents_keeps_them_and_one_without_a_currency_is_a_number():
    english = formats_for("en", None)
    assert english.styled_money(Decimal("9.90"), "EUR", "whole") == "€9.90"
    assert english.styled_money(Decimal("9.90"), None, "code") == "9.90"


@pytest.mark.parametrize(
    ("language", "forms", "said"),
    [
        ("en", ("service", "services"), {0: "0 services", 1: "1 service", 3: "3 services", 1204: "1,204 services"}),
        ("pl", ("usługa", "usługi", "usług"), {1: "1 usługa", 3: "3 usługi", 5: "5 usług", 22: "22 usługi"}),
        ("pl", ("service", "services"), {1: "1 service", 5: "5 services"}),
        ("en", ("one", "few", "many"), {1: "1 one", 3: "3 many"}),
        ("ja", ("#つ", "#個"), {1: "1つ", 3: "3個"}),
    ],
)
def test_a_number_comes_with_the_form_that_goes_with_it(language, forms, said):
    formats: Formats = formats_for(language, None)
    assert {number: formats.plural(number, forms) for number in said} == said


@settings(deadline=None, max_examples=100)
@given(
    name=st.sampled_from(["default", "replace", "truncate", "date", "money", "plural", "upcase"]),
    arguments=st.lists(
        st.one_of(st.integers(0, 99), st.sampled_from(["a", "", "%d", "long", 'it"s', "it's"])), max_size=4
    ),
)
def test_what_is_read_is_written_as_it_was_read(name, arguments):
    written = ", ".join(
        str(one) if isinstance(one, int) else f"'{one}'" if '"' in one else f'"{one}"' for one in arguments
    )
    source = f"date | {name}: {written}" if arguments else f"date | {name}"
    try:
        output = read_output(source)
    except TagError:
        return
    assert output.source == source and read_output(output.key).key == output.key
    assert not any(isinstance(one, Name) for one in output.filters[0].arguments)


def test_a_value_does_not_grow_beyond_measure():
    value = "a" * 100
    for _ in range(filters.MOST_FILTERS):
        value = filters.replace(value, "a", "a" * filters.LONGEST_ARGUMENT)
    assert len(value) == filters.LONGEST_VALUE
