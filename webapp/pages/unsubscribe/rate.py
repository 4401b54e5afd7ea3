"""How often one token may be used: per token and never per network, since a mail program's servers come from few addresses for all its
users. Kept in each process by itself: what it protects is this process's time, and it needs nobody to be there."""

from collections import OrderedDict
from threading import Lock

MOST, WINDOW_S = 20, 60
"""So many changes with one token in so many seconds."""
REMEMBERED = 20_000

_used: OrderedDict[str, tuple[float, int]] = OrderedDict()
_lock = Lock()


def allows(token: str, ticks: float) -> bool:
    """Whether this token may be used now; counts it."""
    key = token[:64]
    with _lock:
        since, count = _used.pop(key, (ticks, 0))
        if ticks - since >= WINDOW_S:
            since, count = ticks, 0
        _used[key] = since, count + 1
        if len(_used) > REMEMBERED:
            _used.popitem(last=False)
    return count < MOST
