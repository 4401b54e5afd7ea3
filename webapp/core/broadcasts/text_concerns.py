"""What is to be said of the message of a draft, of each of its texts in its own language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.broadcasts import languages
from webapp.core.content import own_file_gaps, preflight, problems
from webapp.core.content.fields import sources
from webapp.core.content.languages import content_of, languages_of, seen_now, since_translated
from webapp.core.content.preflight import largest
from webapp.core.content.previews import DraftPreview
from webapp.core.content.tag_catalogue.gaps import Gap, gaps
from webapp.core.errors import DomainError
from webapp.core.media import attachments, own_files
from webapp.core.rules import digests
from webapp.core.rules.consent import Purpose
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.preflight import Family, Finding, Severity, size
from webapp.core.rules.tags import TagProblem
from webapp.core.tables.broadcasts import Broadcast, Content
from webapp.core.tables.media import WithoutOwnFile


@dataclass(frozen=True, slots=True)
class SeenMails:
    """The draft as the first recipient of each of its texts gets it, by the language of the text, "" for the main one; and the console's
    address as recipients reach it."""

    previews: Mapping[str, DraftPreview]
    public_url: str


def of_texts(session: Session, broadcast: Broadcast, now: datetime, seen: SeenMails | None) -> list[Finding]:
    """All that keeps no text from being sent, text by text. Without `seen` what only the finished mails show is left out."""
    return [
        in_its_language(broadcast, replace(one, language=language))
        for language in languages_of(broadcast)
        for one in _of_text(session, broadcast, language, now, seen)
    ]


def blocking(broadcast: Broadcast) -> list[Finding]:
    """What keeps the texts from becoming mails, beside what they lack."""
    return [
        _of_problem(broadcast, one, language)
        for language in languages_of(broadcast)
        for one in problems.of_tags(broadcast, language)
        if one.blocking
    ]


def in_its_language(broadcast: Broadcast, finding: Finding) -> Finding:
    """A finding that says of which text it is, where there are several. A problem says so itself, with its place."""
    if not broadcast.other_languages or finding.rule == "problem":
        return finding
    return replace(finding, text_name=_name(broadcast, finding.language))


def _of_text(
    session: Session, broadcast: Broadcast, language: str, now: datetime, seen: SeenMails | None
) -> Iterator[Finding]:
    found = problems.of_message(broadcast, language)
    yield from (_of_problem(broadcast, one, language) for one in found if not one.blocking)
    content = content_of(broadcast, language)
    if not any(one.blocking for one in found):
        of, sender = audience.audience_of(broadcast), broadcast.from_address
        empty = gaps(session, of, content, now.date(), from_address=sender, text=language)
        yield from (_of_gap(one) for one in empty if one.blank)
    yield from _of_mail(session, broadcast, content, now, seen)
    yield from _without_file(session, broadcast, content, now)
    if language:
        yield from _of_translation(broadcast, language)


def _of_problem(broadcast: Broadcast, problem: TagProblem, language: str) -> Finding:
    where = problems.place(problem, sources(content_of(broadcast, language))[problem.field])
    text = f"{_name(broadcast, language)}, " if broadcast.other_languages else ""
    return Finding(f"{text}{where}: {problem.message}", "content", problem.field, rule="problem", language=language)


def _of_gap(gap: Gap) -> Finding:
    about = "" if gap.exact else "about "
    people = f"{gap.blank:,} {'recipient' if gap.blank == 1 else 'recipients'}"
    return Finding(
        f"{gap.name} is empty for {about}{people}, and nothing stands in for it.",
        "content",
        "tag-gaps",
        f'They find a blank. Write {{{{ {gap.name} | default: "…" }}}}, or leave them out.',
        Family.RECIPIENTS,
        rule="gap",
        about=(gap.name, gap.blank),
    )


def _of_mail(
    session: Session, broadcast: Broadcast, content: Content, now: datetime, seen: SeenMails | None
) -> list[Finding]:
    """What is said of the mail that a text becomes; of its size by the largest mail of all."""
    preview = seen.previews.get(content.language) if seen else None
    mail = preview.mail if preview else None
    enclosed = len(attachments.listing(session, content.id))
    enclosed += own_files.summed(session, content.id) is not None
    found = preflight.of_content(content, mail, attachments=enclosed)
    if seen is None or mail is None:
        return found
    try:
        most = largest.largest(session, broadcast, mail, now, seen.public_url, language=content.language)
    except DomainError as error:
        words = f"A mail of this audience cannot be made: {error}"
        return [*found, Finding(words, "content", "html", rule="size.none")]
    is_marketing = broadcast.purpose is Purpose.MARKETING
    return [*found, *size.of_mail(most.octets, most.whom, is_marketing=is_marketing)]


def _without_file(session: Session, broadcast: Broadcast, content: Content, now: datetime) -> Iterator[Finding]:
    """That some recipients have no file of their own, where each is to get one."""
    rule = own_files.summed(session, content.id)
    lacking = own_file_gaps.count(session, broadcast, content, now.date()) if rule else 0
    if rule is None or not lacking:
        return
    people = f"{lacking:,} {'recipient has' if lacking == 1 else 'recipients have'} no file of their own"
    gets = "get the mail without one" if rule.when_missing is WithoutOwnFile.SEND else "get no mail"
    yield Finding(
        f"{people}, and {'gets' + gets[3:] if lacking == 1 else gets}.",
        "content",
        "attachments",
        "The list behind the attachments says who they are.",
        Family.RECIPIENTS,
        rule="attachment.own",
        about=(lacking, rule.when_missing.value),
    )


def _of_translation(broadcast: Broadcast, language: str) -> Iterator[Finding]:
    """That the main text says something else than when this one was made from it."""
    if any(field.has_changed for field in since_translated(broadcast, language)):
        yield Finding(
            f"The text in {_name(broadcast, '')} has changed since this one was made from it.",
            "content",
            "languages",
            "Its readers get what it said before. The compose page shows the two beside each other, with what is new.",
            rule="translation.older",
            about=(digests.digest(seen_now(broadcast)),),
        )


def without_text(session: Session, broadcast: Broadcast) -> list[Finding]:
    """What becomes of clients who have no text in their language, where somebody has decided it."""
    if not broadcast.other_languages or broadcast.without_text is WithoutText.STOP:
        return []
    counted = languages.count(session, broadcast)
    if not counted.without:
        return []
    gets = "gets" if counted.without == 1 else "get"
    mail = "no mail" if broadcast.without_text is WithoutText.SKIP else f"the text in {_name(broadcast, '')}"
    words = f"{languages.gap_in_words(counted)}, and {gets} {mail}."
    return [
        Finding(
            words,
            "content",
            "languages",
            "That was decided with the texts; a text in one more language makes them fewer.",
            Family.RECIPIENTS,
            Severity.HINT,
            "languages.gap",
        )
    ]


def _name(broadcast: Broadcast, language: str) -> str:
    return audience.language_name(language or broadcast.main_language or languages.DEFAULT_MAIN)
