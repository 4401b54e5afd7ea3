"""Alembic's environment: migrations run on the app's own engine, inside one transaction."""

from typing import Any, Literal

from alembic import context
from flask import current_app

extension = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our column types as the plain types they are stored in, so that a migration never imports the program."""
    if kind == "type":
        name = type(item).__name__
        if name == "UtcDateTime":
            return "sa.DateTime(timezone=True)"
        if name == "EnumText":
            return f"sa.String({item.impl.length})"
    return False


with extension.db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=extension.db.metadata,
        render_item=render_item,
        transaction_per_migration=True,
        **extension.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
