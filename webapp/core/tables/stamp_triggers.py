"""Triggers that keep `audience_stamp`: row by row on SQLite, once a statement on PostgreSQL."""

from webapp.core.tables.stamps import ADDRESSES, BLOCK_BITS, SUPPRESSIONS

_CLIENT = ("country", "language", "status", "address_key", "email", "marketing_opt_in")
_OF_ADDRESSES = ("suppression", "topic_opt_out")
_HOLDINGS = {
    "service": ("client_id", "product_id", "status"),
    "addon_assignment": ("client_id", "addon_id", "status"),
}


def statements(dialect: str) -> list[str]:
    """SQL that installs the triggers on `dialect` ("sqlite" or "postgresql")."""
    return _sqlite() if dialect == "sqlite" else _postgresql()


def _sqlite() -> list[str]:
    triggers = _sqlite_table("client", "id", _CLIENT)
    for table, columns in _HOLDINGS.items():
        triggers += _sqlite_table(table, "client_id", columns)
    address = {"insert": "NEW.address_key IS NOT NULL", "delete": "OLD.address_key IS NOT NULL"}
    for event, condition in address.items():
        triggers.append(_sqlite_trigger("client", f"address_{event}", f"{event} ON client WHEN {condition}", ADDRESSES))
    changed = "OLD.address_key IS NOT NEW.address_key"
    triggers.append(
        _sqlite_trigger("client", "address_update", f"UPDATE OF address_key ON client WHEN {changed}", ADDRESSES)
    )
    for table in _OF_ADDRESSES:
        for event in ("insert", "delete", "update"):
            triggers.append(_sqlite_trigger(table, event, f"{event} ON {table}", SUPPRESSIONS))
    return triggers


def _sqlite_table(table: str, client_id: str, columns: tuple[str, ...]) -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    old, new = (f"{row}.{client_id} >> {BLOCK_BITS}" for row in ("OLD", "NEW"))
    return [
        _sqlite_trigger(table, "insert", f"INSERT ON {table}", new),
        _sqlite_trigger(table, "delete", f"DELETE ON {table}", old),
        _sqlite_trigger(table, "update", f"UPDATE OF {', '.join(columns)} ON {table} WHEN {changed}", old, new),
    ]


def _sqlite_trigger(table: str, name: str, event: str, *blocks: object) -> str:
    body = " ".join(
        f"INSERT INTO audience_stamp (block, writer, stamp) VALUES ({block}, 0, random()) "
        "ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp;"
        for block in blocks
    )
    return f"CREATE TRIGGER {table}_stamp_{name} AFTER {event} BEGIN {body} END"


def _postgresql() -> list[str]:
    client = _postgresql_body("client", "id", _CLIENT, _ADDRESS_BLOCKS)
    bodies = {"client": client} | dict.fromkeys(_OF_ADDRESSES, f"PERFORM audience_stamp(ARRAY[{SUPPRESSIONS}]);")
    for table, columns in _HOLDINGS.items():
        bodies[table] = _postgresql_body(table, "client_id", columns, {})
    made = ["CREATE SEQUENCE audience_stamp_number", _STAMP, _STAMP_ALL]
    for table, body in bodies.items():
        made.append(
            f"CREATE FUNCTION {table}_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        )
        for event, rows in _TRANSITIONS.items():
            made.append(
                f"CREATE TRIGGER {table}_stamp_{event.lower()} AFTER {event} ON {table} {rows} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stamp()"
            )
        made.append(
            f"CREATE TRIGGER {table}_stamp_truncate AFTER TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audience_stamp_all()"
        )
    return made


_TRANSITIONS = {
    "INSERT": "REFERENCING NEW TABLE AS new_rows",
    "DELETE": "REFERENCING OLD TABLE AS old_rows",
    "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
}
_ADDRESS_BLOCKS = {
    "INSERT": f"UNION SELECT {ADDRESSES} FROM new_rows WHERE address_key IS NOT NULL",
    "DELETE": f"UNION SELECT {ADDRESSES} FROM old_rows WHERE address_key IS NOT NULL",
    "UPDATE": f"UNION SELECT {ADDRESSES} FROM new_rows n JOIN old_rows o USING (id) "
    "WHERE n.address_key IS DISTINCT FROM o.address_key",
}
# Committed stamps of other transactions are superseded by ours; one that somebody else is clearing away just now is left to them.
_STAMP = (
    "CREATE FUNCTION audience_stamp(blocks integer[]) RETURNS void LANGUAGE plpgsql AS $$ "
    "DECLARE me bigint := pg_current_xact_id()::text::bigint; BEGIN "
    "INSERT INTO audience_stamp (block, writer, stamp) "
    "SELECT b, me, nextval('audience_stamp_number') FROM (SELECT DISTINCT unnest(blocks) AS b) AS d WHERE b IS NOT NULL "
    "ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; "
    "DELETE FROM audience_stamp WHERE (block, writer) IN (SELECT s.block, s.writer FROM audience_stamp s "
    "WHERE s.block = ANY (blocks) AND s.writer <> me FOR UPDATE SKIP LOCKED); END $$"
)
_STAMP_ALL = (
    "CREATE FUNCTION audience_stamp_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE audience_stamp SET stamp = nextval('audience_stamp_number'); RETURN NULL; END $$"
)


def _postgresql_body(table: str, client_id: str, columns: tuple[str, ...], more: dict[str, str]) -> str:
    changed = " OR ".join(f"n.{column} IS DISTINCT FROM o.{column}" for column in columns)
    both = f"(SELECT n.{client_id} AS a, o.{client_id} AS b FROM new_rows n JOIN old_rows o USING (id) WHERE {changed}) AS m"
    blocks = {
        "INSERT": f"SELECT {client_id} >> {BLOCK_BITS} FROM new_rows",
        "DELETE": f"SELECT {client_id} >> {BLOCK_BITS} FROM old_rows",
        "UPDATE": f"SELECT a >> {BLOCK_BITS} FROM {both} UNION SELECT b >> {BLOCK_BITS} FROM {both}",
    }
    branches = " ELSIF ".join(
        f"TG_OP = '{event}' THEN PERFORM audience_stamp(ARRAY({query} {more.get(event, '')})::integer[]);"
        for event, query in blocks.items()
    )
    return f"IF {branches} END IF;"
