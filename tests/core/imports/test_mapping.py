import pytest

from tests.core.imports.steps import DATA
from webapp.core.errors import Invalid
from webapp.core.imports.answers import KIND
from webapp.core.imports.mapping import FIELDS, assign, checked, missing, propose
from webapp.core.imports.reading import look
from webapp.core.tables.imports import ImportKind

C, S, A = ImportKind.CLIENTS, ImportKind.SERVICES, ImportKind.ADDONS


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("clients-oddities.csv", C),
        ("kunden-cp1252.csv", C),
        ("clients-utf16.txt", C),
        ("services-oddities.csv", S),
        ("addons-oddities.csv", A),
    ],
)
def test_our_files_are_mapped_whole_by_their_headers(name, kind):
    header = look(DATA / name).header
    assert propose(header).kind is kind
    mapping = assign(kind, header).mapping
    assert sorted(mapping.values()) == list(range(len(header)))
    assert not missing(kind, mapping)


@pytest.mark.parametrize(
    ("header", "kind", "mapping"),
    [
        (
            ["ID", "First Name", "Last Name", "Company Name", "Email", "Country", "Creation Date", "Status"],
            C,
            {
                "number": 0,
                "first_name": 1,
                "last_name": 2,
                "company": 3,
                "email": 4,
                "country": 5,
                "status": 7,
                "client_since": 6,
            },
        ),
        (
            ["ID", "User ID", "Product Name", "Domain Name", "Recurring Amount", "Next Due Date", "Domain Status"],
            S,
            {"number": 0, "client_number": 1, "product": 2, "domain": 3, "status": 6, "price": 4, "next_due_on": 5},
        ),
        (
            ["Kunden-Nr.", "Name", "E-Mail-Adresse", "STATUS", "Kunde seit"],
            C,
            {"number": 0, "full_name": 1, "email": 2, "status": 3, "client_since": 4},
        ),
        (
            ["Vertragsnr", "Kundennummer", "Produkt", "Zustand", "Fällig am", "Währung"],
            S,
            {"number": 0, "client_number": 1, "product": 2, "status": 3, "next_due_on": 4, "currency": 5},
        ),
        (["ID", "Hosting ID", "Addon Name", "Status"], A, {"number": 0, "service_number": 1, "addon": 2, "status": 3}),
    ],
)
def test_headers_of_other_programs_are_understood(header, kind, mapping):
    assert propose(header).kind is kind
    assert assign(kind, header).mapping == mapping


def test_a_column_of_addresses_is_the_e_mail_whatever_its_name():
    header = ["Client ID", "Status", "Kontakt"]
    assert assign(C, header, [["1"], ["Active"], ["a@example.com", "Bob <b@example.org>"]]).mapping["email"] == 2
    assert "email" not in assign(C, header, [["1"], ["Active"], ["a@example.com", "by phone"]]).mapping


def test_a_mapping_without_a_required_field_is_refused_by_name():
    with pytest.raises(Invalid, match="Choose the column for Client ID, Status") as error:
        checked(C, {"email": 0}, 3)
    assert error.value.field == "number"


def test_a_mapping_of_one_column_to_two_fields_is_refused():
    with pytest.raises(Invalid, match="Client ID and Status are mapped to the same column"):
        checked(C, {"number": 0, "status": 0}, 3)


@pytest.mark.parametrize(
    "mapping", [{"number": 0, "status": 3}, {"number": 0, "status": -1}, {"number": 0, "status": 1, "password": 2}]
)
def test_a_mapping_that_does_not_fit_is_refused(mapping):
    with pytest.raises(Invalid, match="does not fit"):
        checked(C, mapping, 3)


def test_no_header_is_a_synonym_of_two_precise_fields():
    for fields in FIELDS.values():
        names = [name for field in fields for name in field.headers]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


@pytest.mark.parametrize(
    "header",
    [
        ["id", "client_id", "product_id", "title", "currency", "status"],
        ["ID", "Client ID", "First Name", "Email", "Status"],
        ["Invoice ID", "Client ID", "Client Name", "Total", "Status"],
        ["Ticket No", "User ID", "Name", "Email", "Status"],
        ["ID", "User ID", "Domain", "Registrar", "Status", "Next Due Date"],
        ["Client ID", "Status"],
        ["Name", "Status"],
    ],
)
def test_a_file_that_may_be_something_else_is_asked_what_it_is(header):
    assert propose(header).open == (KIND,)


@pytest.mark.parametrize(
    ("header", "kind", "mapping", "open_"),
    [
        (
            ["ID", "User ID", "Client Name", "Order ID", "Product Name", "Status", "Subscription ID"],
            S,
            {"number": 0, "client_number": 1, "product": 4, "status": 5},
            [],
        ),
        (
            ["Subscription ID", "Customer ID", "Plan", "Status"],
            S,
            {"client_number": 1, "product": 2, "status": 3},
            ["number"],
        ),
        (
            ["ID", "Service ID", "Client ID", "Product", "Status"],
            S,
            {"client_number": 2, "product": 3, "status": 4},
            ["number"],
        ),
        (["Client ID", "Email", "Billing Email", "Status"], C, {"number": 0, "status": 3}, ["email"]),
        (["Record ID", "First Name", "Email"], C, {"first_name": 1, "email": 2}, ["number", "status"]),
        (
            ["Customer Id", "Customer First Name", "Customer Email", "Status"],
            C,
            {"number": 0, "first_name": 1, "email": 2, "status": 3},
            [],
        ),
        (
            ["id", "Name", "Email", "Created (UTC)", "Status"],
            C,
            {"number": 0, "full_name": 1, "email": 2, "client_since": 3, "status": 4},
            [],
        ),
        (
            ["ID", "First Name", "Last Name", "Full Name", "Status"],
            C,
            {"number": 0, "first_name": 1, "last_name": 2, "status": 4},
            [],
        ),
        (["ID", "Vorname", "Name", "Status"], C, {"number": 0, "first_name": 1, "last_name": 2, "status": 3}, []),
    ],
)
def test_what_is_not_certain_or_fits_several_columns_is_asked(header, kind, mapping, open_):
    proposed = propose(header)
    assert (proposed.kind, proposed.assignment.mapping, list(proposed.open)) == (kind, mapping, open_)


def test_columns_that_hold_the_same_are_not_asked_and_one_without_addresses_is_no_e_mail():
    header = ["Client ID", "Email", "E-Mail", "Status"]
    same = [["1"], ["a@example.com"], ["a@example.com"], ["Active"]]
    assert assign(C, header, same).mapping["email"] == 1
    assert "email" not in assign(C, ["Client ID", "Email", "Status"], [["1"], ["yes"], ["Active"]]).mapping


def test_clients_need_a_column_of_names_or_addresses():
    with pytest.raises(Invalid, match="Clients need a column of names or of e-mail addresses"):
        checked(C, {"number": 0, "status": 1}, 2)
    assert checked(C, {"number": 0, "status": 1, "company": 2}, 3)


def test_a_constant_may_stand_for_a_column_but_not_for_what_tells_rows_apart():
    assert checked(C, {"number": 0, "email": 1}, 2, {"status": "Active"}) == {"number": 0, "email": 1}
    for name in ("number", "email"):
        with pytest.raises(Invalid, match="cannot be the same for all rows"):
            checked(C, {"number": 0, "email": 1} | {"status": 2}, 3, {name: "x"})
    with pytest.raises(Invalid, match="Say what Status is for all rows"):
        checked(C, {"number": 0, "email": 1}, 2, {"status": " "})
