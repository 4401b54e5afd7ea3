"""The forms of Settings, Events from the relay."""

from flask_wtf import FlaskForm
from wtforms import StringField


class KeyForm(FlaskForm):
    """What proves a relay's calls, as the relay shows it."""

    key = StringField("Key")
