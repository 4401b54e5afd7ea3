"""Sweep: repair what was lost, wake what is due. Asked for by every worker, again and again."""

from pathlib import Path

from jobs.runtime import IN_NO_HURRY, inside_app, journals, markers, runtime
from webapp.adapters import sweep_round, wakeups


def sweep() -> None:
    """One round over everything that is not finished."""
    with inside_app() as app:
        wakeups.begins(IN_NO_HURRY)
        instance, ask_after = Path(app.config["INSTANCE"]), app.config["MISSED_START"]
        asks_dns = app.config["DNS"] is not None
        for call in sweep_round.sweep(runtime(), journals(app), markers(app), instance, ask_after, asks_dns=asks_dns):
            wakeups.ask(call)
