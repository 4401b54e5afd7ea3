"""What to do at each relay, in plain steps: before its source is added, and with the address that it then has."""

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.core.rules.relay_events.providers import Provider


@dataclass(frozen=True, slots=True)
class Guide:
    """`before`: what must be there first. `key_hint`: where the key is found, empty where there is none to enter. `after`: what to enter
    there."""

    before: tuple[str, ...]
    key_hint: str
    after: tuple[str, ...]


GUIDES: Mapping[Provider, Guide] = {
    Provider.SES: Guide(
        (
            "In Amazon SNS, in the region of your SES, create a standard topic. Set its signature version to 2 if you can.",
            "Allow SES to publish to it, and note its ARN.",
        ),
        "As in arn:aws:sns:eu-central-1:123456789012:mail-events. Only the subscription to this topic is confirmed, by itself.",
        (
            "In Amazon SNS, at the topic: Create subscription. Protocol HTTPS, endpoint: the address. Leave “raw message delivery” off: "
            "raw messages are not signed.",
            "In Amazon SES, at the identity of your domain: Notifications. Set the topic for bounces, complaints and deliveries, each with "
            "“Include original email headers”. Or add the topic as an event destination to the configuration set that you send with.",
        ),
    ),
    Provider.MAILGUN: Guide(
        (),
        "In Mailgun: API security, HTTP webhook signing key. It is kept as it is, because signatures are checked with it.",
        (
            "In Mailgun: Send, Sending, Webhooks. Choose your domain.",
            "Add the address for Permanent Failure, Temporary Failure, Spam Complaints, Unsubscribes and Delivered Messages.",
        ),
    ),
    Provider.POSTMARK: Guide(
        (),
        "",
        (
            "In Postmark: your server, the message stream that you send by, Webhooks, Add webhook. Enter the address as its URL.",
            "At “Basic auth credentials” enter the user and the password.",
            "Choose Delivery, Bounce, Spam complaint and Subscription change. The content of mails is not needed.",
        ),
    ),
    Provider.SENDGRID: Guide(
        (),
        "SendGrid shows it once it knows the address, so it can be entered later; until then no call is believed.",
        (
            "In SendGrid: Settings, Mail settings, Event webhooks, Create new webhook. Enter the address as the Post URL.",
            "Choose Delivered, Deferred, Bounced, Dropped, Spam reports and Unsubscribes.",
            "Switch on “Signature verification”, save, copy the verification key from there, and enter it here.",
        ),
    ),
    Provider.BREVO: Guide(
        (),
        "",
        (
            "In Brevo: Transactional, Settings, Webhook, Add a new webhook. Enter the address as the URL to call.",
            "Choose the authentication by token, and enter the token.",
            "Choose Delivered, Hard bounced, Soft bounced, Blocked, Invalid email, Deferred, Error, Complaint and Unsubscribed.",
        ),
    ),
}
