"""The forms of Settings, Domains."""

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import Length


class RouteForm(FlaskForm):
    leaves_from = StringField("Addresses that mails leave from", [Length(max=1000)])
    spf_include = StringField("What your mail service wants in SPF", [Length(max=300)])


class SelectorsForm(FlaskForm):
    selectors = TextAreaField("Selectors, or the header of a mail that arrived", [Length(max=20_000)])
