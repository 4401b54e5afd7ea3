"""Forms of Settings, Consent."""

from dataclasses import replace

from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from webapp.core.consent.settings import Consent
from webapp.core.rules import final_refusals
from webapp.core.rules.final_refusals import RefusalRule

NUMBER = [InputRequired("Say a number.")]
_RULES = [SelectChoice(str(int(rule)), rule.label) for rule in (RefusalRule.ONCE, RefusalRule.TWICE, RefusalRule.NEVER)]


class ConsentForm(FlaskForm):
    unknown_is_in = BooleanField("Clients whose choice is not known get marketing")
    unknown_is_in_europe = BooleanField("So do those in the EU, Iceland, Liechtenstein and Norway")
    business_name = StringField("Name of your business")
    colour = StringField("Colour")
    postal_address = TextAreaField("Postal address")
    no_such_mailbox = SelectField(final_refusals.label("no_such_mailbox"), choices=_RULES)
    mailbox_disabled = SelectField(final_refusals.label("mailbox_disabled"), choices=_RULES)
    domain_takes_no_mail = SelectField(final_refusals.label("domain_takes_no_mail"), choices=_RULES)
    soft_bounces = IntegerField("Soft bounces", NUMBER)
    soft_bounce_days = IntegerField("Within days", NUMBER)
    brake_bounced_percent = DecimalField("Bounced, percent", NUMBER, places=None)
    brake_complained_percent = DecimalField("Complained, percent", NUMBER, places=None)
    may_count = BooleanField("Mass mails may count clicks and opens")

    @classmethod
    def of(cls, consent: Consent) -> "ConsentForm":
        """The form as the settings are."""
        rules = {reason: str(int(rule)) for reason, rule in consent.rules.items()}
        same = {name: getattr(consent, name) for name in _SAME}
        return cls(formdata=None, **same, **rules)

    def wanted(self, before: Consent) -> Consent:
        """The settings as the form has them; what it does not have stays as before. The form must be valid."""
        values = {name: self[name].data for name in _SAME}
        for name in ("brake_bounced_percent", "brake_complained_percent"):
            values[name] = float(values[name])
        for name in ("business_name", "colour", "postal_address"):
            values[name] = (values[name] or "").replace("\r\n", "\n").strip()
        return replace(
            before, **values, rules={reason: RefusalRule(int(self[reason].data)) for reason in final_refusals.USUAL}
        )


_SAME = (
    "unknown_is_in",
    "unknown_is_in_europe",
    "business_name",
    "colour",
    "postal_address",
    "soft_bounces",
    "soft_bounce_days",
    "brake_bounced_percent",
    "brake_complained_percent",
    "may_count",
)


class TopicForm(FlaskForm):
    name = StringField("Name")
    description = StringField("What it is about")
