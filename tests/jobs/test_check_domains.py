"""A sweep asks for a look at the domains of the senders, once a day, and a job does it."""

from flask import Flask
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from jobs.check_domains import check_domains
from jobs.sweep import sweep
from tests.dns_server import dns_server
from webapp.adapters import wakeups
from webapp.core.domains import checks
from webapp.core.settings import from_addresses


def queued() -> list[str]:
    jobs = Job.fetch_many(wakeups.queue().job_ids, connection=wakeups.connection(), serializer=JSONSerializer)
    return [job.func_name for job in jobs if job]


def test_domains_are_looked_at_by_themselves(sqlite_app: Flask, sqlite_session: Session, redis_url: str):
    from_addresses.add(sqlite_session, "News", "news@example.com")
    checks.save_route(sqlite_session, "192.0.2.1", "")
    sqlite_session.commit()
    sqlite_app.config["REDIS_URL"] = redis_url
    zone = {
        ("example.com", "TXT"): ["v=spf1 ip4:192.0.2.1 -all"],
        ("1.2.0.192.in-addr.arpa", "PTR"): ["mx.example.com"],
        ("mx.example.com", "A"): ["192.0.2.1"],
    }
    with sqlite_app.app_context(), dns_server(zone) as (server, asked):
        sweep()
        assert queued() == [], "DNS is off in tests"
        sqlite_app.config["DNS"] = (server,)
        sweep()
        assert queued() == [wakeups.CHECK_DOMAINS]
        check_domains()
        before = len(asked)
        wakeups.queue().empty()
        sqlite_session.rollback()
        (seen,) = checks.listing(sqlite_session)
        assert seen.checked_at is not None and seen.faults == 3  # DKIM, DMARC and MX
        sweep()
        assert queued() == [] and len(asked) == before
