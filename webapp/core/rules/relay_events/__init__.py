"""What relays report of mails by calling us: who may report, and what the report says.

A file a relay, each with `verify(raw, headers, key, now)`, which looks at the body as it came and raises Refused unless the relay itself
has sent it, and `events(raw)`, which says what it reports. `providers.py` names them all. Nothing here knows a table or a socket.
"""
