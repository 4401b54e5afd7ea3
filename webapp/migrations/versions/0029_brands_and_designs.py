"""brands with their logos, and templates with their versions; some come along"""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
LETTERS = ("system", "helvetica", "verdana", "trebuchet", "georgia", "palatino")
KINDS = ("layout", "message")
ALONG = Path(__file__).parents[2] / "core" / "designs" / "along"


def one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    text = " OR ".join(f"{column} = '{value}'" for value in values)
    return sa.CheckConstraint(text, name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "hosted_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("is_dark", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hosted_picture")),
        sa.UniqueConstraint("name", name=op.f("uq_hosted_picture_name")),
    )
    op.create_table(
        "brand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_address", sa.String(320), nullable=False),
        sa.Column("light", sa.JSON(), nullable=False),
        sa.Column("dark", sa.JSON(), nullable=False),
        sa.Column("letters", sa.String(20), nullable=False),
        sa.Column("footer", sa.Text(), nullable=False),
        sa.Column("logo_id", sa.Integer(), nullable=True),
        sa.Column("is_removed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(320), nullable=False),
        one_of("brand", "letters", LETTERS),
        sa.ForeignKeyConstraint(["logo_id"], ["hosted_picture.id"], name=op.f("fk_brand_logo_id_hosted_picture")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
    )
    op.create_index("ix_brand_from_address", "brand", ["from_address", "id"])
    _designs()
    op.add_column("broadcast", sa.Column("in_brand", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("broadcast", sa.Column("brand_id", sa.Integer(), nullable=True))
    op.add_column("broadcast", sa.Column("design_version_id", sa.Integer(), nullable=True))


def _designs() -> None:
    design = op.create_table(
        "design",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("about", sa.String(200), server_default="", nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("comes_as", sa.String(40), nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        one_of("design", "kind", KINDS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design")),
        sa.UniqueConstraint("comes_as", name=op.f("uq_design_comes_as")),
    )
    op.create_index("ix_design_name", "design", ["name"])
    version = op.create_table(
        "design_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("design_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("note", sa.String(200), server_default="", nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(320), nullable=False),
        sa.ForeignKeyConstraint(
            ["design_id"], ["design.id"], name=op.f("fk_design_version_design_id_design"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design_version")),
        sa.UniqueConstraint("design_id", "number", name=op.f("uq_design_version_design_id_number")),
    )
    _bring_along(design, version)


def _bring_along(design: sa.Table, version: sa.Table) -> None:
    """The templates that lie beside the program. What became of them later is theirs who use them."""
    now = datetime.now(UTC)
    with (ALONG / "along.toml").open("rb") as file:
        found = tomllib.load(file)
    for key, one in found.items():
        row = {"name": one["name"], "about": one["about"], "kind": one["kind"], "comes_as": key, "made_at": now}
        bind = op.get_bind()
        design_id = bind.scalar(design.insert().values(**row).returning(design.c.id))
        html = (ALONG / f"{key}.html").read_text("utf-8").strip()
        said = {"subject": one["subject"], "preheader": one["preheader"], "html": html, "text": None}
        values = {"design_id": design_id, "number": 1, "made_at": now, "made_by": ""}
        bind.execute(version.insert().values(**values, **said))


def downgrade() -> None:
    for name in ("design_version_id", "brand_id", "in_brand"):
        op.drop_column("broadcast", name)
    for name in ("design_version", "design", "brand", "hosted_picture"):
        op.drop_table(name)
