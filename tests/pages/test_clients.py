from datetime import UTC, date, datetime

from sqlalchemy import event

from tests import factories
from webapp.core.rules.statuses import HoldingStatus
from webapp.core.tables.users import User


def test_with_no_clients_the_page_says_what_to_do(browser_client):
    page = browser_client.get("/clients/").text
    assert "No clients yet" in page
    assert 'href="/clients/import/"' in page


def test_the_list_is_filtered_by_its_address(browser_client, sqlite_session):
    factories.client(sqlite_session, first_name="Zoë", country="DK")
    factories.client(sqlite_session, first_name="Ada", country="DE")
    sqlite_session.commit()
    page = browser_client.get("/clients/?country=DK").text
    assert "Zoë" in page
    assert "Ada" not in page
    assert '<option selected value="DK">Denmark' in page


def test_the_fragment_is_the_very_part_of_the_page(browser_client, sqlite_session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    part = browser_client.get("/clients/", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<div id="client-list"')
    assert part.strip() in browser_client.get("/clients/").text


def test_filters_that_make_no_sense_restrict_nothing(browser_client, sqlite_session):
    factories.client(sqlite_session, first_name="Ada")
    sqlite_session.commit()
    assert "Ada" in browser_client.get("/clients/?status=happy&product=x&page=-3").text


def test_nobody_found_offers_the_way_back(browser_client, sqlite_session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    page = browser_client.get("/clients/?q=nobodyatall").text
    assert "Nobody found" in page
    assert 'href="/clients/"' in page


def test_a_client_is_shown_with_what_they_hold(browser_client, sqlite_session):
    client = factories.client(sqlite_session, company="Nord & Süd <GmbH>")
    service = factories.service(
        sqlite_session,
        client,
        factories.product(sqlite_session),
        domain="shop.example.net",
        status=HoldingStatus.ACTIVE,
        next_due_on=date(2020, 1, 2),
    )
    factories.addon_assignment(sqlite_session, service, factories.addon(sqlite_session), status=HoldingStatus.SUSPENDED)
    sqlite_session.commit()
    page = browser_client.get(f"/clients/{client.id}").text
    for text in ("Nord &amp; Süd &lt;GmbH&gt;", "shop.example.net", "overdue", "suspended", "No mass mail yet"):
        assert text in page


def test_a_client_no_mail_reaches_says_so(browser_client, sqlite_session):
    client = factories.client(sqlite_session, email=None, address_problem="there is no @")
    sqlite_session.commit()
    assert "No mass mail reaches this client" in browser_client.get(f"/clients/{client.id}").text


def test_a_client_who_is_gone_is_a_page(browser_client):
    assert browser_client.get("/clients/99").status_code == 404


def test_an_instant_of_long_ago_has_the_date_of_the_viewers_zone(browser_client, sqlite_session):
    sqlite_session.query(User).update({"time_zone": "Pacific/Auckland"})
    client = factories.client(sqlite_session, updated_at=datetime(2020, 3, 1, 23, 30, tzinfo=UTC))
    sqlite_session.commit()
    assert ">2 Mar 2020</time>" in browser_client.get(f"/clients/{client.id}").text


def test_once_an_audience_was_counted_no_page_reads_all_clients_for_their_number_or_a_filter(
    browser_client, sqlite_session
):
    product = factories.product(sqlite_session)
    for country in ("DE", "DK"):
        factories.service(sqlite_session, factories.client(sqlite_session, country=country), product)
    draft = factories.broadcast(sqlite_session)
    sqlite_session.commit()
    plans = []

    def explain(_connection, cursor, statement, parameters, *_rest):
        if statement.startswith("SELECT"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend((statement, step[3]) for step in plan if "client" in step[3])

    browser_client.get(f"/mass-mail/{draft.id}/audience/recipient-count")
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", explain)
    for address in (
        "/clients/",
        f"/clients/?country=DK&language=de&status=active&product={product.id}",
        "/settings/users",
    ):
        assert browser_client.get(address).status_code == 200
    event.remove(engine, "before_cursor_execute", explain)
    assert plans and not [(statement, step) for statement, step in plans if step.startswith("SCAN")]
    assert not [statement for statement, _step in plans if "DISTINCT" in statement or "OFFSET" in statement]


def test_typing_into_the_search_does_not_ask_for_the_choices_of_the_filters(browser_client, sqlite_session):
    factories.client(sqlite_session)
    sqlite_session.commit()
    asked = []
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    assert browser_client.get("/clients/?q=ada&country=DE", headers={"HX-Request": "true"}).status_code == 200
    assert asked and not [statement for statement in asked if "DISTINCT" in statement or "FROM product" in statement]


def test_the_mails_to_a_client_are_named_without_reading_them(browser_client, sqlite_session):
    client = factories.client(sqlite_session)
    for number in range(3):
        broadcast = factories.broadcast(sqlite_session, name="", subject=f"News {number}")
        factories.delivery(sqlite_session, broadcast, client)
    sqlite_session.commit()
    asked = []
    engine = sqlite_session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_rest: asked.append(statement))
    page = browser_client.get(f"/clients/{client.id}").text
    assert all(f"News {number}" in page for number in range(3))
    assert len([statement for statement in asked if "content.subject" in statement]) == 1
    assert not [statement for statement in asked if "content.html" in statement or "merge_values" in statement]
