"""An address with letters outside ASCII, as the console shows it: the client's page, the preview, the ledger, the mail."""

from tests import factories
from tests.neighbours import MailServer
from webapp.adapters.clock import now
from webapp.core.clients.rows import stored_form
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.settings import from_addresses

FOREIGN = "žofie用户@xn--r8jz45g.example"


def client(session):
    form = stored_form({"number": "1", "first_name": "Žofie", "last_name": "Malá", "email": FOREIGN})
    columns = ("number", "first_name", "last_name", "email", "address", "address_key", "search_text")
    return factories.client(session, **{name: form[name] for name in columns})


def test_the_list_and_the_clients_page_have_nothing_to_object(browser_client, sqlite_session):
    row = client(sqlite_session)
    sqlite_session.commit()
    assert FOREIGN in browser_client.get("/clients/?q=zofie用户").text
    page = browser_client.get(f"/clients/{row.id}").text
    assert FOREIGN in page and "No mass mail reaches this client" not in page


def test_the_preview_is_addressed_to_it(browser_client, sqlite_session):
    row = client(sqlite_session)
    draft = factories.broadcast(sqlite_session, html="<p>{{ email }}</p>")
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{draft.id}/content/?client={row.id}").text
    assert FOREIGN in page
    assert FOREIGN in browser_client.get(f"/mass-mail/{draft.id}/content/mail?client={row.id}").text


def test_the_ledger_and_the_mail_say_it_as_it_was_sent(browser_client, sqlite_session):
    draft = factories.broadcast(sqlite_session, state=BroadcastState.SENDING, started_at=now(), frozen_at=now())
    row = factories.delivery(sqlite_session, draft, client(sqlite_session), state=DeliveryState.FAILED)
    row.reason = "ascii_only"
    sqlite_session.commit()
    listed = browser_client.get(f"/mass-mail/{draft.id}/deliveries/").text
    assert FOREIGN in listed and "the relay does not take addresses with letters outside ASCII" in listed
    page = browser_client.get(f"/mass-mail/{draft.id}/deliveries/{row.id}").text
    assert f"Žofie Malá &lt;{FOREIGN}&gt;" in page and "�" not in page
    source = browser_client.get(f"/mass-mail/{draft.id}/deliveries/{row.id}?as=source").text
    assert f"&lt;{FOREIGN}&gt;" in source and "�" not in source
    assert FOREIGN in browser_client.get(f"/mass-mail/{draft.id}/deliveries/export.csv").get_data().decode("utf-8-sig")


def test_a_name_of_several_encoded_words_is_shown_without_blanks_between_them(browser_client, sqlite_session):
    draft = factories.broadcast(sqlite_session, state=BroadcastState.SENDING, started_at=now(), frozen_at=now())
    row = factories.delivery(
        sqlite_session, draft, factories.client(sqlite_session, first_name="小明", last_name="王" * 90)
    )
    sqlite_session.commit()
    page = browser_client.get(f"/mass-mail/{draft.id}/deliveries/{row.id}").text
    assert f"{'王' * 90}小明 &lt;{row.address}&gt;</bdi>" in page


def test_a_test_to_it_says_what_the_relay_cannot(browser_client, sqlite_app, sqlite_session, mail_server: MailServer):
    sqlite_app.config["RELAY"] = mail_server.relay
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    page = browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": FOREIGN}).text
    assert FOREIGN in page and "the relay does not take addresses with letters outside ASCII" in page
    assert mail_server.mails == []
