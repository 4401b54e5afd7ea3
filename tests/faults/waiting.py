"""A relay that is away, silent, late, or refuses everybody for a while: the broadcast waits, says since when and until when, and goes on by
itself, without a click.

The rows of the table of relays that are about waiting, with one worker each; long in the full form, ten minutes for the longest.
"""

from tests.faults.relays import play_all
from tests.faults.result import Result


def run(*, short: bool, seed: int) -> Result:
    """A relay away, silent, late, or ill for a while: it waits, says so on its page, and goes on by itself."""
    return play_all("waiting", short=short, seed=seed)
