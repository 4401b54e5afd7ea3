"""One fault family, run and told of; in a module of its own, because other processes cannot call what stands in `__main__`."""

import time
import traceback
from importlib import import_module

from tests.faults.result import Result


def run(name: str, short: bool, seed: int) -> Result:
    """Run the family of that name and print its row of the table, with its notes."""
    module = import_module(f"tests.faults.{name}")
    began = time.monotonic()
    try:
        result = module.run(short=short, seed=seed)
    except Exception as error:
        result = Result(name)
        result.broken(" ".join([f"{type(error).__name__}: {error!s:.300}", *getattr(error, "__notes__", ())]))
        result.notes.append(traceback.format_exc())
    took = (time.monotonic() - began) / 60
    head = (
        f"{name:<14}{result.runs:>7,}{result.mails:>10,}{result.lost:>7,}{result.duplicates:>7,}{result.uncertain:>11,}{took:>7.1f}"
        f"  {'met' if result.met else 'NOT MET'}"
    )
    notes = ["    " + note.replace("\n", "\n    ") for note in result.notes]
    print("\n".join([head, *notes]), flush=True)  # at once: others may print, too
    return result
