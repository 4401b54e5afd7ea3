"""marketing or important, topics, why an address is suppressed, and what the business decided about consent"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KINDS = ("unsubscribed", "bounced", "complained", "by_hand", "imported")
SCOPES = ("marketing", "everything")
ACTIONS = ("added", "changed", "lifted")
TOPICS = (
    ("Newsletter", "What is new with us, from time to time."),
    ("Product news", "New products and what they can do."),
    ("Offers", "Prices and offers for a limited time."),
)
WATCHED = ("country", "language", "status", "address_key", "email")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(
        "ALTER TABLE broadcast ADD COLUMN purpose VARCHAR(20) CONSTRAINT ck_broadcast_purpose "
        "CHECK (purpose IS NULL OR purpose IN ('marketing', 'important'))"
    )
    op.add_column("broadcast", sa.Column("topic_id", sa.Integer(), nullable=True))
    op.add_column("broadcast", sa.Column("important_reason", sa.String(200), nullable=False, server_default=""))
    op.add_column(
        "from_address", sa.Column("is_for_marketing", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _make_topics()
    _make_settings()
    _widen_suppressions()
    op.create_table(
        "suppression_change",
        sa.Column("id", _big(), nullable=False),
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(320), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("is_hashed", sa.Boolean(), nullable=False, server_default=sa.false()),
        _one_of("kind", KINDS, "suppression_change"),
        _one_of("scope", SCOPES, "suppression_change"),
        _one_of("action", ACTIONS, "suppression_change"),
        sa.PrimaryKeyConstraint("id", name="pk_suppression_change"),
    )
    op.create_index("ix_suppression_change_address_key", "suppression_change", ["address_key"])
    _watch_clients(*WATCHED, "marketing_opt_in")
    _watch("topic_opt_out", anew=True)
    if not _is_sqlite():
        op.execute(
            "CREATE FUNCTION address_hash(text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS "
            "$$ SELECT 'sha256:' || encode(sha256(convert_to($1 || ':' || $2, 'UTF8')), 'hex') $$"
        )


def downgrade() -> None:
    if not _is_sqlite():
        op.execute("DROP FUNCTION address_hash(text, text)")
    _watch_clients(*WATCHED)
    op.drop_table("suppression_change")
    _narrow_suppressions()
    for table in ("topic_opt_out", "topic", "consent_settings", "link_key"):
        op.drop_table(table)
    if not _is_sqlite():
        op.execute("DROP FUNCTION topic_opt_out_stamp()")
    op.drop_column("from_address", "is_for_marketing")
    for name in ("important_reason", "topic_id", "purpose"):
        op.drop_column("broadcast", name)


def _is_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(column: str, values: tuple[str, ...], table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(" OR ".join(f"{column} = '{one}'" for one in values), name=f"ck_{table}_{column}")


def _make_topics() -> None:
    topic = op.create_table(
        "topic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.String(300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_topic"),
        sa.UniqueConstraint("name", name="uq_topic_name"),
    )
    op.bulk_insert(
        topic, [{"name": name, "description": about, "position": at} for at, (name, about) in enumerate(TOPICS, 1)]
    )
    op.create_table(
        "topic_opt_out",
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", _big(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("is_hashed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name="fk_topic_opt_out_topic_id_topic", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("address_key", "topic_id", name="pk_topic_opt_out"),
    )
    op.create_index("ix_topic_opt_out_topic", "topic_opt_out", ["topic_id"])
    op.create_index("ix_topic_opt_out_hashed", "topic_opt_out", ["is_hashed"])


def _make_settings() -> None:
    settings = op.create_table(
        "consent_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unknown_is_in", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("unknown_is_in_europe", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("business_name", sa.String(200), nullable=False, server_default=""),
        sa.Column("colour", sa.String(7), nullable=False, server_default="#2454a6"),
        sa.Column("postal_address", sa.String(400), nullable=False, server_default=""),
        sa.Column("keep_hashed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("hash_key", sa.String(64), nullable=False),
        sa.Column("soft_bounces", sa.Integer(), nullable=False, server_default="3"),
        sa.Column("soft_bounce_days", sa.Integer(), nullable=False, server_default="14"),
        sa.Column("refusal_rules", sa.JSON(), nullable=False),
        sa.Column("brake_bounced_percent", sa.Float(53), nullable=False, server_default="2.0"),
        sa.Column("brake_complained_percent", sa.Float(53), nullable=False, server_default="0.1"),
        sa.CheckConstraint("id = 1", name="ck_consent_settings_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_settings"),
    )
    op.bulk_insert(settings, [{"id": 1, "hash_key": secrets.token_hex(32), "refusal_rules": {}}])
    keys = op.create_table(
        "link_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_link_key"),
    )
    op.bulk_insert(keys, [{"secret": secrets.token_hex(32), "made_at": datetime.now(UTC)}])


def _widen_suppressions() -> None:
    """Made anew, since the kind becomes part of the key. What was suppressed before was suppressed by hand, for everything."""
    op.execute("CREATE TABLE suppression_before AS SELECT address_key, reason, created_at FROM suppression")
    op.drop_table("suppression")
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("source", sa.String(40), nullable=False, server_default=""),
        sa.Column("evidence", sa.Text(), nullable=False, server_default=""),
        sa.Column("delivery_id", _big(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(320), nullable=False, server_default=""),
        sa.Column("is_hashed", sa.Boolean(), nullable=False, server_default=sa.false()),
        _one_of("kind", KINDS, "suppression"),
        _one_of("scope", SCOPES, "suppression"),
        sa.PrimaryKeyConstraint("address_key", "kind", name="pk_suppression"),
    )
    op.execute(
        "INSERT INTO suppression (address_key, kind, scope, reason, created_at) "
        "SELECT address_key, 'by_hand', 'everything', reason, created_at FROM suppression_before"
    )
    op.drop_table("suppression_before")
    op.create_index("ix_suppression_created", "suppression", ["created_at", "address_key"])
    op.create_index("ix_suppression_kind", "suppression", ["kind", "scope", "created_at"])
    op.create_index("ix_suppression_hashed", "suppression", ["is_hashed"])
    _watch("suppression", anew=False)


def _narrow_suppressions() -> None:
    """Back to one row an address. What held for marketing alone cannot be said there: it is kept, as the stricter of both."""
    op.execute(
        "CREATE TABLE suppression_before AS SELECT address_key, min(reason) AS reason, min(created_at) AS created_at "
        "FROM suppression GROUP BY address_key"
    )
    op.drop_table("suppression")
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("address_key", name="pk_suppression"),
    )
    op.execute(
        "INSERT INTO suppression (address_key, reason, created_at) "
        "SELECT address_key, reason, created_at FROM suppression_before"
    )
    op.drop_table("suppression_before")
    _watch("suppression", anew=False)


def _watch(table: str, *, anew: bool) -> None:
    """Stamp each change of a table of addresses. On PostgreSQL its function is made `anew`, or still there."""
    if _is_sqlite():
        for event in ("insert", "delete", "update"):
            op.execute(
                f"CREATE TRIGGER {table}_stamp_{event} AFTER {event} ON {table} BEGIN INSERT INTO audience_stamp "
                "(block, writer, stamp) VALUES (-2, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = "
                "excluded.stamp; END"
            )
        return
    if anew:
        op.execute(
            f"CREATE FUNCTION {table}_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
            "audience_stamp(ARRAY[-2]); RETURN NULL; END $$"
        )
    rows = {
        "INSERT": "REFERENCING NEW TABLE AS new_rows",
        "DELETE": "REFERENCING OLD TABLE AS old_rows",
        "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    }
    for event, seen in rows.items():
        op.execute(
            f"CREATE TRIGGER {table}_stamp_{event.lower()} AFTER {event} ON {table} {seen} FOR EACH STATEMENT EXECUTE "
            f"FUNCTION {table}_stamp()"
        )
    op.execute(
        f"CREATE TRIGGER {table}_stamp_truncate AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION "
        "audience_stamp_all()"
    )


def _watch_clients(*columns: str) -> None:
    """Stamp each change of these columns of a client. Its other triggers stay."""
    if _is_sqlite():
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
        op.execute("DROP TRIGGER client_stamp_update")
        stamps = " ".join(
            f"INSERT INTO audience_stamp (block, writer, stamp) VALUES ({row}.id >> 14, 0, random()) ON CONFLICT "
            "(block, writer) DO UPDATE SET stamp = excluded.stamp;"
            for row in ("OLD", "NEW")
        )
        op.execute(
            f"CREATE TRIGGER client_stamp_update AFTER UPDATE OF {', '.join(columns)} ON client WHEN {changed} "
            f"BEGIN {stamps} END"
        )
        return
    changed = " OR ".join(f"n.{column} IS DISTINCT FROM o.{column}" for column in columns)
    both = f"(SELECT n.id AS a, o.id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE {changed}) AS m"
    op.execute(
        "CREATE OR REPLACE FUNCTION client_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' "
        "THEN PERFORM audience_stamp(ARRAY(SELECT id >> 14 FROM new_rows UNION SELECT -1 FROM new_rows WHERE "
        "address_key IS NOT NULL)::integer[]); ELSIF TG_OP = 'DELETE' THEN PERFORM audience_stamp(ARRAY(SELECT id >> "
        "14 FROM old_rows UNION SELECT -1 FROM old_rows WHERE address_key IS NOT NULL)::integer[]); ELSIF TG_OP = "
        f"'UPDATE' THEN PERFORM audience_stamp(ARRAY(SELECT a >> 14 FROM {both} UNION SELECT b >> 14 FROM {both} "
        "UNION SELECT -1 FROM new_rows n JOIN old_rows o USING (id) WHERE n.address_key IS DISTINCT FROM "
        "o.address_key)::integer[]); END IF; RETURN NULL; END $$"
    )
