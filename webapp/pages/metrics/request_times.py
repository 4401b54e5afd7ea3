"""How long requests took, as a histogram by endpoint, method and class of status.

Several web processes share no memory, and a scrape meets any one of them. So each series bears the number of its process: counts of two
processes never look like one that was reset, and `sum without (process) (rate(…))` is right over any window in which each was met twice.
Files that processes share (prometheus_client's multiprocess mode) would be more to set up, clean and lock than that is worth.
"""

import os

from prometheus_client import CollectorRegistry, Histogram

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestTimes:
    """Endpoints are those of the program, methods and classes of status a handful: who asks for odd things adds no series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "massmail_http_request_seconds",
            "Time from a request to the end of its answer, of this process.",
            ("endpoint", "method", "status", "process"),
            buckets=BUCKETS_S,
            registry=registry,
        )

    def observe(self, endpoint: str, method: str, status: int, took_s: float) -> None:
        """One answer has ended."""
        self._seconds.labels(endpoint, method, f"{status // 100}xx", str(os.getpid())).observe(took_s)
