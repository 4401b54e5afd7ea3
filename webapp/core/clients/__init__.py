"""Clients and what they hold: find them, show one, bring them in. The one writer of the tables in `core/tables/clients.py`."""

from webapp.core.clients.inserting import insert_many
from webapp.core.clients.rows import stored_form

__all__ = ["insert_many", "stored_form"]
