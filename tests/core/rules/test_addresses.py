import string
import unicodedata
from urllib.parse import unquote

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import event, given, settings
from hypothesis import strategies as st

from webapp.core.rules.addresses import Address, Unusable, _checked, _common, usable
from webapp.core.rules.entities import decoded
from webapp.core.rules.texts import shown, tidy


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
    ("text", "address", "key"),
    [
        ("žofie426@example.com", "žofie426@example.com", "žofie426@example.com"),
        ("zˇofie@example.com".replace("zˇ", "z\u030c"), "žofie@example.com", "žofie@example.com"),
        ("ŽOFIE@Example.COM", "ŽOFIE@example.com", "žofie@example.com"),
        ("θσς@παράδειγμα.example", "θσς@xn--hxajbheg2az3al.example", "θσσ@xn--hxajbheg2az3al.example"),
        ("用户@例え.example", "用户@xn--r8jz45g.example", "用户@xn--r8jz45g.example"),
        ("שלום.עולם@example.com", "שלום.עולם@example.com", "שלום.עולם@example.com"),
        ("Straße@example.com", "Straße@example.com", "strasse@example.com"),
        ("👍@example.com", "👍@example.com", "👍@example.com"),
    ],
)
def test_letters_outside_ascii_before_the_at_sign_are_taken_in_nfc_and_the_domain_stays_ascii(text, address, key):
    found = usable(text)
    assert isinstance(found, Address)
    assert (found.address, found.key, found.repair) == (address, key, None)
    assert found.text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "text", ["ａｄａ＠example.com", "ａｄａ@example.com", "\u212aelvin@example.com", "o\ufb03ce@example.com"]
)
def test_an_address_that_has_an_ascii_form_is_taken_in_it(text):
    found = usable(text)
    assert isinstance(found, Address)
    assert found.address.isascii() and found.address == found.text
    assert found.repair == "full-width or joined letters written as usual ones"


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
        ("Ada <ada@example.com>, Bob <bob@example.net>", "Bob <bob@example.net>"),
        ('"Doe, Ada" <ada@example.com>; bob@example.net', "bob@example.net"),
        ("n/a; ada@example.com", "n/a"),
        ("ada@example.com, -", "-"),
    ],
)
def test_of_several_addresses_the_first_is_taken_and_the_rest_named(text, left_out):
    found = usable(text)
    assert isinstance(found, Address)
    assert found.address == "ada@example.com"
    assert found.repair is not None and found.repair.endswith(f"left out: {left_out}")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("o&#039;neil@example.com", "o'neil@example.com"),
        ("o&amp;#39;neil@example.com", "o'neil@example.com"),
        ("tom&amp;jerry@example.com", "tom&jerry@example.com"),
        ("ada&#64;example.com", "ada@example.com"),
        ("&lt;ada@example.com&gt;", "ada@example.com"),
        ("ada@example.com&nbsp;", "ada@example.com"),
        ("mailto:o%27neil@example.com", "o'neil@example.com"),
    ],
)
def test_what_a_panel_or_a_link_coded_is_decoded_first(text, address):
    found = usable(text)
    assert isinstance(found, Address)
    assert found.address == address
    assert "decoded" in (found.repair or "")


def test_a_sign_that_only_looks_like_a_code_stays():
    assert usable("tom&copy@example.com") == Address("tom&copy@example.com", *["tom&copy@example.com"] * 2)


@pytest.mark.parametrize(
    "text",
    [
        "max,muster@example.com",
        "max, muster@example.com",
        "max;muster@example.com",
        "max&#44;muster@example.com",
        "na,muster@example.com",
        "&foo;neil@example.com",
        "nobody@; ada@example.com",
        "ada@example.com; tel 123",
        "bob@example.net <ada@example.com>",
        "bob <ada@example.com>.au",
        "ada@ex²ample.com",
        "ada@example\u034f.com",
        "ada@①.example",
    ],
)
def test_a_repair_never_makes_another_person(text):
    found = usable(text)
    assert isinstance(found, Unusable)
    assert shown(text, 20).rstrip("…")[:3] in found.problem or "another" in found.problem


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
        ("\u0301a@example.com", "unsafe character"),
        ("a\ue000é@example.com", "unsafe character"),
        ("é\u00a0é@example.com", "a space in it"),
        ("\ud800é@example.com", "unsafe character"),
        ("é.@example.com", "dot"),
        ("x" * 65 + "@example.com", "more than 64 characters"),
        ("户" * 22 + "@example.com", "more than 64 octets"),
        ("户" * 20 + "@" + "y" * 60 + ".é" * 60 + ".com", "too long"),
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


_international = st.builds(
    "{}@{}".format,
    st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=20),
    st.sampled_from(["example.com", "Bücher.example", "xn--bcher-kva.example"]),
)


@given(_international)
def test_two_addresses_are_the_same_whatever_their_case_and_composition(text):
    found = usable(text)
    if isinstance(found, Address):
        assert found.key == unicodedata.normalize("NFC", found.key)
        for form in ("NFC", "NFD"):
            assert usable(unicodedata.normalize(form, found.text)) == Address(found.address, found.key, found.text)
        small = usable(found.address.lower())
        assert isinstance(small, Unusable) or small.key == found.key


@given(st.text(max_size=80))
def test_any_text_is_an_address_of_one_line_or_a_problem(text):
    found = usable(text)
    if isinstance(found, Address):
        assert found.address.isprintable() and " " not in found.address
        assert found.address.partition("@")[2].isascii() and found.address.count("@") == 1
        assert len(found.address.partition("@")[0].encode()) <= 64 and len(found.address.encode()) <= 254
        assert usable(found.text).address == found.address
    else:
        assert found.problem and found.problem == tidy(found.problem)


_SIGNS = [
    "@",
    ",",
    ";",
    "|",
    "'",
    '"',
    "<",
    ">",
    "&#039;",
    "&amp;",
    "&#44;",
    "&lt;",
    "&",
    "%27",
    "²",
    "ﬁ",
    "ａ",
    ".",
    " ",
    "\u200b",
]
_pieces = st.sampled_from([*_SIGNS, "mailto:", "max", "muster", "neil", "ada", "example.com", "b.example", "-", "n/a"])


@given(st.lists(_pieces, min_size=2, max_size=8).map("".join))
@settings(max_examples=1000)
def test_no_letter_of_an_only_address_is_lost_by_a_repair(text):
    """Whatever was mended: who stood before the only @ stands there still, letter by letter."""
    found = usable(text)
    meant = unquote(decoded(text)) if "mailto:" in text else decoded(text)
    if isinstance(found, Unusable) or meant.count("@") != 1 or "<" in meant:
        return
    before = meant.rpartition("@")[0]
    for word in ("mailto:", "n/a", "-"):  # what may stand beside an address without being one
        before = before.removeprefix(word)
    event("taken")
    letters = [sign for sign in unicodedata.normalize("NFKC", before) if sign.isalnum()]
    assert letters == [
        sign for sign in unicodedata.normalize("NFKC", found.address.partition("@")[0]) if sign.isalnum()
    ]
