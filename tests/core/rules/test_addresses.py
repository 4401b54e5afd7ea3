import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules.addresses import Address, Unusable, _checked, _common, usable
from webapp.core.rules.texts import tidy


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  ada@example.com ", "ada@example.com"),
        ("Ada.Lovelace@EXAMPLE.com", "Ada.Lovelace@example.com"),
        ("ada@bücher100.example", "ada@xn--bcher100-65a.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_taken_with_its_domain_in_idna2008(text, address):
    found = usable(text)
    assert isinstance(found, Address)
    assert (found.address, found.key, found.text, found.repair) == (address, address.lower(), text.strip(), None)


@pytest.mark.parametrize(
    ("text", "address", "repair"),
    [
        ("Jeannine Séguin <j.seguin@example.com>", "j.seguin@example.com", "only the address is kept"),
        ('"Doe, John" <john@example.com>', "john@example.com", "only the address is kept"),
        ("飞 李 <user642@example.org>", "user642@example.org", "only the address is kept"),
        ("mailto:ada@example.com?subject=Hi", "ada@example.com", "“mailto:” removed"),
        ("ada@example.com.", "ada@example.com", "“.” at the end removed"),
        ("'ada@example.com'", "ada@example.com", "quotation marks removed"),
        ("ada\u200b@example.com", "ada@example.com", "invisible characters removed"),
        ("\u202aada@example.com\u202c", "ada@example.com", "invisible characters removed"),
    ],
)
def test_what_surrounds_an_address_by_mistake_is_taken_off_and_said(text, address, repair):
    found = usable(text)
    assert isinstance(found, Address)
    assert (found.address, found.repair) == (address, repair)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("ada@example.com; bob@example.net", "bob@example.net"),
        ("ada@example.com, bob@example.net", "bob@example.net"),
        ("ada@example.com bob@example.net", "bob@example.net"),
        ("ada@example.com\nbob@example.net", "bob@example.net"),
        ("Ada <ada@example.com>, Bob <bob@example.net>", "bob@example.net"),
        ("nobody@; ada@example.com", "nobody@"),
        ("ada@example.com; tel 123", "tel 123"),
    ],
)
def test_of_several_addresses_the_first_usable_one_is_taken_and_the_rest_named(text, left_out):
    found = usable(text)
    assert isinstance(found, Address)
    assert found.address == "ada@example.com"
    assert found.repair is not None and found.repair.endswith(f"left out: {left_out}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unknown", "stands there instead of an address"),
        ("n/a", "stands there instead of an address"),
        ("tel:+49 30 1234", "has no @"),
        ("@example.com", "nothing before the @"),
        ("foo@", "nothing after the @"),
        ("x@@example.com", "more than one @"),
        ("a b@example.com", "a space in it"),
        ("ada@exa mple.com", "a space in it"),
        ("ada@example..com", "two dots in a row"),
        ("ada@localhost", "no dot after the @"),
        ("žofie426@example.com", "letters before the @ that most mail servers do not take"),
        ("x" * 65 + "@example.com", "more than 64 characters"),
        ("a@" + "x" * 60 + "." + ("y" * 60 + ".") * 4 + "com", "long"),
        ("ada@-example.com", "hyphen"),
        ("ada@exa_mple.com", "invalid characters"),
        ("ada@[192.0.2.1]", "not allowed"),
        ("ada@example.invalid", "reserved"),
    ],
)
def test_what_cannot_be_mailed_is_refused_in_plain_words(text, words):
    found = usable(text)
    assert isinstance(found, Unusable)
    assert words in found.problem
    assert not found.missing
    assert len(found.problem) <= 200


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\t\n"])
def test_nothing_is_no_address(text):
    assert usable(text) == Unusable("no address", missing=True)


_addresses = st.builds(
    "{}@{}".format,
    st.text(string.ascii_letters + string.digits + ".-_+'", min_size=1, max_size=70),
    st.text(string.ascii_letters + string.digits + ".-", min_size=1, max_size=70),
)


@given(_addresses)
def test_the_quick_way_agrees_with_the_thorough_one(text):
    quick = _common(text, None)
    if quick:
        assert quick == _checked(text, None)


@given(_addresses)
def test_the_quick_way_takes_nearly_all_that_email_validator_takes(text):
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        assert isinstance(usable(text), Unusable) or text.rstrip(".") != text
    else:
        assert valid.ascii_email == usable(text).address


@given(st.text(max_size=80))
def test_any_text_is_an_address_of_one_ascii_line_or_a_problem(text):
    found = usable(text)
    if isinstance(found, Address):
        assert found.address.isascii() and found.address.isprintable() and " " not in found.address
        assert found.address.count("@") == 1
        assert found.key == found.address.lower()
        assert usable(found.text).address == found.address
    else:
        assert found.problem and found.problem == tidy(found.problem)
