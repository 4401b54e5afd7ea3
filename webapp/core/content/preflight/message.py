"""What is to be said of one content, and of the mail that it becomes for its first recipient."""

from webapp.core.rules.message import Preview
from webapp.core.rules.preflight import (
    Finding,
    attachment_words,
    contrast,
    doubtful_links,
    filter_words,
    inbox,
    pictures,
    text_part,
)
from webapp.core.tables.broadcasts import Content

LOOKED_FOR = {
    "links": "links",
    "pictures": "pictures",
    "contrast": "colours",
    "words": "words that filters dislike",
    "attachment": "attachments",
    "text": "the text part",
    "size": "size",
}
"""What is looked at, by how the rules of its findings begin: where there are none, all is well with it."""


def of_content(content: Content, mail: Preview | None, *, attachments: int = 0) -> list[Finding]:
    """Everything of this kind, in the order of reading. `mail` is the content as its first recipient gets it, None where it cannot become a
    mail yet: then only what was written is judged. It has so many `attachments`."""
    found = [
        *doubtful_links.of_html(content.html),
        *pictures.of_html(content.html),
        *text_part.of_parts(content.html, content.text, content.text_for),
    ]
    if mail is None:
        return found
    return [
        *inbox.of_subject(mail.subject),
        *(inbox.of_preheader(content.preheader, inbox.beginning(mail.html, mail.text)) if mail.html else []),
        *found,
        *(contrast.of_html(mail.html) if mail.html else []),
        *filter_words.of_words(mail.subject, mail.text),
        *attachment_words.of_text(f"{mail.subject}\n{mail.text}", attachments=attachments),
    ]
