def test_pages_forbid_foreign_scripts_frames_and_sniffing(browser_client):
    headers = browser_client.get("/settings/users").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]


def test_an_unknown_address_is_a_page_that_leads_back(browser_client):
    answer = browser_client.get("/no/such/page")
    assert answer.status_code == 404
    assert "Back to Mass Mail" in answer.text


def test_a_post_without_its_token_is_refused(sqlite_app, browser_client):
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    assert browser_client.post("/account/sign-out-elsewhere").status_code == 400


def test_a_refusal_of_a_fragment_becomes_a_toast(browser_client):
    answer = browser_client.post("/settings/users/999/link", headers={"HX-Request": "true"})
    assert answer.headers["HX-Retarget"] == "#toasts"
    assert "This user does not exist any more." in answer.text
    assert "<html" not in answer.text


def test_a_demo_with_a_relay_says_on_every_page_that_mails_leave(sqlite_app, browser_client):
    assert "leaves this machine" not in browser_client.get("/mass-mail/").text
    sqlite_app.config["DEMO"] = True
    for page in ("/mass-mail/", "/clients/", "/workers/"):
        assert "<code>127.0.0.1:25</code> and leaves this machine" in browser_client.get(page).text
    sqlite_app.config["MAIL_CATCHER_DIR"] = "mails"
    assert "leaves this machine" not in browser_client.get("/mass-mail/").text
