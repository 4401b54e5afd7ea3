"""How relays behave, one entry for each that was met, and what must become of a broadcast then.

Written from what people report of relays and what a mailer owes them, not from what the program does.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.faults.relays_row import (
    FAST,
    NEXT_TRY,
    ODD,
    PAUSED,
    SENDING,
    SIGNS_IN,
    SLOWLY,
    TLS,
    WAITING,
    WELL,
    Row,
    audience,
    fails,
    pausing,
    says,
    waiting,
    wrong_setting,
)
from tests.smtp_script import is_of_share


def limits(short: bool) -> list[Row]:
    """A relay's limits are not an illness."""
    minute = 10.0 if short else 60.0
    too_many, a_third = "421 4.7.0 too many connections from you", 0.333
    refused, five, three = audience(60), r"\b[3-5] connections", r"\b3 mails"
    return [
        Row("1", "421 for the 6th connection", says("banner", too_many, beyond_connections=5), teaches=five),
        Row("2 reset", "a reset for the 6th connection", fails("connect", "reset", beyond_connections=5), teaches=five),
        Row("2 closed", "the 6th connection is closed", fails("connect", "drop", beyond_connections=5), teaches=five),
        Row(
            "3", "421 at MAIL after 3 mails", says("mail", "421 4.7.0 too many messages", beyond_mails=3), teaches=three
        ),
        Row(
            "4", "452 at MAIL after 3 mails", says("mail", "452 4.4.5 too many messages", beyond_mails=3), teaches=three
        ),
        Row("5", "closes after each mail", fails("dot", "last")),
        Row("6", "421 after the 20th mail", says("mail", "421 4.3.2 not accepting messages", every=21)),
        Row("7", "454 for 30 % by chance", says("dot", "454 temporarily unavailable", probability=0.3)),
        Row(
            "38",
            "503 to what came with the dot",
            replace(SLOWLY, behind_dot=False),
            audience(200),
            strays=40,  # one mail's commands and a QUIT on each connection
            teaches="behind|pipelin",
        ),
        Row(
            "39",
            "452 at MAIL after 100 mails",
            says("mail", "452 4.5.3 too many messages sent", base=WELL, beyond_mails=100),
            audience(450),
            settings={"MAIL_CONNECTIONS": "2"},
            teaches=r"\b100 mails",
            paces=(FAST,),
        ),
        Row(
            "40",
            "450 above 30 mails a minute",
            replace(says("mail", "450 4.7.1 Error: too much mail from 127.0.0.1", beyond_rate=30), period_s=minute),
            audience(75),
            sees=("too much mail",),
            then=(SENDING,),
            patience_s=30 * minute,
        ),
        Row("41", "takes all, and queues some", WELL),
        Row(
            "15",
            "550 5.1.1 for a third",
            says("rcpt", "550 5.1.1 no such user", share=a_third),
            refused,
            failed=sum(is_of_share(address, a_third) for address in refused),
        ),
    ]


def recipients(short: bool) -> list[Row]:
    """Whose fault a refusal is, the evidence decides."""
    grey = 6.0 if short else 60.0
    spam = says("dot", "554 5.7.1 this looks like spam", base=WELL, share=0.333)
    one, five = audience(30, 1), audience(125, 5)
    rows = [
        Row(
            f"8 {code}",
            f"greylisting by {code}",
            says("rcpt", f"{code} try again later", greylists_s=grey),
            patience_s=300,
        )
        for code in (450, 451)
    ]
    rows += [
        Row(
            f"9 {code}",
            f"greylisting by {code} 4.7.1",
            says("rcpt", f"{code} 4.7.1 greylisted", greylists_s=grey),
            patience_s=300,
        )
        for code in (450, 451)
    ]
    rows += [
        Row(
            f"10 {stage}",
            f"421 at {stage} for one domain, the first",
            says(stage, "421 4.7.0 this domain is limited", domain=ODD, until_s=30),
            audience(60, 10, "first"),
            paces=(FAST,),
            meanwhile=(50, 30),
            patience_s=200,
        )
        for stage in ("rcpt", "dot")
    ]
    denied = "550 5.7.1 access denied"
    return [
        *rows,
        Row("11", "554 5.7.1 for one", says("rcpt", "554 5.7.1 access denied", domain=ODD), one, failed=1),
        Row(
            "12 last",
            "550 5.7.1 at the dot for one domain, the last",
            says("dot", denied, domain=ODD),
            audience(125, 5, "last"),
            failed=5,
        ),
        Row("12 spread", "550 5.7.1 at RCPT for one domain", says("rcpt", denied, domain=ODD), five, failed=5),
        Row(
            "13",
            "554 at the dot for the first 4",
            says("dot", "554 no such account", domain=ODD),
            audience(64, 4, "first"),
            failed=4,
        ),
        Row("14", "552 at RCPT, mailbox full", says("rcpt", "552 mailbox full", domain=ODD), five, failed=5),
        Row(
            "16",
            "550 at RCPT: the sender's hourly limit",
            says("rcpt", "550 Domain example.com has exceeded the max emails per hour (10/10)", beyond_taken=10),
            paces=(FAST,),
            sees=("exceeded the max emails per hour",),
            then=(PAUSED, SENDING),
            well=SLOWLY,
        ),
        pausing(
            "17",
            "550 sender verify failed",
            says("rcpt", "550 Sender verify failed"),
            "Sender verify failed",
            tried=20,  # ten of equal words tell, and others are under way then
        ),
        *(
            pausing(f"18 {stage} {code}", f"{code} 5.7.1 to all", says(stage, f"{code} 5.7.1 denied"), "5.7.1 denied")
            for stage, code in (("rcpt", 550), ("dot", 554), ("mail", 550))
        ),
        pausing(
            "19",
            "554 5.7.1 spam for a third",
            spam,
            r"(?i)of the last \d+",
            audience=audience(2000, domains=100),
            tried=200,
            may_fail=67,  # those whose refusals came before it was clear
            paces=(FAST,),
        ),
        Row(
            "37",
            "451 for ever for one domain",
            says("rcpt", "451 try again later", base=WELL, domain=ODD),
            audience(500, 1),
            paces=(FAST,),
            sees=(r"499\D{0,40}of 500 accepted",),
            then=(SENDING,),
            gives_up=True,
            failed=1,
        ),
    ]


def settings(short: bool) -> list[Row]:
    """What is wrong with the settings, or the relay's own account of itself."""
    open_ssl, plain = {"MAIL_USE_SSL": "1", "MAIL_CA_FILE": "{ca}"}, {"MAIL_COMMAND_TIMEOUT": "5"}
    checks = {name: value for name, value in SIGNS_IN.items() if "TLS" in name or "CA" in name}
    either = (PAUSED, SENDING)
    return [
        wrong_setting("20", "530: TLS", says("mail", "530 5.7.0 Must issue a STARTTLS command first"), "MAIL_USE_TLS"),
        wrong_setting("21 530", "530: sign in", says("mail", "530 5.7.0 Authentication required"), "demands a sign-in"),
        wrong_setting("21 503", "503: sign in", says("mail", "503 AUTH first"), "demands a sign-in"),
        Row(
            "22",
            "504 to PLAIN",
            says("auth", "504 5.5.4 unrecognised authentication type", base=TLS, mechanism="PLAIN"),
            settings=SIGNS_IN,
        ),
        Row("23", "454 twice", says("auth", "454 4.7.0 not now", base=TLS, times=2), settings=SIGNS_IN),
        *(
            wrong_setting(
                f"24 {name}", f"only {name}", replace(TLS, mechanisms=(name,)), rf"\b{name}\b", settings=SIGNS_IN
            )
            for name in ("CRAM-MD5", "XOAUTH2")
        ),
        pausing(
            "25",
            "535",
            replace(TLS, users={"console": "another"}),
            "535 5.7.8",
            well=TLS,
            settings=SIGNS_IN,
            tried=None,
        ),
        wrong_setting("30 plain", "TLS set against a plain port", WELL, "TLS", settings=open_ssl, then=either),
        wrong_setting("30 not offered", "STARTTLS not offered", WELL, "STARTTLS", settings=checks, then=either),
        wrong_setting(
            "30 reverse",
            "plain against a TLS port",
            replace(WELL, tls="implicit", certificate="good"),
            "TLS",
            settings=plain,
            then=either,
        ),
        *(
            pausing(f"31 {name}", words, replace(TLS, certificate=name), words, well=TLS, settings=SIGNS_IN, tried=None)
            for name, words in {
                "expired": "certificate has expired",
                "other": "certificate is not valid for",
                "itself": "self-signed certificate",
            }.items()
        ),
        wrong_setting(
            "35",
            "SIZE smaller than the mail",
            replace(WELL, size=1_000_000),
            r"1\.\d MB.{0,60}1\.0",
            text="Gr\u00fc\u00dfe\n" * 120_000,
            audience=audience(5),
            tried=0,
        ),
    ]


def oddities(short: bool) -> list[Row]:
    """Conversations that are unusual, and right."""
    slow = 4.0 if short else 20.0
    umlauts = "Gr\u00fc\u00dfe " * 300
    odd = {
        "502": (replace(WELL, esmtp=False), "127.0.0.1"),
        "bare LF": (replace(WELL, bare_lf=True), "127.0.0.1"),
        "banner": (replace(WELL, greeting=("one", "two", "three", "four")), "127.0.0.1"),
        "no extension": (replace(WELL, extensions=False), "127.0.0.1"),
        "::1": (WELL, "::1"),
    }
    return [
        *(
            Row(f"34 {name}", name, script, audience(20), (FAST,), host=host, text=umlauts, strays=0)
            for name, (script, host) in odd.items()
        ),
        Row(
            "36",
            f"{slow:g} s for each dot",
            fails("dot", "slow", base=WELL, seconds=slow),
            audience(20),
            paces=((1000, 1),),
            meanwhile=(20, 60 + 10 * slow),
        ),
    ]


def waits(short: bool) -> list[Row]:
    """Nobody has to sit beside it: the relay is not there, says nothing, or refuses everybody for a while."""
    greets, silent, ill = (12.0, 8, 15.0) if short else (50.0, 60, 120.0)
    stalls = fails("banner", "stall", base=WELL)
    times = {"MAIL_COMMAND_TIMEOUT": str(silent), "MAIL_CONNECT_TIMEOUT": str(silent)}
    long = 60 + 3 * ill
    return [
        Row(
            "26",
            f"greets after {greets:g} s",
            fails("banner", "slow", base=WELL, seconds=greets),
            audience(20),
            (FAST,),
            patience_s=240,
        ),
        waiting("27", "says nothing", stalls, settings=times, paces=(FAST,)),
        *(
            Row(
                f"28 for {seconds} s",
                f"not there for {seconds} s in the middle",
                replace(WELL, latency=0.05),
                audience(600),
                paces=(FAST,),
                away=(100, seconds),
                sees=(WAITING, NEXT_TRY) if seconds > 10 else (),
                then=(SENDING,),
                patience_s=seconds + 360,
            )
            for seconds in ((4, 20) if short else (4, 40, 600))
        ),
        waiting("29 nobody listens", "nobody listens", absent=True, paces=(FAST,)),
        Row(
            "29 in vain",
            "nobody listens for longer than it is waited for",
            absent=True,
            paces=(FAST,),
            waits_minutes=1,
            sees=("It was waited for",),
            well=WELL,
            patience_s=240,
        ),
        wrong_setting(
            "29 no such name",
            "the name does not resolve",
            WELL,
            WAITING,
            NEXT_TRY,
            r"relay\.invalid",
            settings={"MAIL_SERVER": "relay.invalid"},
            then=(SENDING,),
        ),
        waiting(
            "32", "452 at MAIL to all", says("mail", "452 4.3.1 disk full", until_s=ill), well=None, patience_s=long
        ),
        waiting(
            "33",
            "451 at the dot to all",
            says("dot", "451 not now", until_s=ill),
            well=None,
            patience_s=long,
            attempts=3,
        ),
    ]


FAMILIES: dict[str, Sequence[Callable[[bool], list[Row]]]] = {
    "relays": (limits, recipients, settings, oddities),
    "waiting": (waits,),
}


def rows(family: str, *, short: bool) -> list[Row]:
    """The rows of a family, in its short or its full form."""
    return [row for part in FAMILIES[family] for row in part(short)]
