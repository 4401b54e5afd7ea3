import pytest

from webapp.core.errors import Invalid
from webapp.core.settings import from_addresses


def test_the_first_sender_is_the_default_and_another_can_become_it(session):
    first = from_addresses.add(session, "Example  Hosting", "support@example.com")
    second = from_addresses.add(session, "", "billing@example.com")
    assert from_addresses.default(session) == "Example Hosting <support@example.com>"
    from_addresses.make_default(session, second.id)
    session.expire_all()
    assert from_addresses.default(session) == "billing@example.com"
    assert not first.is_default


def test_removing_the_default_leaves_another_one(session):
    first = from_addresses.add(session, "", "a@example.com")
    from_addresses.add(session, "", "b@example.com")
    from_addresses.remove(session, first.id)
    assert [(s.address, s.is_default) for s in from_addresses.listing(session)] == [("b@example.com", True)]


def test_an_international_domain_is_stored_as_it_goes_over_the_wire(session):
    assert from_addresses.add(session, "", "post@straße.example").address == "post@xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("name", "address", "field"),
    [
        ("", "nobody", "address"),
        ("", "two@example.com, three@example.com", "address"),
        ('Evil" <x@example.com>', "a@example.com", "name"),
        ("", "a@example.com\r\nBcc: b@example.com", "address"),
        ("", "TAKEN@example.com", "address"),
    ],
)
def test_it_refuses_what_cannot_be_a_sender(session, name, address, field):
    from_addresses.add(session, "", "taken@example.com")
    with pytest.raises(Invalid) as refusal:
        from_addresses.add(session, name, address)
    assert refusal.value.field == field
