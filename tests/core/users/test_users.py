from datetime import timedelta

import pytest

from tests.factories import NOW
from webapp.core import users
from webapp.core.errors import Invalid

PASSWORD = "correct horse battery"


def enter(session, email, password, keys=("k",)):
    """Try to sign in, in the two steps of the console."""
    return users.authenticate(session, email, users.fitting_hash(session, email, password), keys, NOW)


def change(session, user, current, new, token):
    return users.change_password(session, users.new_password(session, user.id, current, new), token, NOW)


@pytest.fixture
def ada(session):
    return users.create(session, " Ada@Example.org ", PASSWORD, NOW, name="Ada", time_zone="Europe/Berlin")


def test_the_password_is_not_stored(ada):
    assert PASSWORD not in ada.password_hash
    assert ada.email == "ada@example.org"


@pytest.mark.parametrize(
    ("email", "password", "zone", "field"),
    [
        ("ada", PASSWORD, "UTC", "email"),
        ("a b@example.org", PASSWORD, "UTC", "email"),
        ("bob@example.org", "short", "UTC", "password"),
        ("bob@example.org", PASSWORD, "Europe/Atlantis", "time_zone"),
        ("ADA@example.org", PASSWORD, "UTC", "email"),
    ],
)
def test_it_refuses_what_cannot_be_an_account_and_names_the_field(session, ada, email, password, zone, field):
    with pytest.raises(Invalid) as refusal:
        users.create(session, email, password, NOW, time_zone=zone)
    assert refusal.value.field == field


def test_the_right_password_signs_in_whatever_the_case_of_the_address(session, ada):
    assert enter(session, "ADA@example.org ", PASSWORD) is ada
    assert enter(session, "ada@example.org", PASSWORD + "x") is None
    assert enter(session, "nobody@example.org", PASSWORD) is None


@pytest.mark.parametrize("what", ["password", "lock"])
def test_a_password_that_fitted_does_not_sign_in_once_it_is_replaced_or_its_user_locked(session, ada, what):
    fitting = users.fitting_hash(session, ada.email, PASSWORD)
    if what == "lock":
        users.set_active(session, ada.id, False)
    else:
        change(session, ada, PASSWORD, "another good one", users.sign_in(session, ada, NOW))
    assert users.authenticate(session, ada.email, fitting, ["k"], NOW) is None


def test_whoever_is_to_come_by_a_link_has_no_password_that_fits(session):
    bob = users.create(session, "bob@example.org", None, NOW)
    assert bob.password_hash
    assert all(enter(session, bob.email, guess) is None for guess in ("", "None", bob.password_hash))


def test_guessing_is_slowed_down_per_key_and_only_for_a_while(session, ada):
    for _ in range(users.FAILURES_ALLOWED):
        assert users.may_try(session, ["email:ada", "from:1"], NOW)
        enter(session, ada.email, "wrong", ["email:ada", "from:1"])
        session.flush()
    assert not users.may_try(session, ["email:ada"], NOW)
    assert not users.may_try(session, ["other", "from:1"], NOW)
    assert users.may_try(session, ["other"], NOW)
    assert users.may_try(session, ["email:ada"], NOW + users.FAILURE_WINDOW + timedelta(seconds=1))


def test_a_success_forgets_the_failures_of_that_account_and_not_those_of_the_network(session, ada):
    keys = ["email:ada", "from:1"]
    for _ in range(users.FAILURES_ALLOWED - 1):
        enter(session, ada.email, "wrong", keys)
    assert enter(session, ada.email, PASSWORD, keys) is ada
    enter(session, "other@example.org", "wrong", ["email:other", "from:1"])
    session.flush()
    assert users.may_try(session, ["email:ada"], NOW)
    assert not users.may_try(session, ["from:1"], NOW)


def test_a_sign_in_can_be_revoked_and_runs_out(session, ada):
    token, other = users.sign_in(session, ada, NOW), users.sign_in(session, ada, NOW)
    assert users.signed_in(session, token, NOW).user is ada
    assert users.signed_in(session, token, NOW + users.SIGN_IN_LASTS, timedelta(days=99)) is None
    assert users.signed_in(session, "made up", NOW) is None
    assert users.sign_out_elsewhere(session, ada.id, token) == 1
    assert users.signed_in(session, other, NOW) is None
    users.sign_out(session, token)
    assert users.signed_in(session, token, NOW) is None


def test_a_locked_user_is_out_at_once(session, ada):
    token, link = users.sign_in(session, ada, NOW), users.make_link(session, ada.id, NOW)
    users.set_active(session, ada.id, False)
    assert users.signed_in(session, token, NOW) is None
    assert enter(session, ada.email, PASSWORD) is None
    assert users.use_link(session, link, NOW) is None


def test_a_link_signs_in_once_and_not_for_long(session, ada):
    link = users.make_link(session, ada.id, NOW)
    assert users.use_link(session, link, NOW) is ada
    assert users.use_link(session, link, NOW) is None
    late = users.make_link(session, ada.id, NOW)
    assert users.use_link(session, late, NOW + users.LINK_LASTS) is None


def test_a_new_password_needs_the_present_one_and_ends_other_sign_ins(session, ada):
    here, elsewhere = users.sign_in(session, ada, NOW), users.sign_in(session, ada, NOW)
    with pytest.raises(Invalid) as refusal:
        change(session, ada, "wrong", "another good one", here)
    assert refusal.value.field == "current"
    anew = change(session, ada, PASSWORD, "another good one", here)
    assert enter(session, ada.email, "another good one") is ada
    assert users.signed_in(session, anew, NOW).user is ada
    assert users.signed_in(session, here, NOW) is None
    assert users.signed_in(session, elsewhere, NOW) is None


def test_of_two_changes_of_a_password_at_once_only_one_is_made(session, ada):
    first, second = (users.new_password(session, ada.id, PASSWORD, new) for new in ("the first one", "the second one"))
    token = users.change_password(session, first, users.sign_in(session, ada, NOW), NOW)
    with pytest.raises(Invalid) as refusal:
        users.change_password(session, second, token, NOW)
    assert refusal.value.field == "current"
    assert enter(session, ada.email, "the first one") is ada
