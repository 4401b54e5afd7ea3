"""Lists of other systems: their columns are known, and each row means what it means there."""

from datetime import UTC, datetime

import pytest

from webapp.core.rules.consent import SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import (
    NOT_SUPPRESSED,
    SENDGRIDS_BLOCKS,
    SuppressionEntry,
    Unread,
    entry_of,
    instant,
    recognise,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
K, S = SuppressionKind, SuppressionScope
EARLIER = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def read(header: str, *rows: str, file_name: str = "list.csv", otherwise: K = K.IMPORTED):
    """The system, and what each row means. Cells are separated by bars."""
    cells = [row.split("|") for row in rows]
    samples = [[row[at] for row in cells if at < len(row) and row[at]] for at in range(len(header.split("|")))]
    reading = recognise(header.split("|"), samples, file_name)
    assert reading is not None
    return reading.system, [entry_of(row, reading, otherwise, NOW) for row in cells]


def test_mailchimps_unsubscribed_members():
    system, [entry, plain] = read(
        "Email Address|First Name|OPTIN_TIME|UNSUB_TIME|UNSUB_CAMPAIGN_TITLE|UNSUB_REASON|UNSUB_REASON_OTHER|NOTES",
        "Ada@Example.com|Ada|2020-01-01 10:00:00|2024-05-06 07:08:09|Spring sale|NORMAL|too many mails|",
        "bob@example.com|Bob|||||",
    )
    assert system == "Mailchimp, unsubscribed"
    assert entry == SuppressionEntry(
        "ada@example.com", K.UNSUBSCRIBED, S.MARKETING, "too many mails", "", "Spring sale", EARLIER
    )
    assert plain == SuppressionEntry("bob@example.com", K.UNSUBSCRIBED, S.MARKETING)


def test_mailchimps_cleaned_members():
    system, [entry] = read(
        "Email Address|First Name|OPTIN_TIME|CLEAN_TIME|CLEAN_CAMPAIGN_TITLE|LEID",
        "ada@example.com|Ada||2024-05-06 07:08:09|Spring sale|12",
    )
    assert system == "Mailchimp, cleaned"
    assert entry == SuppressionEntry("ada@example.com", K.BOUNCED, S.EVERYTHING, "", "", "Spring sale", EARLIER)


@pytest.mark.parametrize(
    ("file_name", "system", "kind"),
    [
        ("suppression_bounces.csv", "SendGrid, bounces", K.BOUNCED),
        ("export.csv", "SendGrid, bounces", K.BOUNCED),
        ("suppression_blocks.csv", "SendGrid, blocks", K.IMPORTED),
    ],
)
def test_sendgrids_bounces_and_blocks(file_name: str, system: str, kind: K):
    words = "550 5.1.1 The account does not exist"
    found = read("status|reason|email|created", f"5.1.1|{words}|ada@example.com|1714979289", file_name=file_name)
    [entry] = found[1]
    assert found[0] == system
    assert isinstance(entry, SuppressionEntry)
    assert (entry.kind, entry.scope, entry.since) == (kind, S.EVERYTHING, EARLIER)
    assert words in (entry.evidence, entry.reason)


def test_sendgrids_blocks_come_with_a_remark():
    reading = recognise(["status", "reason", "email", "created"], [[], [], ["a@b.example"], []], "blocks.csv")
    assert reading is not None and reading.remark == SENDGRIDS_BLOCKS


def test_sendgrids_other_lists():
    assert read("ip|email|created", "192.0.2.1|ada@example.com|1714979289")[1] == [
        SuppressionEntry("ada@example.com", K.COMPLAINED, S.EVERYTHING, since=EARLIER)
    ]
    assert read("email|created", "ada@example.com|1714979289", file_name="suppression_unsubscribes.csv")[1] == [
        SuppressionEntry("ada@example.com", K.UNSUBSCRIBED, S.MARKETING, since=EARLIER)
    ]
    assert read("email|created", "ada@example.com|1714979289", file_name="spam_reports.csv")[1] == [
        SuppressionEntry("ada@example.com", K.COMPLAINED, S.EVERYTHING, since=EARLIER)
    ]


@pytest.mark.parametrize(
    ("header", "row", "file_name", "kind"),
    [
        (
            "address|code|error|created_at",
            "ada@example.com|550|No such mailbox|Mon, 06 May 2024 07:08:09 UTC",
            "",
            K.BOUNCED,
        ),
        ("address|tags|created_at", "ada@example.com|*|Mon, 06 May 2024 07:08:09 GMT", "", K.UNSUBSCRIBED),
        ("address|created_at", "ada@example.com|Mon, 06 May 2024 07:08:09 +0000", "", K.COMPLAINED),
        ("address|created_at", "ada@example.com|2024-05-06T07:08:09Z", "unsubscribes.csv", K.UNSUBSCRIBED),
    ],
)
def test_mailguns_lists(header: str, row: str, file_name: str, kind: K):
    system, [entry] = read(header, row, file_name=file_name)
    assert system.startswith("Mailgun")
    assert isinstance(entry, SuppressionEntry)
    assert (entry.kind, entry.since) == (kind, EARLIER)
    assert entry.evidence == ("No such mailbox" if kind is K.BOUNCED else "")


def test_postmarks_suppressions():
    system, entries = read(
        "EmailAddress|SuppressionReason|Origin|CreatedAt",
        "a@example.com|HardBounce|Recipient|2024-05-06T03:08:09-04:00",
        "b@example.com|SpamComplaint|Recipient|",
        "c@example.com|ManualSuppression|Recipient|",
        "d@example.com|ManualSuppression|Customer|",
    )
    assert system == "Postmark"
    assert [(one.kind, one.scope) for one in entries if isinstance(one, SuppressionEntry)] == [
        (K.BOUNCED, S.EVERYTHING),
        (K.COMPLAINED, S.EVERYTHING),
        (K.UNSUBSCRIBED, S.MARKETING),
        (K.BY_HAND, S.EVERYTHING),
    ]
    assert entries[0].since == EARLIER


@pytest.mark.parametrize("header", ["emailAddress|reason", "Column 1|Column 2"])
def test_the_list_of_amazon_ses_with_and_without_names(header: str):
    system, entries = read(header, "a@example.com|BOUNCE", "b@example.com|COMPLAINT")
    assert system == "Amazon SES"
    assert [one.kind for one in entries] == [K.BOUNCED, K.COMPLAINED]


def test_of_listmonks_subscribers_only_those_on_the_blocklist():
    system, entries = read(
        "uuid|email|name|attributes|status|created_at",
        "1|a@example.com|Ada|{}|blocklisted|2024-05-06",
        "2|b@example.com|Bob|{}|enabled|",
        "3|c@example.com|Cleo|{}|disabled|",
    )
    assert system == "listmonk"
    assert entries[1] is NOT_SUPPRESSED
    assert [one.kind for one in (entries[0], entries[2])] == [K.IMPORTED, K.IMPORTED]


@pytest.mark.parametrize(
    ("header", "no", "yes"), [("Marketing Emails Opt-In", "Yes", "No"), ("Email Opt Out", "0", "1")]
)
def test_the_marketing_choice_of_clients(header: str, no: str, yes: str):
    system, [out, may, unsaid, odd] = read(
        f"ID|First Name|Email|{header}",
        f"1|Ada|a@example.com|{yes}",
        f"2|Bob|b@example.com|{no}",
        "3|Cleo|c@example.com|",
        "4|Dan|d@example.com|maybe",
    )
    assert system == "WHMCS, clients"
    assert out == SuppressionEntry("a@example.com", K.UNSUBSCRIBED, S.MARKETING)
    assert may is NOT_SUPPRESSED and unsaid is NOT_SUPPRESSED
    assert isinstance(odd, Unread) and "maybe" in odd.problem


def test_our_own_list_comes_back_as_it_was():
    system, [entry] = read(
        "Address|Kind|Scope|Reason|Source|Evidence|Since (UTC)|By",
        "ada@example.com|by hand|marketing|asked us|console|a letter|2024-05-06T07:08:09Z|Uma",
    )
    assert system == "Mass Mail"
    assert entry == SuppressionEntry(
        "ada@example.com", K.BY_HAND, S.MARKETING, "asked us", "console", "a letter", EARLIER
    )


def test_bare_addresses_take_the_kind_that_is_said_for_them():
    assert read("Column 1", "ada@example.com", "bob@example.com", otherwise=K.BY_HAND)[1] == [
        SuppressionEntry("ada@example.com", K.BY_HAND, S.EVERYTHING),
        SuppressionEntry("bob@example.com", K.BY_HAND, S.EVERYTHING),
    ]


def test_what_cannot_be_read_says_why():
    rows = ("a@example.com|bounce", "b@example.com|spam", "ada at example|bounce", "b@example.com|purple")
    _, [*_, address, kind] = read("email|type", *rows)
    assert isinstance(address, Unread) and "ada at example" in address.problem
    assert isinstance(kind, Unread) and "purple" in kind.problem


def test_a_list_without_addresses_is_none():
    assert recognise(["Name", "City"], [["Ada"], ["Bonn"]]) is None
    assert recognise(["Email"], [["Ada", "Bob"]]) is None
    assert recognise(["Email"], [[]]) is not None  # empty, but named


@pytest.mark.parametrize("text", ["", "soon", "06/05/2024", "99999999999999999999"])
def test_what_is_no_instant_is_none(text: str):
    assert instant(text) is None


def test_an_instant_that_has_not_come_yet_is_not_believed():
    _, [entry] = read("email|created", "ada@example.com|2031-01-01")
    assert isinstance(entry, SuppressionEntry) and entry.since is None
