"""The form of Settings, Retention."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField
from wtforms.validators import InputRequired

DAYS = [InputRequired("Say how many days.")]


class RetentionForm(FlaskForm):
    """`agreed` is what the person saw that it would remove at once."""

    uploads_days = IntegerField("Uploaded files, days", DAYS)
    values_days = IntegerField("What mails said, days", DAYS)
    agreed = HiddenField()
