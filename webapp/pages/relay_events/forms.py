"""The forms of Settings, Events from the relay."""

from flask_wtf import FlaskForm
from wtforms import TextAreaField


class KeyForm(FlaskForm):
    """What proves a relay's calls, as the relay shows it. It may be long, and lines in it do not matter."""

    key = TextAreaField("Key")
