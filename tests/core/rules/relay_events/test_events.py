"""What a report says, in our words."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.core.rules.relay_events.calls import MAIL_ID, NOW, events, one, right, told
from webapp.core.rules.relay_event import EventKind as K
from webapp.core.rules.relay_events import samples
from webapp.core.rules.relay_events.matching import matching_header
from webapp.core.rules.relay_events.providers import Provider

P = Provider


@pytest.mark.parametrize("provider", Provider)
def test_a_bounce_for_good_says_whose_and_of_which_mail(provider: Provider):
    (event,) = events(provider, right(provider).raw)
    assert (event.kind, event.source, event.address, event.mail_id) == (
        K.BOUNCED,
        provider.value,
        "nobody@example.com",
        MAIL_ID,
    )
    assert event.is_authentic and event.status == "5.1.1" and samples.SAID in event.words
    assert event.at == NOW and event.raw and event.event_key
    if provider is not P.POSTMARK:  # whose MessageID is its own
        assert event.message_id == f"{MAIL_ID}@example.com"


@pytest.mark.parametrize("provider", Provider)
def test_the_same_report_has_the_same_name_and_another_one_another(provider: Provider):
    names = [events(provider, raw)[0].event_key for raw in (right(provider).raw, right(provider).raw)]
    assert names[0] == names[1]
    assert events(provider, samples.sample(provider, NOW.replace(minute=1), "18-1").raw)[0].event_key != names[0]


@pytest.mark.parametrize("provider", Provider)
def test_the_header_sent_along_is_what_comes_back(provider: Provider):
    header = matching_header(provider)
    value = header.value(MAIL_ID)
    assert value.isascii() and (MAIL_ID in value) == (provider is not P.SES)
    if value.startswith("{"):
        json.loads(value)
    with pytest.raises(ValueError, match="names no mail"):
        header.value('17"}\r\nBcc: x')


def test_a_tag_of_ses_holds_only_what_it_may():
    assert re.fullmatch(r"[A-Za-z0-9_-]+=[A-Za-z0-9_-]+", matching_header(P.SES).value(MAIL_ID))


MAILGUN = [
    ({"event": "failed", "severity": "temporary"}, K.DELAYED),
    ({"event": "failed", "severity": "permanent", "reason": "old"}, K.SOFT_BOUNCED),
    ({"event": "failed", "reason": "suppress-complaint"}, K.COMPLAINED),
    ({"event": "failed", "reason": "suppress-unsubscribe"}, K.UNSUBSCRIBED),
    ({"event": "failed", "delivery-status": {"code": 550, "message": "5.7.1 blocked by policy"}}, K.SOFT_BOUNCED),
    ({"event": "failed", "severity": "new", "reason": "new"}, K.SOFT_BOUNCED),
    ({"event": "complained"}, K.COMPLAINED),
    ({"event": "unsubscribed"}, K.UNSUBSCRIBED),
    ({"event": "delivered"}, K.DELIVERED),
    ({"event": "rejected", "reject": {"reason": "virus"}}, K.SOFT_BOUNCED),
    ({"event": "opened"}, K.OTHER),
    ({"event": None}, K.OTHER),
]


@pytest.mark.parametrize(("fields", "kind"), MAILGUN)
def test_mailguns_events(fields: dict[str, Any], kind: K):
    body = told(P.MAILGUN)
    body["event-data"] |= fields
    assert one(P.MAILGUN, body).kind == kind


POSTMARK = [
    ({"Type": "SoftBounce"}, K.SOFT_BOUNCED),
    ({"Type": "Transient"}, K.SOFT_BOUNCED),
    ({"Type": "DnsError"}, K.SOFT_BOUNCED),
    ({"Type": "BadEmailAddress"}, K.BOUNCED),
    ({"Type": "SpamComplaint"}, K.COMPLAINED),
    ({"Type": "AutoResponder"}, K.ANSWERED),
    ({"Type": "ChallengeVerification"}, K.CHALLENGED),
    ({"Type": "OfNextYear"}, K.OTHER),
    ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, K.COMPLAINED),
    ({"RecordType": "Delivery", "ID": None, "Email": None, "Recipient": "ada@example.com"}, K.DELIVERED),
    ({"RecordType": "Open"}, K.OTHER),
    ({"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "HardBounce"}, K.BOUNCED),
    (
        {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "Origin": "Recipient",
        },
        K.UNSUBSCRIBED,
    ),
    (
        {
            "RecordType": "SubscriptionChange",
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
            "Origin": "Admin",
        },
        K.OTHER,
    ),
    ({"RecordType": "SubscriptionChange", "SuppressSending": False}, K.OTHER),
]


@pytest.mark.parametrize(("fields", "kind"), POSTMARK)
def test_postmarks_events(fields: dict[str, Any], kind: K):
    event = one(P.POSTMARK, told(P.POSTMARK) | fields)
    assert event.kind == kind
    assert event.address == fields.get("Recipient", "nobody@example.com")


def test_postmarks_times_have_seven_decimals():
    event = one(P.POSTMARK, told(P.POSTMARK) | {"BouncedAt": "2014-08-01T13:28:10.2735393-04:00"})
    assert event.at == datetime(2014, 8, 1, 17, 28, 10, 273539, UTC)


SENDGRID = [
    ({"event": "bounce", "type": "blocked"}, K.SOFT_BOUNCED),
    ({"event": "deferred", "response": "451 4.2.1 later", "reason": None, "status": None}, K.DELAYED),
    ({"event": "dropped", "reason": "Bounced Address"}, K.BOUNCED),
    ({"event": "dropped", "reason": "Spam Reporting Address"}, K.COMPLAINED),
    ({"event": "dropped", "reason": "Unsubscribed Address"}, K.UNSUBSCRIBED),
    ({"event": "dropped", "reason": "Recipient List over Package Quota"}, K.SOFT_BOUNCED),
    ({"event": "delivered"}, K.DELIVERED),
    ({"event": "spamreport"}, K.COMPLAINED),
    ({"event": "group_unsubscribe"}, K.UNSUBSCRIBED),
    ({"event": "processed"}, K.OTHER),
]


@pytest.mark.parametrize(("fields", "kind"), SENDGRID)
def test_sendgrids_events(fields: dict[str, Any], kind: K):
    assert one(P.SENDGRID, [told(P.SENDGRID)[0] | fields]).kind == kind


def test_sendgrids_list_is_an_event_each_with_its_own_part_of_the_body():
    first = told(P.SENDGRID)[0]
    found = events(P.SENDGRID, json.dumps([first, first | {"sg_event_id": "2", "email": "ada@example.com"}]).encode())
    assert [event.address for event in found] == ["nobody@example.com", "ada@example.com"]
    assert b"ada@" in found[1].raw and b"nobody@" not in found[1].raw
    assert events(P.SENDGRID, b"[]") == []


BREVO = [
    ("invalid_email", K.BOUNCED),
    ("soft_bounce", K.SOFT_BOUNCED),
    ("blocked", K.SOFT_BOUNCED),
    ("deferred", K.DELAYED),
    ("spam", K.COMPLAINED),
    ("delivered", K.DELIVERED),
    ("unsubscribed", K.UNSUBSCRIBED),
    ("unique_opened", K.OTHER),
]


@pytest.mark.parametrize(("name", "kind"), BREVO)
def test_brevos_events_alone_and_in_a_list(name: str, kind: K):
    event = told(P.BREVO) | {"event": name}
    assert one(P.BREVO, event).kind == kind
    both = events(P.BREVO, json.dumps([event, event | {"ts_event": 7}]).encode())
    assert [found.kind for found in both] == [kind, kind] and both[0].event_key != both[1].event_key
    assert both[0].event_key == one(P.BREVO, event).event_key


def ses(change: Any) -> list[Any]:
    body = told(P.SES)
    message = json.loads(body["Message"])
    change(message)
    return events(P.SES, json.dumps(body | {"Message": json.dumps(message)}).encode())


SES = [
    ({"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}, K.BOUNCED),
    ({"bounceType": "Permanent", "bounceSubType": "UnsubscribedRecipient"}, K.UNSUBSCRIBED),
    ({"bounceType": "Transient", "bounceSubType": "MailboxFull"}, K.SOFT_BOUNCED),
    ({"bounceType": "Undetermined", "bounceSubType": "Undetermined"}, K.SOFT_BOUNCED),
    ({"bounceType": "OfNextYear"}, K.SOFT_BOUNCED),
]


@pytest.mark.parametrize("name", ["eventType", "notificationType"])
@pytest.mark.parametrize(("fields", "kind"), SES)
def test_the_bounces_of_ses_in_both_of_its_forms(name: str, fields: dict[str, Any], kind: K):
    def change(message: dict[str, Any]) -> None:
        message[name] = message.pop("eventType")
        message["bounce"] |= fields

    assert [event.kind for event in ses(change)] == [kind]


def test_a_bounce_of_several_recipients_is_one_for_each():
    more = [{"emailAddress": "Ada <ada@example.com>", "status": "5.1.2"}, {"emailAddress": "bob@example.com"}]
    found = ses(lambda message: message["bounce"]["bouncedRecipients"].extend(more))
    assert [event.address for event in found] == ["nobody@example.com", "ada@example.com", "bob@example.com"]
    assert len({event.event_key for event in found}) == 3 and found[1].status == "5.1.2"


@pytest.mark.parametrize(
    ("name", "place", "report", "kind"),
    [
        (
            "Complaint",
            "complaint",
            {"complainedRecipients": [{"emailAddress": "a@b.example"}], "complaintFeedbackType": "abuse"},
            K.COMPLAINED,
        ),
        ("Complaint", "complaint", {"complainedRecipients": [{"emailAddress": "a@b.example"}]}, K.COMPLAINED),
        (
            "Complaint",
            "complaint",
            {"complainedRecipients": [{"emailAddress": "a@b.example"}], "complaintFeedbackType": "not-spam"},
            K.OTHER,
        ),
        ("Delivery", "delivery", {"recipients": ["a@b.example"], "smtpResponse": "250 ok"}, K.DELIVERED),
        (
            "DeliveryDelay",
            "deliveryDelay",
            {"delayedRecipients": [{"emailAddress": "a@b.example"}], "delayType": "MailboxFull"},
            K.DELAYED,
        ),
        ("Reject", "reject", {"reason": "Bad content"}, K.SOFT_BOUNCED),
        ("Open", "open", {}, K.OTHER),
    ],
)
def test_other_events_of_ses(name: str, place: str, report: dict[str, Any], kind: K):
    (event,) = ses(lambda message: message.update({"eventType": name, place: report}))
    assert (event.kind, event.mail_id) == (kind, MAIL_ID)
    assert event.address == ("a@b.example" if "example" in str(report) else "nobody@example.com")


def test_ses_finds_the_mail_by_its_first_message_id_where_it_has_no_tag():
    def change(message: dict[str, Any]) -> None:
        message["mail"].pop("tags")
        message["mail"]["headers"] = [
            {"name": "MESSAGE-ID", "value": " <17.ab@example.com>"},
            {"name": "X-Massmail-Id", "value": "17.ab"},
        ]

    (event,) = ses(change)
    assert (event.mail_id, event.message_id) == ("17.ab", "17.ab@example.com")


def test_the_note_that_a_topic_works_is_kept_and_heeded_by_nobody():
    said = "Successfully validated SNS topic for Amazon SES event publishing."
    event = one(P.SES, told(P.SES) | {"Message": said})
    assert event.kind == K.OTHER and "Successfully validated" in event.words
