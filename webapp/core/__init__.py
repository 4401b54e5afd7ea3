"""The domain: broadcasts, audiences, tags, pace and the ledger. Knows SQLAlchemy and pure libraries, nothing of HTTP, Redis or sockets."""
