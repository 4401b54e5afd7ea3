"""A TCP proxy that delays everything by a constant time and limits nothing else: a far relay on one machine.

`python -m tests.benchmarks.delay_proxy --to PORT --round-trip 0.020` writes its own port to stdout and serves until SIGTERM.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import time
from collections import deque

CLOCK_MONOTONIC, TFD_NONBLOCK, TFD_CLOEXEC, TFD_TIMER_ABSTIME = 1, 0o4000, 0o2000000, 1
CHUNK = 262_144


class Alarm:
    """A descriptor that becomes readable at an instant (timerfd): epoll's own time-out counts whole milliseconds only."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self._libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, at: float) -> None:
        """Ring at this time.monotonic()."""
        seconds, rest = divmod(at, 1)
        spec = struct.pack("qqqq", 0, 0, int(seconds), max(1, int(rest * 1e9)))
        if self._libc.timerfd_settime(self.descriptor, TFD_TIMER_ABSTIME, spec, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def rang(self) -> None:
        """Be quiet until the next `set`."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 8)


class End:
    """One side of a connection through the proxy; what is read here leaves at `other`, late."""

    __slots__ = ("backlog", "closes", "is_closed", "mask", "other", "socket")

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.backlog: deque[bytes] = deque()
        self.closes = self.is_closed = False
        self.mask: int = select.EPOLLIN
        self.other: End


class Proxy:
    """All connections, one thread."""

    def __init__(self, listener: socket.socket, target: tuple[str, int], round_trip: float) -> None:
        self._listener, self._target, self._delay = listener, target, round_trip / 2
        self._ends: dict[int, End] = {}
        self._late: deque[tuple[float, End, bytes]] = deque()
        self._alarm = Alarm()
        self._poller = select.epoll()
        self._poller.register(listener, select.EPOLLIN)
        self._poller.register(self._alarm.descriptor, select.EPOLLIN)

    def serve(self) -> None:
        """Until the process is ended."""
        while True:
            for descriptor, mask in self._poller.poll():
                end = self._ends.get(descriptor)
                if end is not None:
                    if mask & select.EPOLLOUT:
                        self._flush(end)
                    if mask & ~select.EPOLLOUT:
                        self._read(end)
                elif descriptor == self._alarm.descriptor:
                    self._alarm.rang()
                else:
                    self._connect()
            self._deliver()

    def _connect(self) -> None:
        near = End(self._listener.accept()[0])
        far = End(socket.create_connection(self._target))
        near.other, far.other = far, near
        for end in (near, far):
            self._ends[end.socket.fileno()] = end
            self._poller.register(end.socket, select.EPOLLIN)

    def _read(self, end: End) -> None:
        try:
            data = end.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._poller.unregister(end.socket)
            del self._ends[end.socket.fileno()]
            end.is_closed = True
        self._late.append((time.monotonic() + self._delay, end.other, data))
        if len(self._late) == 1:
            self._alarm.set(self._late[0][0])

    def _deliver(self) -> None:
        late, now = self._late, time.monotonic()
        if not late or late[0][0] > now:
            return
        while late and late[0][0] <= now:
            _, end, data = late.popleft()
            if data:
                end.backlog.append(data)
            else:
                end.closes = True
            self._flush(end)
        if late:
            self._alarm.set(late[0][0])

    def _flush(self, end: End) -> None:
        try:
            while end.backlog:
                data = end.backlog[0]
                sent = end.socket.send(data)
                if sent < len(data):
                    end.backlog[0] = data[sent:]
                else:
                    end.backlog.popleft()
        except BlockingIOError:
            self._watch(end, select.EPOLLIN | select.EPOLLOUT)
            return
        except OSError:
            end.backlog.clear()
        self._watch(end, select.EPOLLIN)
        if end.closes:
            with contextlib.suppress(OSError):
                end.socket.shutdown(socket.SHUT_WR)
            if end.is_closed:
                end.socket.close()
                end.other.socket.close()

    def _watch(self, end: End, mask: int) -> None:
        if mask != end.mask and not end.is_closed:
            self._poller.modify(end.socket, mask)
            end.mask = mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=int, required=True, help="the port on this machine to pass on to")
    parser.add_argument("--round-trip", type=float, default=0.020, help="seconds")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with socket.create_server(("127.0.0.1", chosen.port), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        Proxy(listener, ("127.0.0.1", chosen.to), chosen.round_trip).serve()


if __name__ == "__main__":
    main()
