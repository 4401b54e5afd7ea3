import re

from tests import factories
from webapp.core import from_addresses, users


def test_a_sender_is_added_made_default_and_removed(browser_client, sqlite_session):
    browser_client.post("/settings/sending/from-addresses", data={"name": "Help", "address": "help@example.com"})
    browser_client.post("/settings/sending/from-addresses", data={"name": "", "address": "billing@example.com"})
    second = from_addresses.listing(sqlite_session)[1]
    browser_client.post(f"/settings/sending/from-addresses/{second.id}/default")
    sqlite_session.rollback()
    assert from_addresses.default(sqlite_session) == "billing@example.com"
    browser_client.post(f"/settings/sending/from-addresses/{second.id}/remove")
    sqlite_session.rollback()
    assert [sender.address for sender in from_addresses.listing(sqlite_session)] == ["help@example.com"]


def test_a_bad_sender_keeps_what_was_typed_and_says_why(browser_client):
    answer = browser_client.post("/settings/sending/from-addresses", data={"name": "Help", "address": "help at home"})
    assert answer.status_code == 422
    assert "This address cannot be used" in answer.text
    assert 'value="help at home"' in answer.text


def test_a_new_user_signs_in_with_the_link_shown(browser_client, sqlite_app):
    page = browser_client.post("/settings/users", data={"name": "Bob", "email": "bob@example.org"}).text
    path = re.search(r"(/sign-in/link/[\w-]+)", page)
    assert path
    bob = sqlite_app.test_client()
    bob.post(path[1])
    assert "bob@example.org" in bob.get("/account/").text


def test_a_locked_user_is_out_at_once_but_nobody_locks_themselves(browser_client, sqlite_app, sqlite_session):
    me = users.listing(sqlite_session)[0]
    other = factories.user(sqlite_session)
    sqlite_session.commit()
    browser_client.post(f"/settings/users/{other.id}/active/0")
    browser_client.post(f"/settings/users/{me.id}/active/0")
    sqlite_session.rollback()
    assert (other.is_active, me.is_active) == (False, True)


def test_a_user_who_is_gone_is_a_page_not_a_crash(browser_client):
    answer = browser_client.post("/settings/users/999/link")
    assert answer.status_code == 404
    assert "This user does not exist any more." in answer.text
