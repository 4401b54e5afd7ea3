from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules import normalise
from webapp.core.rules.normalise import DateOrder
from webapp.core.rules.statuses import ClientStatus, HoldingStatus


@pytest.mark.parametrize(("text", "code"), [("DE", "DE"), (" gb ", "GB"), ("xk", "XK"), ("", None)])
def test_a_country_code_is_taken_as_it_is(text, code):
    found = normalise.country(text)
    assert (found.value, found.note, found.understood) == (code, None, True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("USA", "US"),
        ("276", "DE"),
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        ("Österreich", "AT"),
        ("OSTERREICH", "AT"),
        ("The Netherlands", "NL"),
        ("Korea, Republic of", "KR"),
        ("Czech Republic", "CZ"),
        ("Turkey", "TR"),
        ("日本", "JP"),
    ],
)
def test_a_country_by_another_name_is_understood_and_said(text, code):
    found = normalise.country(text)
    assert found.value == code
    assert found.note.startswith(f"“{text}” read as {code}")


@pytest.mark.parametrize("text", ["XX", "EU", "ZZ", "Atlantis", "SU", "D"])
def test_what_is_no_country_is_left_out(text):
    found = normalise.country(text)
    assert (found.value, found.understood) == (None, False)
    assert "not a country" in found.note


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("english", "en"),
        ("ENGLISH", "en"),
        ("portuguese-br", "pt-BR"),
        ("portuguese-pt", "pt-PT"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("de_DE", "de"),
        ("de_DE.UTF-8", "de"),
        ("de-AT", "de-AT"),
        ("en_US", "en"),
        ("en-gb", "en-GB"),
        ("zh-TW", "zh-TW"),
        ("zh_Hans_CN", "zh"),
        ("zh-Hant-TW", "zh-TW"),
        ("iw", "he"),
        ("norwegian", "nb"),
        ("ukranian", "uk"),
        ("farsi", "fa"),
        ("Deutsch", "de"),
        ("français", "fr"),
        ("日本語", "ja"),
        ("", None),
    ],
)
def test_a_language_becomes_the_shortest_tag(text, tag):
    found = normalise.language(text)
    assert (found.value, found.note) == (tag, None)
    assert not tag or normalise.language(tag).value == tag


@pytest.mark.parametrize("text", ["klingon", "tlh", "xx", "de_XX", "none of it"])
def test_an_unknown_language_is_left_out(text):
    assert normalise.language(text).understood is False


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("Active", ClientStatus.ACTIVE, False),
        ("ACTIVE ", ClientStatus.ACTIVE, False),
        ("terminate", ClientStatus.TERMINATE, False),
        (" Suspended", ClientStatus.SUSPEND, True),
        ("Closed", ClientStatus.TERMINATE, True),
        ("Fraud", ClientStatus.BLOCKED, True),
        ("Inactive", ClientStatus.FREEZE, True),
        ("Gekündigt", ClientStatus.TERMINATE, True),
    ],
)
def test_a_client_status_in_other_words_is_understood_and_said(text, status, said):
    found = normalise.client_status(text)
    assert found.value is status
    assert bool(found.note) == said


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Suspended", HoldingStatus.SUSPENDED),
        ("Cancelled", HoldingStatus.TERMINATED),
        ("pending", HoldingStatus.INACTIVE),
    ],
)
def test_a_holding_status_is_understood(text, status):
    assert normalise.holding_status(text).value is status


def test_a_status_nobody_knows_is_not_guessed():
    found = normalise.client_status("gold")
    assert (found.value, found.understood) == (None, False)
    assert "known are Pending, Blocked, Active" in found.note


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("0", False), ("Ja", True), ("nein", False), ("TRUE", True), ("", None)]
)
def test_yes_and_no(text, value):
    assert normalise.flag(text).value is value


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-18", date(2024, 5, 18)),
        ("2024-05-18 10:11:12", date(2024, 5, 18)),
        ("2024-05-18T10:11:12Z", date(2024, 5, 18)),
        ("20240518", date(2024, 5, 18)),
        ("2024/5/8", date(2024, 5, 8)),
        ("18.05.2024", date(2024, 5, 18)),
        ("3.7.24", date(2024, 7, 3)),
        ("28/04/2021", date(2021, 4, 28)),
        ("04/28/2021", date(2021, 4, 28)),
        ("05/05/2021", date(2021, 5, 5)),
        ("18 May 2024", date(2024, 5, 18)),
        ("May 18, 2024", date(2024, 5, 18)),
        ("18. März 2024", date(2024, 3, 18)),
        ("12 de mayo de 2024", date(2024, 5, 12)),
        ("0000-00-00", None),
        ("", None),
    ],
)
def test_a_date_that_can_only_mean_one_day(text, day):
    found = normalise.day(text)
    assert (found.value, found.note) == (day, None)


def test_two_possible_days_are_told_apart_by_the_rest_of_the_file():
    assert normalise.day("03/07/2021", DateOrder.DAY) == normalise.Value(date(2021, 7, 3))
    assert normalise.day("03/07/2021", DateOrder.MONTH) == normalise.Value(date(2021, 3, 7))
    unsure = normalise.day("03/07/2021")
    assert (unsure.value, unsure.note) == (date(2021, 7, 3), "“03/07/2021” read as 3 July 2021, the day first")


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("28/04/2021", DateOrder.DAY),
        ("04-28-2021", DateOrder.MONTH),
        ("03/07/2021", None),
        ("28.04.2021", None),
        ("2021-04-28", None),
        ("99/99/2021", None),
    ],
)
def test_a_date_gives_its_order_away_or_not(text, order):
    assert normalise.order_shown(text) is order


@pytest.mark.parametrize("text", ["not a date", "31/02/2021", "2024-13-01", "1.1.1800", "45012", "soon"])
def test_what_is_no_date_is_left_out(text):
    found = normalise.day(text)
    assert (found.value, found.understood) == (None, False)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_day_is_read_back_from_its_common_forms(day):
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d %B %Y", "%B %d, %Y"):
        assert normalise.day(day.strftime(form)).value == day
    assert normalise.day(f"{day:%m/%d/%Y}", DateOrder.MONTH).value == day


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1.234.567", "1234567.00"),
        ("12.50 EUR", "12.50"),
        ("€ 12", "12.00"),
        ("12,-", "12.00"),
        ("-5", "-5.00"),
        (".5", "0.50"),
        ("265.00", "265.00"),
    ],
)
def test_a_price_is_read_in_any_notation(text, amount):
    found = normalise.price(text)
    assert (found.value, found.note) == (Decimal(amount), None)


def test_a_price_that_could_be_two_amounts_is_said():
    found = normalise.price("1.234")
    assert (found.value, found.note) == (Decimal("1234.00"), "“1.234” read as 1234.00")


@pytest.mark.parametrize("text", ["free", "1,2,3", "12.5.6", "1.234.56", "99999999999", "10%", "12 parsecs"])
def test_what_is_no_price_is_left_out(text):
    assert normalise.price(text).understood is False


def test_the_currency_may_stand_beside_the_price():
    assert normalise.currency_beside("12.50 EUR") == "EUR"
    assert normalise.currency_beside("€12") == "EUR"
    assert normalise.currency_beside("12.50") is None
    assert normalise.currency("gbp").value == "GBP"
    assert normalise.currency("XYZ").understood is False
