"""The pages that show what the demo's mail catcher took."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.demo.maildir import Maildir

MAIL = """\
From: =?utf-8?q?Example_Hosting_=E2=9C=93?= <news@example.org>\r
To: =?utf-8?b?5L2Q6JekIOmZveWtkA==?= <yoko@example.com>\r
Subject: Maintenance for {number}\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
\r
Grüße im Text\r
--b\r
Content-Type: text/html; charset=utf-8\r
\r
<html><head><title>x</title></head><body><p>Grüße im <b>HTML</b></p><script>alert(1)</script></body></html>\r
--b--\r
"""


@pytest.fixture
def maildir(sqlite_app: Flask, tmp_path: Path) -> Maildir:
    sqlite_app.config["MAIL_CATCHER_DIR"] = str(tmp_path / "mails")
    return Maildir(tmp_path / "mails")


def catch(maildir: Maildir, count: int) -> None:
    for number in range(count):
        maildir.keep("bounce@example.org", [f"client{number}@example.com"], MAIL.format(number=number).encode())


def test_the_list_shows_the_newest_mail_first_with_readable_names(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 2)
    page = browser_client.get("/mail-catcher/").text
    assert page.index("Maintenance for 1") < page.index("Maintenance for 0")
    assert "Example Hosting ✓" in page
    assert "1–2 of 2 mails" in page


def test_the_list_has_pages(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 51)
    first = browser_client.get("/mail-catcher/").text
    assert "1–50 of 51 mails" in first
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    assert "Maintenance for 0<" in browser_client.get(following).text


def test_a_search_looks_at_recipient_sender_and_subject(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 12)
    found = browser_client.get("/mail-catcher/mails?q=CLIENT7@ maintenance").text
    assert "Maintenance for 7" in found
    assert "1–1 of 1 mails" in found
    assert "No mail found" in browser_client.get("/mail-catcher/mails?q=absent").text


def test_a_mail_is_shown_as_html_text_and_source(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 1)
    (name,) = maildir.names()
    page = browser_client.get(f"/mail-catcher/{name}").text
    assert re.search(r'<iframe[^>]+sandbox="[^"]*"', page)
    assert "佐藤 陽子" in page
    assert "Grüße im Text" in browser_client.get(f"/mail-catcher/{name}?as=text").text
    assert "--b" in browser_client.get(f"/mail-catcher/{name}?as=source").text
    assert browser_client.get(f"/mail-catcher/{name}/source").data == MAIL.format(number=0).encode()


def test_a_caught_mail_can_run_nothing_and_knows_nothing_of_the_console(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 1)
    answer = browser_client.get(f"/mail-catcher/{maildir.names()[0]}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "Grüße im <b>HTML</b>" in answer.text


@pytest.mark.parametrize("name", ["1", "00000000000000000000.1", "..%2f..%2fsecret-key", "a" * 300])
def test_a_mail_that_is_not_there_is_said_so(browser_client: FlaskClient, maildir: Maildir, name: str):
    assert browser_client.get(f"/mail-catcher/{name}").status_code == 404


def test_the_catcher_can_be_emptied(browser_client: FlaskClient, maildir: Maildir):
    catch(maildir, 3)
    assert "3 caught mails are removed" in browser_client.post("/mail-catcher/empty", follow_redirects=True).text
    assert maildir.names() == []


def test_a_console_without_catcher_says_so(browser_client: FlaskClient):
    answer = browser_client.get("/mail-catcher/")
    assert answer.status_code == 404
    assert "no mail catcher here" in answer.text
