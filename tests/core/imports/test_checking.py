from datetime import date
from decimal import Decimal

import pytest

from tests.core.imports.steps import CASES, DATA, written
from webapp.core.imports.answers import Answers
from webapp.core.imports.checking import Checker
from webapp.core.imports.mapping import propose
from webapp.core.imports.reading import look, records
from webapp.core.imports.survey import Survey
from webapp.core.rules.addresses import Unusable
from webapp.core.rules.normalise import DateOrder
from webapp.core.rules.statuses import ClientStatus, HoldingStatus

DAY_FIRST = Answers(order=DateOrder.DAY)


def rows(path, answers=DAY_FIRST):
    layout = look(path)
    proposal = propose(layout.header)
    kind, mapping = proposal.kind, proposal.assignment.mapping
    survey = Survey(kind, mapping, answers, len(layout.header))
    survey.add(records(path, layout))
    checker = Checker(kind, mapping, len(layout.header), layout.delimiter, survey.findings, answers)
    return {record.line: checker.check(record) for record in records(path, layout)}


def said(row):
    return [(issue.field, issue.reason, issue.refused) for issue in row.issues]


@pytest.fixture
def clients():
    return rows(DATA / "clients-oddities.csv")


def test_a_plain_row_is_read_without_a_word(clients):
    row = clients[2]
    assert said(row) == []
    assert row.values == {
        "number": "1001",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "company": "Difference & Engine, Ltd",
        "email": "ada@example.com",
        "city": "London",
        "country": "GB",
        "language": "en",
        "status": ClientStatus.ACTIVE,
        "client_since": date(2019, 8, 14),
        "marketing_opt_in": True,
    }


def test_blanks_case_and_other_spellings_need_no_word(clients):
    row = clients[3]
    assert said(row) == []
    assert [row.values[name] for name in ("email", "country", "language", "status")] == [
        "jana@example.org",
        "CZ",
        "cs",
        "active",
    ]
    assert row.values["client_since"] == date(2021, 4, 28)


def test_every_repair_is_said_with_the_value_that_stood_there(clients):
    assert said(clients[4]) == [
        ("country", "“Germany” read as DE", False),
        ("status", "“Suspended” read as Suspend", False),
    ]
    assert [issue.value for issue in clients[4].issues] == ["Germany", " Suspended"]
    assert said(clients[5]) == [
        ("last_name", "invisible characters removed", False),
        ("email", "only the address is kept", False),
        ("status", "“Closed” read as Terminate", False),
    ]
    assert clients[5].values["first_name"] == "Anna Maria"
    assert said(clients[7]) == [("email", "several addresses: the first is kept, left out: boxes@example.net", False)]


def test_an_address_that_cannot_be_used_is_told_and_the_client_taken(clients):
    assert not clients[8].refused
    assert clients[8].issues[0].field == "email"
    assert clients[8].issues[0].reason.endswith("the client is taken, but gets no mail")


def test_an_address_with_letters_outside_ascii_is_taken_without_a_word(clients):
    assert (clients[9].values["email"], clients[9].issues) == ("žofie@example.com", [])


def test_what_is_not_understood_is_left_out_of_the_values(clients):
    assert {"country", "language"}.isdisjoint(clients[8].values)


def test_a_missing_status_or_number_refuses_the_row(clients):
    assert said(clients[10]) == [
        ("status", "Status is missing: it decides who is mailed, so it is never guessed", True)
    ]
    assert said(clients[14]) == [("number", "Client ID is missing", True)]


def test_markup_and_formulas_are_data(clients):
    row = clients[11]
    assert row.values["first_name"] == '=HYPERLINK("http://example.com","click")'
    assert row.values["last_name"] == "<script>alert(1)</script>"
    assert (row.values["company"], row.values["city"]) == ('Co "The Best", Ltd', "Line break")


def test_a_separator_without_quotation_marks_is_mended_where_only_one_reading_makes_sense(tmp_path):
    path = written(
        tmp_path / "a.csv",
        "Service ID,Client ID,Product,Status,Price",
        "1,7,Web Pro, 50 GB,Active,9.90",
        "2,7,Mail,Active,9,90",
    )
    found = rows(path)
    assert (found[2].values["product"], found[2].values["price"]) == ("Web Pro, 50 GB", Decimal("9.90"))
    assert said(found[2]) == [("row", "“Web Pro, 50 GB” read as one field: it has no quotation marks around it", False)]
    assert found[3].values["price"] == Decimal("9.90")


def test_a_separator_that_could_stand_in_several_fields_refuses_the_row(tmp_path):
    path = written(
        tmp_path / "a.csv", "Client ID,First Name,Last Name,Company,Status", "1,Ada,Smith, Jones,and Sons,Active"
    )
    row = rows(path)[2]
    assert row.refused
    assert said(row)[0][1].startswith("it has 6 fields, the header 5: is there a “,” inside a field")


def test_surplus_separators_at_the_end_do_not_matter(tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Status", "1,Active,,")
    assert said(rows(path)[2]) == []


def test_a_row_that_ends_early_is_told(clients):
    assert said(clients[16]) == [("row", "it ends after 9 of 11 fields: the others are taken as empty", False)]


def test_holdings_are_read_with_their_oddities():
    services = rows(DATA / "services-oddities.csv")
    second, third = services[3].values, services[4].values
    assert (second["domain"], second["price"], second["next_due_on"]) == (
        "ada.example.net",
        Decimal("1234.50"),
        date(2027, 5, 18),
    )
    assert second["status"] is HoldingStatus.SUSPENDED
    assert (third["price"], third["currency"], third["next_due_on"]) == (Decimal("12.50"), "EUR", None)
    assert third["status"] is HoldingStatus.TERMINATED
    assert {"price", "currency", "next_due_on"}.isdisjoint(services[7].values)
    assert said(services[8]) == [("product", "Product is missing", True)]


def test_bytes_that_mean_nothing_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"Client ID,First Name,Status\n" + "1,Žofie Šťastná,Active\n".encode() * 9 + b"2,bro\xe9ken,Active\n"
    )
    assert said(rows(path)[11]) == [("row", "it is not written in UTF-8 like the rest of the file", True)]
    path.write_bytes("Client ID,First Name,Status\n1,Bj\ufffdrn,Active\n".encode())
    assert said(rows(path)[2]) == [("first_name", "some characters could not be read: is the encoding right?", False)]


def test_a_text_that_is_too_long_is_cut_and_told(tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,First Name,Status", f"1,{'x' * 300},Active", f"{'9' * 65},Ada,Active")
    found = rows(path)
    assert len(found[2].values["first_name"]) == 200
    assert said(found[2]) == [("first_name", "cut after 200 characters", False)]
    assert found[3].refused


def test_the_prices_of_the_case_are_read_by_their_currencies():
    found = rows(CASES / "10-prices.csv")
    assert [(row.values["price"], row.values["currency"]) for row in found.values()] == [
        (Decimal("5.5"), "KWD"),
        (Decimal("10"), "USD"),
        (Decimal("49.9"), "BRL"),
    ]
    assert {row.values["next_due_on"] for row in found.values()} == {date(2027, 1, 5)}


def test_the_dates_of_the_case_are_read():
    found = [row.values["client_since"] for row in rows(CASES / "23-dates.csv").values()]
    fifth = date(2021, 1, 5)
    assert found == [fifth, fifth, date(2021, 1, 1), fifth, fifth]


def test_the_addresses_of_the_case_are_their_own():
    found = rows(CASES / "01-entity-and-comma-in-address.csv")
    assert found[2].values["email"] == "o'neil@example.com"
    assert isinstance(found[3].address, Unusable) and "“max” in it is not an address" in found[3].issues[-1].reason
    assert found[4].values["email"] == "tom&jerry@example.com"


def test_a_row_that_is_too_long_is_not_mended_to_another_persons_address(tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Name,Email,Status", "1,Max,max,muster@example.com,Active")
    row = rows(path)[2]
    assert row.refused and row.address is None


def test_a_whole_name_is_split_and_said_where_it_is_not_plain(tmp_path):
    path = written(
        tmp_path / "a.csv", "Client ID,Full Name,Status", "1,Ada Lovelace,Active", "2,Dr. Anna van Dyk,Active"
    )
    found = rows(path)
    assert (found[2].values["first_name"], found[2].values["last_name"], found[2].issues) == ("Ada", "Lovelace", [])
    assert (found[3].values["first_name"], found[3].values["last_name"]) == ("Anna", "van Dyk")
    assert said(found[3]) == [("full_name", "read as first name “Anna” and last name “van Dyk”", False)]


def test_a_constant_stands_for_a_column_that_the_file_lacks(tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Email", "1,a@example.com")
    row = rows(path, Answers(constants={"status": "Active", "country": "Germany"}))[2]
    assert (row.values["status"], row.values["country"]) == (ClientStatus.ACTIVE, "DE")


def test_a_status_word_means_what_was_said_or_refuses_its_rows(tmp_path):
    path = written(tmp_path / "a.csv", "ID,Client ID,Product,Status", "1,7,Web,Pending Transfer", "2,7,Web,in_review")
    answers = Answers(statuses={"pending transfer": "inactive", "in review": "refuse"})
    found = rows(path, answers)
    assert found[2].values["status"] is HoldingStatus.INACTIVE
    assert said(found[2]) == [("status", "“Pending Transfer” read as Inactive, as you said", False)]
    assert found[3].refused


def test_a_date_in_doubt_is_not_guessed(tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Email,Status,Created", "1,a@example.com,Active,03/07/2021")
    assert "client_since" not in rows(path, Answers())[2].values
    assert rows(path, Answers(order=DateOrder.MONTH))[2].values["client_since"] == date(2021, 3, 7)
