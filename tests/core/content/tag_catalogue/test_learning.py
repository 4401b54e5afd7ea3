"""What is learnt beforehand is there when a mail is written."""

from datetime import date

from sqlalchemy.orm import Session

from tests import factories
from webapp.core.content import tag_catalogue
from webapp.core.content.tag_catalogue.formats import formats_for


def test_the_languages_of_clients_are_learnt_once(sqlite_session: Session):
    for language, country in (("is", "IS"), ("is", "IS"), (None, "IS"), ("xx", "ZZ")):
        factories.client(sqlite_session, language=language, country=country)
    assert tag_catalogue.learn(sqlite_session) == 3
    written = formats_for("is", "IS").date
    before = written.cache_info().misses
    assert written(date(2027, 3, 1)) == "1. mars 2027"
    assert written.cache_info().misses == before


def test_without_clients_there_is_nothing_to_learn(sqlite_session: Session):
    assert tag_catalogue.learn(sqlite_session) == 0
