"""undo, who started a mass mail, what it is a copy of, one draft a press, and what says the same"""

import hashlib
import html
import re

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SOME = 100
"""Contents read at once: one may have a megabyte."""

_TAG = re.compile(r"<[^<>]*>")


def upgrade() -> None:
    # On SQLite columns are only added: a table that is made anew loses its triggers.
    op.add_column("broadcast", sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("broadcast", sa.Column("started_by", sa.String(320), nullable=False, server_default=""))
    op.add_column("broadcast", sa.Column("copied_from", sa.Integer(), nullable=True))
    op.add_column("broadcast", sa.Column("press", sa.String(64), nullable=True))
    op.add_column("broadcast", sa.Column("schedule_seen", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("uq_broadcast_press", "broadcast", ["press"], unique=True)
    op.add_column("content", sa.Column("text_digest", sa.String(32), nullable=True))
    _digest_what_was_scheduled()
    op.create_index("ix_content_text_digest", "content", ["text_digest"])


def downgrade() -> None:
    op.drop_index("ix_content_text_digest", "content")
    op.drop_column("content", "text_digest")
    op.drop_index("uq_broadcast_press", "broadcast")
    for name in ("schedule_seen", "press", "copied_from", "started_by", "undo_until"):
        op.drop_column("broadcast", name)


def _digest_what_was_scheduled() -> None:
    connection, last = op.get_bind(), 0
    read = sa.text(
        "SELECT content.id, subject, html, text FROM content JOIN broadcast ON broadcast.id = content.broadcast_id "
        "WHERE state <> 'draft' AND content.id > :last ORDER BY content.id LIMIT :some"
    )
    write = sa.text("UPDATE content SET text_digest = :digest WHERE id = :id")
    while rows := connection.execute(read, {"last": last, "some": SOME}).all():
        for key, *parts in rows:
            connection.execute(write, {"id": key, "digest": _digest(*parts)})
        last = rows[-1][0]


def _digest(subject: str, source: str, text: str | None) -> str:
    """As the program makes it at the time of this migration."""
    body = html.unescape(_TAG.sub(" ", source)) if source.strip() else text or ""
    words = "\n".join(" ".join(part.casefold().split()) for part in (subject, body))
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]
