"""What the fixtures promise to every other test."""

import smtplib

import redis
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests import factories
from tests.neighbours import MailServer
from webapp.core.tables.clients import Client
from webapp.extensions import db


def test_each_test_starts_with_a_migrated_and_empty_database(app: Flask, session: Session):
    assert session.scalar(select(func.count()).select_from(Client)) == 0
    assert session.scalar(text("SELECT version_num FROM alembic_version"))
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Client)) == 0
    factories.client(session)
    session.commit()


def test_the_session_and_the_app_see_the_same_database(app: Flask, session: Session):
    client = factories.client(session, first_name="Zoë")
    session.commit()
    with app.app_context():
        assert db.session.get_one(Client, client.id).first_name == "Zoë"


def test_a_service_with_an_addon_can_be_made(session: Session):
    service = factories.service(session, factories.client(session), factories.product(session))
    assignment = factories.addon_assignment(session, service, factories.addon(session, "Daily Backup"))
    session.commit()
    assert assignment.client_id == service.client_id


def test_redis_is_real_and_empty(redis_url: str):
    with redis.Redis.from_url(redis_url) as connection:
        assert connection.dbsize() == 0
        connection.set("left", "over")


def test_redis_is_empty_again(redis_url: str):
    test_redis_is_real_and_empty(redis_url)


def test_the_mail_server_records_what_it_accepted(mail_server: MailServer):
    with smtplib.SMTP(mail_server.host, mail_server.port) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: Hello\r\n\r\n..dots\r\n")
    (mail,) = mail_server.wait_for(1)
    assert (mail.mail_from, mail.rcpt_to) == ("a@example.org", ("b@example.org",))
    assert mail.message["Subject"] == "Hello"
    assert mail.data.endswith(b"\r\n\r\n..dots\r\n")
