"""One fragment alone: the macro of a file `ROOM/_name.html`, as its view answers with it."""

from pathlib import PurePosixPath
from typing import Any

from flask import current_app
from jinja2 import nodes


def fragment(template: str, /, **known: Any) -> str:
    """The HTML of the fragment in the file `template`, made from those names of `known` that its macro has as arguments. Raises
    TypeError when one of these is missing: pages and fragments may share what a view has loaded, but nothing is left out by mistake."""
    required, optional = _arguments(template)
    if missing := required - known.keys():
        raise TypeError(f"{template} needs {', '.join(sorted(missing))}")
    macro = getattr(current_app.jinja_env.get_template(template).module, macro_name(template))
    made: str = macro(**{name: known[name] for name in known.keys() & (required | optional)})
    return made


def macro_name(template: str) -> str:
    """What the macro of a fragment's file is called: `tabs_fragment` in `audience/_tabs.html`."""
    return f"{PurePosixPath(template).stem.lstrip('_')}_fragment"


def _arguments(template: str) -> tuple[frozenset[str], frozenset[str]]:
    """The arguments of the macro, those it needs and those with a default; read once for each app."""
    read: dict[str, tuple[frozenset[str], frozenset[str]]]
    read = current_app.extensions.setdefault("massmail-fragments", {})
    if template not in read:
        env = current_app.jinja_env
        assert env.loader is not None
        source, filename, _ = env.loader.get_source(env, template)
        named = macro_name(template)
        for macro in env.parse(source, template, filename).find_all(nodes.Macro):
            if macro.name == named:
                names = [argument.name for argument in macro.args]
                needed = len(names) - len(macro.defaults)
                read[template] = frozenset(names[:needed]), frozenset(names[needed:])
    return read[template]
