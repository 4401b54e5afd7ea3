from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from webapp.core.rules.receivers import MINUTE_S, SECOND_S


class FromAddressForm(FlaskForm):
    name = StringField("Name", validators=[Length(max=200, message="At most 200 characters.")])
    address = StringField("Address", validators=[InputRequired("Enter an address."), Length(max=320)])


class UserForm(FlaskForm):
    name = StringField("Name", validators=[Length(max=200, message="At most 200 characters.")])
    email = StringField("E-mail", validators=[InputRequired("Enter an e-mail address."), Length(max=320)])


class WholeNumber(IntegerField):
    """An IntegerField that says in plain words what it wants."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata([value.replace(",", "").strip() or "0" for value in valuelist])
        except ValueError:
            raise ValueError("Use a whole number.") from None


class LimitsForm(FlaskForm):
    """`seen` is the digest of the limits that the form was filled with."""

    seen = HiddenField()
    per_second = WholeNumber("Mails a second")
    per_day = WholeNumber("Mails in 24 hours")
    connections = WholeNumber("Relay connections")
    retry_minutes = StringField("Pauses, in minutes")
    retry_spread = WholeNumber("Varied by up to, in per cent")
    give_up_hours = WholeNumber("Given up after, in hours")
    wait_hours = StringField("Waited for, in hours")


class DomainLimitForm(FlaskForm):
    """`seen` is the digest of the limit that the form was filled with."""

    seen = HiddenField()
    domains = StringField("Domains", validators=[InputRequired("Enter a domain, as in gmail.com."), Length(max=4000)])
    mails = WholeNumber("Mails")
    interval_s = SelectField(
        "In", choices=[SelectChoice(SECOND_S, "a second"), SelectChoice(MINUTE_S, "a minute")], coerce=int
    )
    connections = WholeNumber("Connections at a time")
