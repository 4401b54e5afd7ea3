"""The design as code: which part may know which, who writes what, and what must not stand in a file."""

import importlib
import re
import sys
from graphlib import CycleError, TopologicalSorter

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Column, inspect

from tests import source
from webapp.core.tables import Base, triggers
from webapp.extensions import db

LAYERS = (
    ("webapp.core.errors", set()),
    ("webapp.core.rules", {"webapp.core.rules", "webapp.core.errors"}),
    ("webapp.core.tables", {"webapp.core.rules", "webapp.core.tables"}),
    ("webapp.core", {"webapp.core"}),
    ("webapp.private", set()),
    ("webapp.paths", set()),
    ("webapp.environ", set()),
    ("webapp.bounce_settings", {"webapp.environ"}),
    ("webapp.config", {"webapp.private", "webapp.paths", "webapp.environ", "webapp.bounce_settings"}),
    ("webapp.adapters", {"webapp.core", "webapp.private", "webapp.paths", "webapp.config", "webapp.adapters"}),
    ("webapp.extensions", {"webapp.core", "webapp.config", "webapp.adapters"}),
    (
        "webapp.pages",
        {"webapp.core", "webapp.paths", "webapp.config", "webapp.adapters", "webapp.extensions", "webapp.pages"},
    ),
    ("webapp.cli", {"webapp.core", "webapp.config", "webapp.adapters", "webapp.extensions", "webapp.cli"}),
    ("webapp.app", {"webapp"}),
    ("webapp.tools", {"webapp.paths", "webapp.tools"}),
    ("webapp.command", {"webapp"}),
    ("webapp.demo", {"webapp"}),
    ("webapp.bootstrap", {"webapp.bootstrap"}),
    ("webapp.__main__", {"webapp.bootstrap"}),
    (
        "jobs",
        {
            "webapp.core",
            "webapp.private",
            "webapp.paths",
            "webapp.environ",
            "webapp.config",
            "webapp.adapters",
            "webapp.extensions",
            "webapp.app",
            "jobs",
        },
    ),
    ("wsgi", {"webapp.adapters", "webapp.app", "webapp.private", "webapp.environ"}),
)
"""What each part of our own code may import: the arrow rules <- tables <- core <- adapters <- pages | jobs <- app."""

ROOMS: dict[str, str] = {
    "clients": "",
    "relay": "",
    "settings": "",
    "users": "",
    "domains": "settings",
    "media": "",
    "imports": "clients",
    "consent": "imports",
    "branding": "consent settings",
    "audience": "clients consent",
    "ledger": "audience consent media relay settings",
    "content": "clients branding consent audience domains ledger media settings",
    "broadcasts": "audience branding consent content domains ledger media relay settings",
    "designs": "branding broadcasts consent content",
    "events": "consent broadcasts ledger",
    "sending": "broadcasts consent content domains ledger relay settings",
    "notices": "broadcasts relay sending",
}
"""The rooms of the core, and which others each may know, all of them further up: clients <- audience <- content <- broadcasts <- sending,
the ledger and the relay beside them. Rules, tables and the files in no room may be known by all."""

GOES_ON_INSIDE = {("webapp/bootstrap/commands.py", "webapp.demo.command")}
"""Imports of the bootstrap that happen once the environment is there."""

OUTSIDE_WORLD = re.compile(
    r"(flask|flask_\w+|htmx_flask|wtforms|redis|rq|granian|aiosmtpd|smtplib|socket|socketserver|selectors|select|ssl|asyncio|"
    r"http|urllib\.request|subprocess|signal|multiprocessing)(\.|$)"
)
"""What the core has never heard of."""

CLOCKS = re.compile(
    r"((\w+\.)*datetime\.(now|utcnow|today)|(\w+\.)*date\.today|(time\.)?time_ns|time\.time|(time\.)?sleep)$"
)

COMMITTERS = ("webapp/core/sending", "webapp/core/imports")
"""Parts of the core that commit, because their work is too long for one transaction."""

WRITERS = {
    "webapp/core/broadcasts": "Broadcast Content StepSave DraftVisit",
    "webapp/core/audience": "Pick",
    "webapp/core/branding/brands": "Brand",
    "webapp/core/branding/pictures": "HostedPicture",
    "webapp/core/designs": "Design DesignVersion",
    "webapp/core/settings/from_addresses": "FromAddress",
    "webapp/core/clients": "Client Product Service Addon AddonAssignment",
    "webapp/core/imports": "Import ImportRun ImportIssue ImportChange ImportMemory Upload UploadChunk",
    "webapp/core/settings/installation": "Installation",
    "webapp/core/settings/limits": "SendingLimits",
    "webapp/core/settings/receivers": "DomainLimit",
    "webapp/core/domains/checks": "DomainCheck MailRoute",
    "webapp/core/domains/keys": "DkimKey",
    "webapp/core/media": "MediaFile MediaBytes Attachment OwnFiles OwnFile",
    "webapp/core/ledger": "Delivery Attempt Sender Tally PaceUse MinuteCount OpenRefusal ReceiverShare",
    "webapp/core/events": "DeliveryEvent EventCount Brake MailboxPosition MailUse UseSum",
    "webapp/core/notices": "Notice NoticeReceipt NoticeDispatch NoticeChoice NoticeWatch HouseWebhook",
    "webapp/core/relay": "Relay DomainRest",
    "webapp/core/settings/retention": "RetentionSettings",
    "webapp/core/settings/tag_links": "TagLink",
    "webapp/core/consent/suppressions": "Suppression SuppressionChange",
    "webapp/core/consent/topics": "Topic TopicOptOut",
    "webapp/core/consent/list_": "ListImport ListReport",
    "webapp/core/consent/settings": "ConsentSettings",
    "webapp/core/consent/tokens": "LinkKey",
    "webapp/core/consent/event_sources": "EventSource ReceivedEvent",
    "webapp/core/tables/stamps": "AudienceStamp",
    "webapp/core/content/trial_sends": "TestSend",
    "webapp/core/content/preflight/ticks": "PreflightTick",
    "webapp/core/content/link_targets": "LinkTarget",
    "webapp/core/users": "User SignIn SignInLink KnownNetwork FailedSignIn",
    "webapp/core/sending/workers": "KnownWorker",
}
"""The one writer of each table class."""

ALSO_WRITES = {
    ("webapp/core/broadcasts/drafts.py", "Pick"): "a duplicate takes the recipients chosen by hand along",
    ("webapp/core/consent/hashing.py", "Suppression"): "an address becomes a hash in all tables of consent at once",
    ("webapp/core/consent/hashing.py", "SuppressionChange"): "likewise",
    ("webapp/core/consent/hashing.py", "TopicOptOut"): "likewise",
    ("webapp/core/ledger/freeze.py", "Broadcast"): "the freeze's cursor and count stand in the transaction of its rows",
}
"""Statements outside the one writer, each with the reason."""

FORBIDDEN_NAMES = frozenset(
    ["utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py", "models.py", "services.py"]
)
TOO_LONG, TOO_LONG_A_TEST = 350, 500
LONG_FOR_A_REASON: dict[str, str] = {}
"""Files with more lines than that, each with the reason why it is one thing. A test file is read one case at a time."""

OURS = [name for name in source.python_files("webapp", "jobs") if "/migrations/" not in name] + ["wsgi.py"]
CORE = [name for name in OURS if name.startswith("webapp/core/")]


def part_of(module: str) -> tuple[str, set[str]]:
    return max((layer for layer in LAYERS if within(module, layer[0])), key=lambda layer: len(layer[0]))


def room_of(module: str) -> str:
    """The room of the core in which a module stands; "" for none."""
    name = module.removeprefix("webapp.core.").partition(".")[0] if within(module, "webapp.core") else ""
    return name if name in ROOMS else ""


def within(module: str, part: str) -> bool:
    return module == part or module.startswith(f"{part}.")


@pytest.mark.parametrize("name", OURS)
def test_imports_follow_the_arrow(name: str):
    if source.module_of(name) == "webapp":
        assert not list(source.imports(name)), "importing webapp.core must not import anything else"
        return
    part, allowed = part_of(source.module_of(name))
    for imported in source.imports(name):
        if (within(imported, "webapp") and imported != "webapp") or within(imported, "jobs"):
            fine = any(within(imported, other) for other in allowed) or (name, imported) in GOES_ON_INSIDE
            fine = fine or any((name, imported.rpartition(".")[0]) == known for known in GOES_ON_INSIDE)
            assert fine, f"{part} imports {imported}"


def test_rooms_of_the_core_know_only_rooms_above_them():
    above: set[str] = set()
    for room, known in ROOMS.items():
        assert set(known.split()) <= above, f"{room} stands above what it knows"
        above.add(room)
    folders = {name.split("/")[2] for name in CORE if name.count("/") > 2} - {"rules", "tables"}
    assert folders == ROOMS.keys(), "a room without a rule, or a rule without a room"


@pytest.mark.parametrize("name", [name for name in CORE if room_of(source.module_of(name))])
def test_a_room_of_the_core_imports_no_room_below_it(name: str):
    own = room_of(source.module_of(name))
    for imported in source.imports(name):
        other = room_of(imported)
        assert other in ("", own, *ROOMS[own].split()), f"{own} imports {imported}"


def test_no_file_of_the_core_imports_itself_in_a_circle():
    """Neither when it is loaded nor inside a function."""
    graph = {name: {other for other in source.needs(name) if other != name} for name in CORE}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("name", CORE)
def test_the_core_has_never_heard_of_the_outside_world(name: str):
    for imported in source.imports(name):
        assert not OUTSIDE_WORLD.match(imported), f"{imported} belongs into an adapter or a page"
        if name.startswith("webapp/core/rules/"):
            assert not within(imported, "sqlalchemy"), "rules take values, not rows"


@pytest.mark.parametrize("name", CORE)
def test_the_core_is_given_the_time_and_does_not_commit(name: str):
    for called, _ in source.calls(name):
        assert not CLOCKS.match(called), f"{called}: take `now` as an argument"
        if not name.startswith(COMMITTERS):
            assert not re.search(r"(^|\.)(session|db)\.commit$", called), f"{called}: the caller commits"


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith(("webapp/bootstrap/", "webapp/__"))])
def test_the_bootstrap_needs_nothing_installed(name: str):
    for imported in source.imports(name):
        top = imported.partition(".")[0]
        assert top in sys.stdlib_module_names or top == "webapp", f"{imported} is not there before the first start"


@pytest.mark.parametrize("name", OURS)
def test_each_table_has_one_writer(name: str):
    classes = {mapper.class_.__name__: mapper.class_.__tablename__ for mapper in Base.registry.mappers}
    foreign = {one for writer, those in WRITERS.items() if not name.startswith(writer) for one in those.split()} & set(
        classes
    )
    foreign -= {one for file, one in ALSO_WRITES if file == name}
    for called, call in source.calls(name):
        changed = called.split(".")[-1]
        if changed in ("insert", "update", "delete") and call.args:
            assert source.dotted(call.args[0]).split(".")[-1] not in foreign, (
                f"{changed} of {source.dotted(call.args[0])}"
            )
        assert changed not in foreign or "tables" in called, f"{changed}(…) makes a row"
        assert not (called.endswith(("__table__.insert", "__table__.update")) and called.split(".")[-3] in foreign), (
            called
        )
    tables = "|".join(classes[one] for one in foreign)
    if not name.startswith("webapp/core/tables/"):
        for said in source.strings(name):
            assert not re.search(rf'\b(insert\s+into|update|delete\s+from)\s+"?({tables})"?\s', said, re.I), said[:80]


def test_every_table_class_has_a_writer():
    known = {one for those in WRITERS.values() for one in those.split()}
    assert {mapper.class_.__name__ for mapper in Base.registry.mappers} <= known


NAMED_BY_LIBRARIES = {"Meta": "WTForms looks for a form's options under this name"}


def test_a_class_name_stands_once():
    """Whoever reads `Page` or `Row` knows which one it is; a leading underscore makes no other name."""
    places: dict[str, list[str]] = {}
    for name in OURS:
        for found in set(source.class_names(name)) - NAMED_BY_LIBRARIES.keys():
            places.setdefault(found.lstrip("_"), []).append(name)
    assert {found: files for found, files in places.items() if len(files) > 1} == {}


def test_no_file_has_a_name_that_says_nothing():
    assert [name for name in source.tracked_files() if name.rsplit("/", 1)[-1] in FORBIDDEN_NAMES] == []


def test_jobs_named_in_texts_exist():
    named = {said for name in OURS for said in source.strings(name) if re.fullmatch(r"jobs(\.\w+)+", said)}
    assert named, "webapp enqueues jobs by name"
    for one in named:
        module, _, attribute = one.rpartition(".")
        assert (
            module == "jobs" or hasattr(importlib.import_module(module), attribute) or importlib.import_module(one)
        ), one
        if module == "jobs":
            importlib.import_module(one)


def is_comparable(_thing, name: str | None, kind: str, _reflected: bool, _other) -> bool:
    """Alembic cannot compare an index with an expression on SQLite; that there is one is asked by name below."""
    indexes = (index for table in Base.metadata.tables.values() for index in table.indexes if index.name == name)
    return kind != "index" or all(isinstance(part, Column) for index in indexes for part in index.expressions)


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_exactly_the_declared_tables(app: Flask):
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_comparable})
        assert compare_metadata(context, Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
        kind = connection.dialect.name
        names = (
            "SELECT name FROM sqlite_master WHERE type = 'index'"
            if kind == "sqlite"
            else "SELECT indexname FROM pg_indexes"
        )
        indexes = {row[0] for row in connection.exec_driver_sql(names)}
        assert {index.name for table in Base.metadata.tables.values() for index in table.indexes} <= indexes
        catalogue = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        if kind == "sqlite":
            there = {row[0] for row in connection.exec_driver_sql(catalogue)}
            assert there == {one for one in triggers.statements(kind) if one.startswith("CREATE TRIGGER")}
        else:
            catalogue = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
            there = {row[0] for row in connection.exec_driver_sql(catalogue)}
            wanted = [re.match(r"CREATE TRIGGER (\w+)", one) for one in triggers.statements(kind)]
            assert there == {one.group(1) for one in wanted if one}


def test_a_fragment_with_a_url_bears_its_name(sqlite_app: Flask):
    """`_recipient_count.html`, endpoint `audience.recipient_count`, URL `…/recipient-count` and one root with `id="recipient-count"`:
    the fragment's own, or that of the element around its call. What swaps itself in elsewhere (hx-swap-oob) may come along."""
    urls = {rule.endpoint: rule.rule for rule in sqlite_app.url_map.iter_rules()}
    wrong = []
    for name in source.templates():
        room, _, fragment = name.removeprefix("templates/").removesuffix(".html").partition("/_")
        if f"{room}.{fragment}" not in urls:
            continue
        id = fragment.replace("_", "-")
        roots = [root for root in source.Roots(source.fragment_html(name)).found if "hx-swap-oob" not in root[1]]
        own = len(roots) == 1 and roots[0][1].get("id") == id
        around = rf'id="{id}"[^<]*>\s*{{{{ {source.macro_name(name)}\('
        if not own and not any(re.search(around, source.text(page)) for page in source.templates()):
            wrong.append(f"{name}: no single root with id={id}")
        if f"/{id}" not in urls[f"{room}.{fragment}"]:
            wrong.append(f"{name}: its URL is {urls[f'{room}.{fragment}']}")
    assert wrong == []


@pytest.mark.parametrize("name", list(source.templates()))
def test_no_template_needs_what_the_content_security_policy_forbids(name: str):
    html = source.fragment_html(name)
    assert not re.search(r"<[^>]*\s(style|on\w+)\s*=", html), "inline style or handler"
    assert not re.search(r"<style\b|<script(?![^>]*\ssrc=)|javascript:", html), "inline style sheet or script"


def test_files_stay_readable():
    long = {
        name: source.text(name).count("\n") for name in source.tracked_files() if name.endswith((".py", ".html", ".js"))
    }
    beyond = {
        name: lines
        for name, lines in long.items()
        if lines > (TOO_LONG_A_TEST if name.startswith("tests/") else TOO_LONG) and "/migrations/" not in name
    }
    assert beyond.keys() - LONG_FOR_A_REASON.keys() == set(), beyond
    assert LONG_FOR_A_REASON.keys() <= beyond.keys(), "a reason for a file that is not long any more"


def test_no_file_names_a_machine_or_a_registry():
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".",
        "crates" + ".io",
        "jsdelivr" + ".",
        "unpkg" + ".com",
    )
    paths = (
        r"/work/" + r"(main|shared)",
        r"/tmp/" + r"tools",
        r"/ro" + r"ot/\w",
        r"/home/\w",
        r"/opt/" + "wheels",
        r"/Users/\w",
    )
    pattern = re.compile("|".join([*map(re.escape, hosts), *paths]))
    found = []
    for name in source.tracked_files():
        if not name.endswith((".png", ".ico", ".woff2")):
            found += [f"{name}: {hit.group()}" for hit in [pattern.search(source.text(name))] if hit]
    assert found == []
