"""Commands of `flask`, one file a group. Each file exposes `group`, a click group or command, and is listed in `webapp/app.py`."""
