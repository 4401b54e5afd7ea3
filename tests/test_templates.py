"""The rules of the templates as code: a fragment is a macro that is given what it shows, and a line can be read."""

from collections.abc import Iterator

import pytest
from jinja2 import Environment, meta, nodes

from tests import source
from tests.databases import make_app
from webapp.pages.fragments import macro_name

WIDTH = 160
"""Characters of a line at most."""

KNOWN_TO_ALL = frozenset(
    {
        *("url_for", "asset_url", "csrf_token"),  # addresses and the token of the forms
        *("request", "current_user", "now"),  # this request, who asks, and when
        *("client_name", "press", "start_command", "types_number", "undo_s"),  # words and figures that ask nobody
        *("is_live", "poll_s", "missed_start", "undo_until", "seconds_left"),  # what the clock makes of a mass mail
        *("may_send_now", "start_here", "start_words", "starts_figure", "relay_seen"),
        *("fates_of", "waited_for", "would_get"),
    }
)
"""What a fragment may read beside its arguments: globals that are the same for every page of a request."""

TEMPLATES = [name.removeprefix("templates/") for name in source.templates()]
FRAGMENTS = [name for name in TEMPLATES if name.rpartition("/")[2].startswith("_")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of the templates, with the console's filters and globals."""
    return make_app("sqlite://", tmp_path_factory.mktemp("templates")).jinja_env


def parsed(pages: Environment, name: str) -> nodes.Template:
    return pages.parse(source.text(f"templates/{name}"), name)


def macros(tree: nodes.Template) -> dict[str, nodes.Macro]:
    return {node.name: node for node in tree.body if isinstance(node, nodes.Macro)}


def arguments(macro: nodes.Macro) -> tuple[list[str], set[str]]:
    """The names of all arguments, and of those without a default."""
    names = [argument.name for argument in macro.args]
    return names, set(names[: len(names) - len(macro.defaults)])


def imported(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """The template and the macro of each name that is imported, all under their own names."""
    for node in tree.find_all(nodes.FromImport):
        assert isinstance(node.template, nodes.Const)
        for name in node.names:
            assert isinstance(name, str), f"{name}: a macro keeps its name"
            yield node.template.value, name


def calls(tree: nodes.Template) -> Iterator[tuple[str, nodes.Call]]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            yield call.node.name, call


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_is_one_macro_with_the_name_of_its_file(pages: Environment, name: str):
    tree = parsed(pages, name)
    assert list(macros(tree)) == [macro_name(name)]
    for node in tree.body:
        if isinstance(node, nodes.Output):
            printed = [part for part in node.nodes if not isinstance(part, nodes.TemplateData) or part.data.strip()]
            assert not printed, "it shows something outside of its macro"
        else:
            assert isinstance(node, (nodes.Macro, nodes.FromImport)), f"line {node.lineno}"


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_reads_nothing_but_its_arguments(pages: Environment, name: str):
    tree = parsed(pages, name)
    set_here = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    assert meta.find_undeclared_variables(tree) - set_here - KNOWN_TO_ALL == set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_needs_is_given_by_argument(pages: Environment, name: str):
    """No include, no import with context; whoever calls a macro gives all that it needs and nothing that it does not know."""
    tree = parsed(pages, name)
    assert not list(tree.find_all(nodes.Include)), "an include reads whatever its caller has"
    assert not [node.lineno for node in tree.find_all(nodes.FromImport) if node.with_context]
    known = macros(tree) | {macro: macros(parsed(pages, file))[macro] for file, macro in imported(tree)}
    for called, call in calls(tree):
        if (macro := known.get(called)) is None:
            assert not called.endswith("_fragment"), f"{called} is not imported"
            continue
        names, needed = arguments(macro)
        given = {*names[: len(call.args)], *(keyword.key for keyword in call.kwargs)}
        assert len(call.args) <= len(names) and needed <= given, (
            f"{called} in line {call.lineno} needs {needed - given}"
        )
        takes_any = any(node.name == "kwargs" for node in macro.find_all(nodes.Name))
        assert takes_any or given <= set(names), f"{called} in line {call.lineno} knows no {given - set(names)}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_imports_it_uses(pages: Environment, name: str):
    tree = parsed(pages, name)
    assert {macro for _, macro in imported(tree)} <= {called for called, _ in calls(tree)}


def test_a_view_answers_with_a_fragment_by_calling_its_macro():
    """`render_template` of a file that only defines a macro would answer nothing."""
    for name in source.python_files("webapp"):
        for called, call in source.calls(name):
            if called.endswith("render_template"):
                said = {node.value for node in source.constants(call.args[0])}
                assert not {one for one in said if one.rpartition("/")[2].startswith("_")}, f"{name}: {said}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_line_is_short_enough_to_be_read(name: str):
    lines = source.text(f"templates/{name}").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > WIDTH] == []
