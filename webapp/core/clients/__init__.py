"""Clients and what they hold: find them, show one, bring them in. The one writer of the tables in `core/tables/clients.py`."""

from webapp.core.clients.inserting import insert_many
from webapp.core.clients.rows import stored_form
from webapp.core.clients.search import (
    CLIENTS_A_PAGE,
    ClientSearch,
    called,
    count,
    get,
    is_overdue,
    mails,
    search,
    values,
)

__all__ = [
    "CLIENTS_A_PAGE",
    "ClientSearch",
    "called",
    "count",
    "get",
    "insert_many",
    "is_overdue",
    "mails",
    "search",
    "stored_form",
    "values",
]
