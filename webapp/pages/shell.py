"""What every page shares: who is asked to sign in, security headers, errors as pages, filters of the templates."""

from flask import Flask


def install(app: Flask) -> None:
    """Bind the shared behaviour to `app`."""
