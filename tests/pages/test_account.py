from tests.pages.page import read
from tests.pages.test_writing import others_can_write
from webapp.core import users
from webapp.core.users import passwords


def test_the_profile_is_saved_and_a_made_up_zone_refused(browser_client, sqlite_session):
    browser_client.post("/account/profile", data={"name": "Ada L.", "time_zone": "Asia/Kolkata"})
    (user,) = users.listing(sqlite_session)
    assert (user.name, user.time_zone) == ("Ada L.", "Asia/Kolkata")
    answer = browser_client.post("/account/profile", data={"name": "X", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "There is no time zone called Mars/Olympus." in answer.text
    assert read(answer).at("*[@autofocus]")["name"] == "time_zone"


def test_who_came_by_a_link_sets_a_password_and_needs_it_the_next_time(browser_client, sqlite_session):
    new = {"password": "a new good password", "again": "a new good password"}
    assert browser_client.post("/account/password", data=new).status_code == 302
    answer = browser_client.post("/account/password", data={**new, "current": "not it at all"})
    assert answer.status_code == 422
    assert "This is not your present password." in answer.text


def test_two_different_new_passwords_change_nothing(browser_client, sqlite_session):
    before = users.listing(sqlite_session)[0].password_hash
    answer = browser_client.post("/account/password", data={"password": "a new good one", "again": "another one"})
    assert "The two are not the same." in answer.text
    sqlite_session.rollback()
    assert users.listing(sqlite_session)[0].password_hash == before


def test_the_chosen_theme_stands_on_every_page_until_taken_back(browser_client):
    browser_client.post("/account/theme", data={"theme": "dark"})
    assert 'data-theme="dark"' in browser_client.get("/settings/users").text
    browser_client.post("/account/theme", data={"theme": ""})
    assert "data-theme" not in browser_client.get("/settings/users").text


def test_others_write_while_a_new_password_is_hashed(browser_client, sqlite_session, monkeypatch):
    free = []

    def watched(hashing):
        def look(*args):
            free.append(others_can_write(sqlite_session.get_bind()))
            return hashing(*args)

        return look

    for name in ("check_password_hash", "generate_password_hash"):
        monkeypatch.setattr(passwords, name, watched(getattr(passwords, name)))
    new = {"password": "a new good password", "again": "a new good password"}
    assert browser_client.post("/account/password", data=new).status_code == 302
    changed = {"current": new["password"], "password": "yet another one", "again": "yet another one"}
    assert browser_client.post("/account/password", data=changed).status_code == 302
    assert browser_client.post("/settings/users", data={"email": "bob@example.org", "name": "Bob"}).status_code == 200
    assert len(free) == 3 and all(free)
