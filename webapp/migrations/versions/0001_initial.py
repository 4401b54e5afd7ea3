"""initial"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER broadcast_moves BEFORE UPDATE OF state ON broadcast WHEN NEW.state <> OLD.state AND (NOT ((OLD.state = 'draft' AND (NEW.state = 'cancelled' OR NEW.state = 'scheduled')) OR (OLD.state = 'scheduled' AND (NEW.state = 'cancelled' OR NEW.state = 'draft' OR NEW.state = 'sending')) OR (OLD.state = 'sending' AND (NEW.state = 'cancelled' OR NEW.state = 'finished' OR NEW.state = 'needs_attention' OR NEW.state = 'paused')) OR (OLD.state = 'paused' AND (NEW.state = 'cancelled' OR NEW.state = 'sending')) OR (OLD.state = 'needs_attention' AND (NEW.state = 'cancelled' OR NEW.state = 'finished' OR NEW.state = 'sending')))) BEGIN SELECT RAISE(ABORT, 'illegal transition of broadcast.state'); END",
        "CREATE TRIGGER broadcast_born AFTER INSERT ON broadcast WHEN NOT (NEW.state = 'draft') BEGIN SELECT RAISE(ABORT, 'illegal first state of broadcast'); END",
        "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery WHEN NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'pending')))) BEGIN SELECT RAISE(ABORT, 'illegal transition of delivery.state'); END",
        "CREATE TRIGGER delivery_born AFTER INSERT ON delivery WHEN NOT (NEW.state = 'pending' OR NEW.state = 'skipped') BEGIN SELECT RAISE(ABORT, 'illegal first state of delivery'); END",
        "CREATE TRIGGER broadcast_kept BEFORE DELETE ON broadcast WHEN EXISTS (SELECT 1 FROM delivery WHERE broadcast_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'a broadcast with deliveries is kept'); END",
        "CREATE TRIGGER client_kept BEFORE DELETE ON client WHEN EXISTS (SELECT 1 FROM broadcast b JOIN delivery d ON d.id = b.id * 4294967296 + OLD.id) BEGIN SELECT RAISE(ABORT, 'a client with deliveries is kept'); END",
        "CREATE TRIGGER client_stamp_insert AFTER INSERT ON client BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER client_stamp_delete AFTER DELETE ON client BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER client_stamp_update AFTER UPDATE OF country, language, status, address_key, email ON client WHEN OLD.country IS NOT NEW.country OR OLD.language IS NOT NEW.language OR OLD.status IS NOT NEW.status OR OLD.address_key IS NOT NEW.address_key OR OLD.email IS NOT NEW.email BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER service_stamp_insert AFTER INSERT ON service BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER service_stamp_delete AFTER DELETE ON service BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER service_stamp_update AFTER UPDATE OF client_id, product_id, status ON service WHEN OLD.client_id IS NOT NEW.client_id OR OLD.product_id IS NOT NEW.product_id OR OLD.status IS NOT NEW.status BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER addon_assignment_stamp_insert AFTER INSERT ON addon_assignment BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER addon_assignment_stamp_delete AFTER DELETE ON addon_assignment BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER addon_assignment_stamp_update AFTER UPDATE OF client_id, addon_id, status ON addon_assignment WHEN OLD.client_id IS NOT NEW.client_id OR OLD.addon_id IS NOT NEW.addon_id OR OLD.status IS NOT NEW.status BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (OLD.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; INSERT INTO audience_stamp (block, writer, stamp) VALUES (NEW.client_id >> 14, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER client_stamp_address_insert AFTER insert ON client WHEN NEW.address_key IS NOT NULL BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-1, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER client_stamp_address_delete AFTER delete ON client WHEN OLD.address_key IS NOT NULL BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-1, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER client_stamp_address_update AFTER UPDATE OF address_key ON client WHEN OLD.address_key IS NOT NEW.address_key BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-1, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER suppression_stamp_insert AFTER insert ON suppression BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-2, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER suppression_stamp_delete AFTER delete ON suppression BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-2, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
        "CREATE TRIGGER suppression_stamp_update AFTER update ON suppression BEGIN INSERT INTO audience_stamp (block, writer, stamp) VALUES (-2, 0, random()) ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; END",
    ],
    "postgresql": [
        "CREATE FUNCTION broadcast_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'illegal transition of broadcast.state' USING ERRCODE = 'check_violation'; END $$",
        "CREATE TRIGGER broadcast_moves BEFORE UPDATE OF state ON broadcast FOR EACH ROW WHEN (NEW.state <> OLD.state AND (NOT ((OLD.state = 'draft' AND (NEW.state = 'cancelled' OR NEW.state = 'scheduled')) OR (OLD.state = 'scheduled' AND (NEW.state = 'cancelled' OR NEW.state = 'draft' OR NEW.state = 'sending')) OR (OLD.state = 'sending' AND (NEW.state = 'cancelled' OR NEW.state = 'finished' OR NEW.state = 'needs_attention' OR NEW.state = 'paused')) OR (OLD.state = 'paused' AND (NEW.state = 'cancelled' OR NEW.state = 'sending')) OR (OLD.state = 'needs_attention' AND (NEW.state = 'cancelled' OR NEW.state = 'finished' OR NEW.state = 'sending'))))) EXECUTE FUNCTION broadcast_refuse()",
        "CREATE TRIGGER broadcast_born BEFORE INSERT ON broadcast FOR EACH ROW WHEN (NOT (NEW.state = 'draft')) EXECUTE FUNCTION broadcast_refuse()",
        "CREATE FUNCTION delivery_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'illegal transition of delivery.state' USING ERRCODE = 'check_violation'; END $$",
        "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery FOR EACH ROW WHEN (NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'pending'))))) EXECUTE FUNCTION delivery_refuse()",
        "CREATE TRIGGER delivery_born BEFORE INSERT ON delivery FOR EACH ROW WHEN (NOT (NEW.state = 'pending' OR NEW.state = 'skipped')) EXECUTE FUNCTION delivery_refuse()",
        "CREATE FUNCTION broadcast_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM broadcast WHERE frozen_at IS NULL FOR SHARE; IF EXISTS (SELECT 1 FROM delivery WHERE broadcast_id = OLD.id) THEN RAISE EXCEPTION 'a broadcast with deliveries is kept' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER broadcast_kept BEFORE DELETE ON broadcast FOR EACH ROW EXECUTE FUNCTION broadcast_kept()",
        "CREATE FUNCTION client_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM broadcast WHERE frozen_at IS NULL FOR SHARE; IF EXISTS (SELECT 1 FROM broadcast b JOIN delivery d ON d.id = b.id * 4294967296 + OLD.id) THEN RAISE EXCEPTION 'a client with deliveries is kept' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER client_kept BEFORE DELETE ON client FOR EACH ROW EXECUTE FUNCTION client_kept()",
        "CREATE SEQUENCE audience_stamp_number",
        "CREATE FUNCTION audience_stamp(blocks integer[]) RETURNS void LANGUAGE plpgsql AS $$ DECLARE me bigint := pg_current_xact_id()::text::bigint; BEGIN INSERT INTO audience_stamp (block, writer, stamp) SELECT b, me, nextval('audience_stamp_number') FROM (SELECT DISTINCT unnest(blocks) AS b) AS d WHERE b IS NOT NULL ON CONFLICT (block, writer) DO UPDATE SET stamp = excluded.stamp; DELETE FROM audience_stamp WHERE (block, writer) IN (SELECT s.block, s.writer FROM audience_stamp s WHERE s.block = ANY (blocks) AND s.writer <> me FOR UPDATE SKIP LOCKED); END $$",
        "CREATE FUNCTION audience_stamp_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE audience_stamp SET stamp = nextval('audience_stamp_number'); RETURN NULL; END $$",
        "CREATE FUNCTION client_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN PERFORM audience_stamp(ARRAY(SELECT id >> 14 FROM new_rows UNION SELECT -1 FROM new_rows WHERE address_key IS NOT NULL)::integer[]); ELSIF TG_OP = 'DELETE' THEN PERFORM audience_stamp(ARRAY(SELECT id >> 14 FROM old_rows UNION SELECT -1 FROM old_rows WHERE address_key IS NOT NULL)::integer[]); ELSIF TG_OP = 'UPDATE' THEN PERFORM audience_stamp(ARRAY(SELECT a >> 14 FROM (SELECT n.id AS a, o.id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.country IS DISTINCT FROM o.country OR n.language IS DISTINCT FROM o.language OR n.status IS DISTINCT FROM o.status OR n.address_key IS DISTINCT FROM o.address_key OR n.email IS DISTINCT FROM o.email) AS m UNION SELECT b >> 14 FROM (SELECT n.id AS a, o.id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.country IS DISTINCT FROM o.country OR n.language IS DISTINCT FROM o.language OR n.status IS DISTINCT FROM o.status OR n.address_key IS DISTINCT FROM o.address_key OR n.email IS DISTINCT FROM o.email) AS m UNION SELECT -1 FROM new_rows n JOIN old_rows o USING (id) WHERE n.address_key IS DISTINCT FROM o.address_key)::integer[]); END IF; RETURN NULL; END $$",
        "CREATE TRIGGER client_stamp_insert AFTER INSERT ON client REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION client_stamp()",
        "CREATE TRIGGER client_stamp_delete AFTER DELETE ON client REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION client_stamp()",
        "CREATE TRIGGER client_stamp_update AFTER UPDATE ON client REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION client_stamp()",
        "CREATE TRIGGER client_stamp_truncate AFTER TRUNCATE ON client FOR EACH STATEMENT EXECUTE FUNCTION audience_stamp_all()",
        "CREATE FUNCTION suppression_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM audience_stamp(ARRAY[-2]); RETURN NULL; END $$",
        "CREATE TRIGGER suppression_stamp_insert AFTER INSERT ON suppression REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION suppression_stamp()",
        "CREATE TRIGGER suppression_stamp_delete AFTER DELETE ON suppression REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION suppression_stamp()",
        "CREATE TRIGGER suppression_stamp_update AFTER UPDATE ON suppression REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION suppression_stamp()",
        "CREATE TRIGGER suppression_stamp_truncate AFTER TRUNCATE ON suppression FOR EACH STATEMENT EXECUTE FUNCTION audience_stamp_all()",
        "CREATE FUNCTION service_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN PERFORM audience_stamp(ARRAY(SELECT client_id >> 14 FROM new_rows )::integer[]); ELSIF TG_OP = 'DELETE' THEN PERFORM audience_stamp(ARRAY(SELECT client_id >> 14 FROM old_rows )::integer[]); ELSIF TG_OP = 'UPDATE' THEN PERFORM audience_stamp(ARRAY(SELECT a >> 14 FROM (SELECT n.client_id AS a, o.client_id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.client_id IS DISTINCT FROM o.client_id OR n.product_id IS DISTINCT FROM o.product_id OR n.status IS DISTINCT FROM o.status) AS m UNION SELECT b >> 14 FROM (SELECT n.client_id AS a, o.client_id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.client_id IS DISTINCT FROM o.client_id OR n.product_id IS DISTINCT FROM o.product_id OR n.status IS DISTINCT FROM o.status) AS m )::integer[]); END IF; RETURN NULL; END $$",
        "CREATE TRIGGER service_stamp_insert AFTER INSERT ON service REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION service_stamp()",
        "CREATE TRIGGER service_stamp_delete AFTER DELETE ON service REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION service_stamp()",
        "CREATE TRIGGER service_stamp_update AFTER UPDATE ON service REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION service_stamp()",
        "CREATE TRIGGER service_stamp_truncate AFTER TRUNCATE ON service FOR EACH STATEMENT EXECUTE FUNCTION audience_stamp_all()",
        "CREATE FUNCTION addon_assignment_stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'INSERT' THEN PERFORM audience_stamp(ARRAY(SELECT client_id >> 14 FROM new_rows )::integer[]); ELSIF TG_OP = 'DELETE' THEN PERFORM audience_stamp(ARRAY(SELECT client_id >> 14 FROM old_rows )::integer[]); ELSIF TG_OP = 'UPDATE' THEN PERFORM audience_stamp(ARRAY(SELECT a >> 14 FROM (SELECT n.client_id AS a, o.client_id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.client_id IS DISTINCT FROM o.client_id OR n.addon_id IS DISTINCT FROM o.addon_id OR n.status IS DISTINCT FROM o.status) AS m UNION SELECT b >> 14 FROM (SELECT n.client_id AS a, o.client_id AS b FROM new_rows n JOIN old_rows o USING (id) WHERE n.client_id IS DISTINCT FROM o.client_id OR n.addon_id IS DISTINCT FROM o.addon_id OR n.status IS DISTINCT FROM o.status) AS m )::integer[]); END IF; RETURN NULL; END $$",
        "CREATE TRIGGER addon_assignment_stamp_insert AFTER INSERT ON addon_assignment REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION addon_assignment_stamp()",
        "CREATE TRIGGER addon_assignment_stamp_delete AFTER DELETE ON addon_assignment REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION addon_assignment_stamp()",
        "CREATE TRIGGER addon_assignment_stamp_update AFTER UPDATE ON addon_assignment REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION addon_assignment_stamp()",
        "CREATE TRIGGER addon_assignment_stamp_truncate AFTER TRUNCATE ON addon_assignment FOR EACH STATEMENT EXECUTE FUNCTION audience_stamp_all()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "addon",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addon")),
        sa.UniqueConstraint("name", name=op.f("uq_addon_name")),
    )
    op.create_table(
        "audience_stamp",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("block", "writer", name=op.f("pk_audience_stamp")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("first_name", sa.String(length=200), nullable=False),
        sa.Column("last_name", sa.String(length=200), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column("address_key", sa.String(length=320), nullable=True),
        sa.Column("address_problem", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("client_since", sa.Date(), nullable=True),
        sa.Column("marketing_opt_in", sa.Boolean(), nullable=True),
        sa.Column("search_text", sa.String(length=1400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status = 'pending' OR status = 'blocked' OR status = 'active' OR status = 'freeze' OR status = 'suspend' OR status = 'terminate'",
            name=op.f("ck_client_status"),
        ),
        sa.CheckConstraint("(address IS NULL) = (address_key IS NULL)", name=op.f("ck_client_address")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("number", name=op.f("uq_client_number")),
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.create_index("ix_client_address_key", ["address_key", "id"], unique=False)
        batch_op.create_index("ix_client_audience", ["country", "language", "status", "address_key"], unique=False)
        batch_op.create_index("ix_client_status", ["status", "country", "language", "address_key"], unique=False)

    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failed_sign_in_key"), ["key"], unique=False)

    op.create_table(
        "from_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_from_address")),
        sa.UniqueConstraint("address", name=op.f("uq_from_address_address")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("group_name", "name", name=op.f("uq_product_group_name_name")),
    )
    op.create_table(
        "suppression",
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_suppression")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "broadcast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("message_type", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audience_filter", sa.JSON(), nullable=False),
        sa.Column("from_address", sa.String(length=400), nullable=False),
        sa.Column("reply_to", sa.String(length=400), nullable=False),
        sa.Column("start_wall", sa.String(length=16), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("uncertain_policy", sa.String(20), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("freeze_cursor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frozen_count", sa.Integer(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("probing", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "message_type = 'general' OR message_type = 'services' OR message_type = 'addons'",
            name=op.f("ck_broadcast_message_type"),
        ),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'scheduled' OR state = 'sending' OR state = 'paused' OR state = 'needs_attention' OR state = 'finished' OR state = 'cancelled'",
            name=op.f("ck_broadcast_state"),
        ),
        sa.CheckConstraint(
            "uncertain_policy = 'hold' OR uncertain_policy = 'retry'", name=op.f("ck_broadcast_uncertain_policy")
        ),
        sa.CheckConstraint("batch_size >= 0 AND interval_s >= 0", name=op.f("ck_broadcast_pace")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_broadcast_created_by_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    with op.batch_alter_table("broadcast", schema=None) as batch_op:
        batch_op.create_index("ix_broadcast_state", ["state", "starts_at"], unique=False)
        batch_op.create_index("ix_broadcast_updated", ["updated_at"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("stored_as", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("date_order", sa.String(length=10), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind = 'clients' OR kind = 'services' OR kind = 'addons'", name=op.f("ck_import_run_kind")),
        sa.CheckConstraint(
            "state = 'uploaded' OR state = 'checking' OR state = 'checked' OR state = 'running' OR state = 'done' OR state = 'failed'",
            name=op.f("ck_import_run_state"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_import_run_created_by_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(
            "uq_import_run_running",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.create_table(
        "service",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "status = 'active' OR status = 'inactive' OR status = 'suspended' OR status = 'terminated'",
            name=op.f("ck_service_status"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_service_client_id_client"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_service_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("number", name=op.f("uq_service_number")),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.create_index(
            "ix_service_client", ["client_id", "product_id", "status", "next_due_on", "id"], unique=False
        )
        batch_op.create_index(
            "ix_service_domain", ["domain"], unique=False, postgresql_ops={"domain": "varchar_pattern_ops"}
        )
        batch_op.create_index("ix_service_product", ["product_id", "status", "client_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_sign_in_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_sign_in_link_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_link_token_hash")),
    )
    op.create_table(
        "addon_assignment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("addon_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.CheckConstraint(
            "status = 'active' OR status = 'inactive' OR status = 'suspended' OR status = 'terminated'",
            name=op.f("ck_addon_assignment_status"),
        ),
        sa.ForeignKeyConstraint(["addon_id"], ["addon.id"], name=op.f("fk_addon_assignment_addon_id_addon")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_addon_assignment_client_id_client"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_addon_assignment_service_id_service"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addon_assignment")),
        sa.UniqueConstraint("number", name=op.f("uq_addon_assignment_number")),
    )
    with op.batch_alter_table("addon_assignment", schema=None) as batch_op:
        batch_op.create_index("ix_addon_assignment_addon", ["addon_id", "status", "client_id"], unique=False)
        batch_op.create_index(
            "ix_addon_assignment_client", ["client_id", "addon_id", "status", "service_id", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_addon_assignment_service_id"), ["service_id"], unique=False)

    op.create_table(
        "content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_content_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sa.UniqueConstraint("broadcast_id", name=op.f("uq_content_broadcast_id")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column("address_key", sa.String(length=320), nullable=True),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("addon_assignment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merge_values", sa.Text(), nullable=True),
        sa.Column("reply_code", sa.Integer(), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=10), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'claimed') = (sender_id IS NOT NULL)", name=op.f("ck_delivery_claimed_by")),
        sa.CheckConstraint("state = 'skipped' OR address IS NOT NULL", name=op.f("ck_delivery_address")),
        sa.CheckConstraint(
            "id = broadcast_id * 4294967296 + client_id AND client_id < 4294967296", name=op.f("ck_delivery_id")
        ),
        sa.CheckConstraint(
            "state = 'pending' OR state = 'claimed' OR state = 'accepted' OR state = 'deferred' OR state = 'held' OR state = 'failed' OR state = 'uncertain' OR state = 'skipped' OR state = 'suppressed' OR state = 'cancelled'",
            name=op.f("ck_delivery_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "uq_delivery_broadcast_id_address_key",
            ["broadcast_id", "address_key"],
            unique=True,
            postgresql_ops={"address_key": "varchar_pattern_ops"},
        )
        batch_op.create_index(
            "ix_delivery_state", ["broadcast_id", sa.text("state DESC"), sa.text("due_at DESC"), "id"], unique=False
        )

    op.create_table(
        "import_issue",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_import_issue_import_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_issue")),
    )
    with op.batch_alter_table("import_issue", schema=None) as batch_op:
        batch_op.create_index("ix_import_issue_import", ["import_id", "refused", "line"], unique=False)

    op.create_table(
        "minute_count",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column(
            "sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_minute_count_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "sender_id", "minute", name=op.f("pk_minute_count")),
    )
    op.create_table(
        "pace_use",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot", sa.String(length=36), nullable=False),
        sa.Column("ticks", sa.Float(precision=53), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_pace_use_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pace_use")),
    )
    with op.batch_alter_table("pace_use", schema=None) as batch_op:
        batch_op.create_index("ix_pace_use_window", ["broadcast_id", "taken_at"], unique=False)

    op.create_table(
        "pick",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.CheckConstraint("kind = 'added' OR kind = 'left_out'", name=op.f("ck_pick_kind")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_pick_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_pick_client_id_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "client_id", name=op.f("pk_pick")),
    )
    with op.batch_alter_table("pick", schema=None) as batch_op:
        batch_op.create_index("ix_pick_kind", ["broadcast_id", "kind", "client_id"], unique=False)

    op.create_table(
        "sender",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("boot", sa.String(length=36), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("journal", sa.String(length=400), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspected_boot", sa.String(length=36), nullable=True),
        sa.Column("suspected_ticks", sa.Float(precision=53), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name=op.f("fk_sender_broadcast_id_broadcast")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender")),
    )
    with op.batch_alter_table("sender", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sender_broadcast_id"), ["broadcast_id"], unique=False)
        batch_op.create_index("ix_sender_open", ["ended_at", "expires_at"], unique=False)

    op.create_table(
        "tally",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column(
            "sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_tally_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "sender_id", "state", name=op.f("pk_tally")),
    )
    op.create_table(
        "waiting_addon_assignment",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(20), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("addon_name", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "verb = 'new' OR verb = 'changed' OR verb = 'seen'", name=op.f("ck_waiting_addon_assignment_verb")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["import_run.id"],
            name=op.f("fk_waiting_addon_assignment_import_id_import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_waiting_addon_assignment")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("waiting_addon_assignment", schema=None) as batch_op:
        batch_op.create_index("ix_waiting_addon_assignment_number", ["import_id", "number"], unique=False)

    op.create_table(
        "waiting_client",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(20), nullable=False),
        sa.Column("first_name", sa.String(length=200), nullable=True),
        sa.Column("last_name", sa.String(length=200), nullable=True),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column("address_key", sa.String(length=320), nullable=True),
        sa.Column("address_problem", sa.String(length=200), nullable=True),
        sa.Column("city", sa.String(length=200), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("client_since", sa.Date(), nullable=True),
        sa.Column("marketing_opt_in", sa.Boolean(), nullable=True),
        sa.Column("search_text", sa.String(length=1400), nullable=True),
        sa.CheckConstraint("verb = 'new' OR verb = 'changed' OR verb = 'seen'", name=op.f("ck_waiting_client_verb")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_waiting_client_import_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_waiting_client")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("waiting_client", schema=None) as batch_op:
        batch_op.create_index("ix_waiting_client_number", ["import_id", "number"], unique=False)

    op.create_table(
        "waiting_service",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(20), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("domain", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("product_group", sa.String(length=200), nullable=True),
        sa.Column("product_name", sa.String(length=200), nullable=True),
        sa.CheckConstraint("verb = 'new' OR verb = 'changed' OR verb = 'seen'", name=op.f("ck_waiting_service_verb")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_waiting_service_import_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_waiting_service")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("waiting_service", schema=None) as batch_op:
        batch_op.create_index("ix_waiting_service_number", ["import_id", "number"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reply_code", sa.Integer(), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=10), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id_delivery"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_delivery_id"), ["delivery_id"], unique=False)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_delivery_id"))

    op.drop_table("attempt")
    with op.batch_alter_table("waiting_service", schema=None) as batch_op:
        batch_op.drop_index("ix_waiting_service_number")

    op.drop_table("waiting_service")
    with op.batch_alter_table("waiting_client", schema=None) as batch_op:
        batch_op.drop_index("ix_waiting_client_number")

    op.drop_table("waiting_client")
    with op.batch_alter_table("waiting_addon_assignment", schema=None) as batch_op:
        batch_op.drop_index("ix_waiting_addon_assignment_number")

    op.drop_table("waiting_addon_assignment")
    op.drop_table("tally")
    with op.batch_alter_table("sender", schema=None) as batch_op:
        batch_op.drop_index("ix_sender_open")
        batch_op.drop_index(batch_op.f("ix_sender_broadcast_id"))

    op.drop_table("sender")
    with op.batch_alter_table("pick", schema=None) as batch_op:
        batch_op.drop_index("ix_pick_kind")

    op.drop_table("pick")
    with op.batch_alter_table("pace_use", schema=None) as batch_op:
        batch_op.drop_index("ix_pace_use_window")

    op.drop_table("pace_use")
    op.drop_table("minute_count")
    with op.batch_alter_table("import_issue", schema=None) as batch_op:
        batch_op.drop_index("ix_import_issue_import")

    op.drop_table("import_issue")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_state")
        batch_op.drop_index("uq_delivery_broadcast_id_address_key")

    op.drop_table("delivery")
    op.drop_table("content")
    with op.batch_alter_table("addon_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_addon_assignment_service_id"))
        batch_op.drop_index("ix_addon_assignment_client")
        batch_op.drop_index("ix_addon_assignment_addon")

    op.drop_table("addon_assignment")
    op.drop_table("sign_in_link")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_index("ix_service_product")
        batch_op.drop_index("ix_service_domain", postgresql_ops={"domain": "varchar_pattern_ops"})
        batch_op.drop_index("ix_service_client")

    op.drop_table("service")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_import_run_running",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )

    op.drop_table("import_run")
    with op.batch_alter_table("broadcast", schema=None) as batch_op:
        batch_op.drop_index("ix_broadcast_updated")
        batch_op.drop_index("ix_broadcast_state")

    op.drop_table("broadcast")
    op.drop_table("user_account")
    op.drop_table("suppression")
    op.drop_table("product")
    op.drop_table("from_address")
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_key"))

    op.drop_table("failed_sign_in")
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_index("ix_client_status")
        batch_op.drop_index("ix_client_audience")
        batch_op.drop_index("ix_client_address_key")

    op.drop_table("client")
    op.drop_table("audience_stamp")
    op.drop_table("addon")
