from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules import normalise
from webapp.core.rules.normalise import DateHabit, DateOrder, DecimalMark, PriceHabit, priced
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


@pytest.mark.parametrize(
    "text",
    [
        *("5-Jan-21", "05-JAN-2021", "2021-Jan-05", "Jan 5, 21", "05JAN2021", "5 Jan. 2021"),
        *(
            "Tuesday, January 5th, 2021",
            "Tue Jan 5 10:00:00 UTC 2021",
            "mar. 5 janv. 2021",
            "martes, 5 de enero de 2021",
        ),
        *("2021. 01. 05.", "2021年1月5日", "2021년 1월 5일", "5 января 2021 г.", "5. ledna 2021", "5 stycznia 2021"),
        *("1/5/2021 10:33 PM", "Tue, 01/05/2021", "Tue, 05/01/2021"),
    ],
)
def test_the_fifth_of_january_in_many_spellings(text):
    assert normalise.day(text, DateOrder.MONTH).value == date(2021, 1, 5)


def test_the_first_of_a_month_in_french():
    assert normalise.day("1er janvier 2021") == normalise.Value(date(2021, 1, 1))


@pytest.mark.parametrize("text", ["1609804800", "1609804800000", "1609804800.5"])
def test_seconds_since_1970_are_a_day_in_utc_and_said(text):
    found = normalise.day(text)
    assert found.value == date(2021, 1, 5)
    assert found.note == f"“{text}” read as 5 January 2021, counted in seconds since 1970"


@pytest.mark.parametrize(
    ("text", "words"),
    [("Monday, January 5th, 2021", "day of the week"), ("5 listopada 2021", "differs between languages")],
)
def test_a_date_that_contradicts_itself_or_is_two_is_left_out(text, words):
    found = normalise.day(text)
    assert (found.value, found.understood) == (None, False)
    assert words in (found.note or "")


def test_two_possible_days_are_told_apart_by_the_rest_of_the_column_or_asked():
    assert normalise.day("03/07/2021", DateOrder.DAY) == normalise.Value(date(2021, 7, 3))
    assert normalise.day("03/07/2021", DateOrder.MONTH) == normalise.Value(date(2021, 3, 7))
    unsure = normalise.day("03/07/2021")
    assert (unsure.value, unsure.doubt) == (None, True)
    assert unsure.note == "“03/07/2021” could be 3 July 2021 or 7 March 2021: say which"


@pytest.mark.parametrize(
    ("column", "text", "order"),
    [
        (["28/04/2021"], "03/07/2021", DateOrder.DAY),
        (["04/28/2021"], "03/07/2021", DateOrder.MONTH),
        (["04-28-2021"], "03/07/2021", DateOrder.MONTH),
        (["Tue, 05/01/2021"], "03/07/2021", DateOrder.DAY),
        (["04.28.2021"], "03.07.2021", DateOrder.MONTH),
        (["28.04.2021"], "03/07/2021", DateOrder.UNKNOWN),
        (["28/04/2021", "04/28/2021"], "03/07/2021", DateOrder.UNKNOWN),
        ([], "03/07/2021", DateOrder.UNKNOWN),
    ],
)
def test_the_habit_of_a_column_says_what_comes_first(column, text, order):
    habit = DateHabit()
    for one in column:
        habit.add(one)
    assert DateHabit.of_json(habit.as_json()).order(text) is order
    assert habit.order("03/07/2021", DateOrder.DAY) is not DateOrder.UNKNOWN


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


@pytest.mark.parametrize(
    ("text", "amount", "code"),
    [
        ("$10.00 USD", "10", "USD"),
        ("US$12.50", "12.5", "USD"),
        ("R$ 49,90", "49.9", "BRL"),
        ("A$5", "5", "AUD"),
        ("Rp 150.000", "150000", "IDR"),
        ("&euro; 12,50", "12.5", "EUR"),
        ("$10.00 AUD Monthly", "10", "AUD"),
        ("12.50 EUR/mo", "12.5", "EUR"),
        ("€ 30 / 3 months", "30", "EUR"),
        ("9.95 EUR, incl. 19% VAT", "9.95", "EUR"),
        ("(5.00) GBP", "-5", "GBP"),
        ("(£5.00)", "-5", "GBP"),
        ("(5.00", None, None),
        ("12.50 EUR (monthly)", "12.5", "EUR"),
        ("−5 GBP", "-5", "GBP"),
        ("5.00- GBP", None, None),
        ("₦5,000.00", "5000", "NGN"),
        ("1,23,456.00 INR", "123456", "INR"),
        ("☃ 5", "5", None),
        ("kr 100", "100", None),
        ("€10 USD", None, None),
        ("12 k", None, None),
        ("10 20", None, None),
        ("1'2", None, None),
    ],
)
def test_what_stands_around_an_amount_is_understood_or_makes_it_none(text, amount, code):
    found, currency = priced(text, None, PriceHabit())
    assert found.value == (Decimal(amount) if amount else None)
    assert currency.value == code


def test_a_price_that_could_be_two_amounts_is_asked():
    found = normalise.price("1.234")
    assert (found.value, found.doubt, found.note) == (None, True, "“1.234” could be 1.234 or 1234: say which")
    assert normalise.price("1.234", DecimalMark.COMMA).value == Decimal("1234")
    assert normalise.price("1.234", DecimalMark.POINT).value == Decimal("1.234")
    assert str(normalise.price("5.120", DecimalMark.POINT).value) == "5.12"
    assert normalise.price("1.23456", DecimalMark.POINT).note == "“1.23456” rounded to 1.235"


@pytest.mark.parametrize(
    ("column", "row", "amount"),
    [
        ([("$10.00 USD", ""), ("R$ 49,90", "")], ("5.500", "KWD"), "5.5"),
        ([("12,50", "EUR")], ("5.500", "KWD"), "5.5"),
        ([("5,250", "KWD"), ("0,250", "KWD")], ("5.500", "KWD"), "5500"),
        ([("12,50", "EUR")], ("1.234", "EUR"), "1234"),
        ([("12,50", "EUR")], ("1.234", "USD"), "1234"),
        ([("12.50", "EUR")], ("1,234", "EUR"), "1234"),
        ([("12.50", "EUR")], ("1.234", "EUR"), None),
        ([("12.50", "EUR"), ("0.125", "EUR")], ("1.234", "EUR"), "1.234"),
        ([("12,50", "EUR"), ("12.50", "EUR")], ("1.234", "EUR"), None),
        ([("12.50", "USD"), ("12,50", "EUR")], ("1.234", "EUR"), "1234"),
        ([("500", "EUR")], ("1.500", "EUR"), "1500"),
        ([], ("1.500", "JPY"), "1500"),
        ([], ("1.500", "EUR"), None),
    ],
)
def test_three_digits_behind_a_mark_are_judged_by_the_currency_and_its_neighbours(column, row, amount):
    habit = PriceHabit()
    for one in [*column, row]:
        habit.add(*one)
    found, _ = priced(*row, PriceHabit.of_json(habit.as_json()))
    assert found.value == (Decimal(amount) if amount else None)
    assert found.doubt is (amount is None)
    assert priced(*row, habit, DecimalMark.COMMA)[0].understood


def test_a_price_in_another_currency_than_its_row_is_none_of_it():
    found, currency = priced("€ 12", "USD", PriceHabit())
    assert (found.value, currency.value) == (None, None)
    assert "is not in USD" in (found.note or "")
    assert priced("$ 12", "AUD", PriceHabit())[1].value == "AUD"


def test_a_bare_dollar_is_the_one_that_the_file_names():
    habit = PriceHabit()
    habit.add("$10.00 AUD")
    assert priced("$5.00", None, habit)[1] == normalise.Value("AUD")
    habit.add("$10.00 CAD")
    assert priced("$5.00", None, habit)[1].value is None


_GERMAN = str.maketrans(",.", ".,")
_amounts = st.decimals(0, 99_999_999, places=2, allow_nan=False, allow_infinity=False)


@given(_amounts, st.sampled_from(["€", "$", "EUR ", "US$ ", ""]), st.sampled_from(["", " EUR", " Monthly"]))
def test_a_price_keeps_its_digits_or_is_no_price(amount, before, after):
    for plain in (f"{amount:,}", f"{amount:,}".replace(",", " "), f"{amount:,}".translate(_GERMAN)):
        found, _ = priced(f"{before}{plain}{after}", None, PriceHabit())
        assert found.value in (amount, None)
        assert found.value == amount or (before in ("$", "US$ ") and after == " EUR")


@pytest.mark.parametrize("text", ["free", "1,2,3", "12.5.6", "1.234.56", "99999999999", "10%", "12 parsecs"])
def test_what_is_no_price_is_left_out(text):
    assert normalise.price(text).understood is False


def test_a_currency_by_its_code_or_sign():
    assert normalise.currency("gbp").value == "GBP"
    assert normalise.currency("XYZ").understood is False


def test_a_country_that_two_languages_name_alike_is_none():
    assert normalise.country("Kongo").understood is False
