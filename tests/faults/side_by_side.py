"""Calls side by side, each in a process of its own, because scenes are played from a main thread."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

T = TypeVar("T")
PR_SET_PDEATHSIG = 1


def side_by_side(function: Callable[..., T], calls: Iterable[tuple[Any, ...]], *, at_a_time: int) -> list[T]:
    """What the function returned for each tuple of arguments, in their order. It and they must be picklable. Raises what a call raised,
    with a word in which call it was, once all have ended."""
    calls = list(calls)
    method = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(at_a_time, method, _begin, (os.getpid(),)) as pool:
        asked = [pool.submit(_call, function, arguments) for arguments in calls]
        try:
            for _ in as_completed(asked):
                pass
        except BaseException:  # asked to end: the pool would wait for all calls, those not yet begun too
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise
    found = []
    for one, arguments in zip(asked, calls, strict=True):
        try:
            found.append(one.result())
        except Exception as error:
            error.add_note(f"in {function.__name__}{arguments}")
            raise
    return found


def _begin(parent: int) -> None:
    """End with the process that asked, and in good order: a scene's relays and workers must not outlive it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)


def _call(function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """The pool takes an exit for a result, and would wait for its next call for ever."""
    try:
        return function(*arguments)
    except SystemExit:
        os._exit(1)
