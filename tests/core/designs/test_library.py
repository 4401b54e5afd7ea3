"""The library of templates: versions, names, what is found."""

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW
from webapp.core.designs import library
from webapp.core.designs.library import DesignText
from webapp.core.errors import Invalid, NotFound
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.branding import DesignKind

BY = "uma@example.org"
ALONG = 11


def made(session: Session, name: str = "Mine", html: str = "<p>One</p>") -> library.Shelved:
    return library.make(session, name, DesignKind.MESSAGE, DesignText("Subject", "Before", html), BY, NOW)


def test_each_change_is_a_version_with_who_and_why(session: Session):
    design = made(session).design
    second = library.change(session, design.id, 1, DesignText("Subject", "", "<p>Two</p>"), "  Friendlier ", BY, NOW)
    assert (second.number, second.note, second.made_by) == (2, "Friendlier", BY)
    again = library.change(session, design.id, 1, DesignText("Subject", "", "<p>Two</p>"), "", BY, NOW)
    assert again.id == second.id, "saying the same is no version"
    with pytest.raises(Invalid, match="version 2 meanwhile"):
        library.change(session, design.id, 1, DesignText("Subject", "", "<p>Three</p>"), "", "vic@example.org", NOW)
    first = library.versions(session, design.id)[-1]
    back = library.go_back(session, design.id, first.id, BY, NOW)
    assert back.number == 3 and DesignText.of(back) == DesignText.of(first) and "version 1" in back.note
    other = made(session, "Other")
    with pytest.raises(NotFound):
        library.go_back(session, design.id, other.version.id, BY, NOW)


def test_a_name_is_given_once(session: Session):
    design = made(session).design
    for name in ("mine", " Mine ", "", "x" * 121, "NEWSLETTER"):
        with pytest.raises(Invalid):
            made(session, name)
    assert library.rename(session, design.id, " Our  own ").name == "Our own"
    assert library.rename(session, design.id, "Our own").name == "Our own"
    copies = [library.duplicate(session, design.id, BY, NOW).design.name for _ in range(2)]
    assert copies == ["Our own (copy)", "Our own (copy 2)"]


def test_what_says_nothing_is_no_template(session: Session):
    with pytest.raises(Invalid):
        made(session, html=" ")


def test_it_is_found_by_what_it_is_called_and_about(session: Session):
    assert len(library.listing(session)) == ALONG
    design = made(session, "100% Hosting").design
    assert [one.design.id for one in library.listing(session, "100% host")] == [design.id]
    assert [one.design.comes_as for one in library.listing(session, "Works again what")] == ["all-clear"]
    library.put_away(session, design.id, NOW)
    assert library.listing(session, "100%") == []
    assert [one.design.id for one in library.listing(session, "", archived=True)] == [design.id]
    library.bring_back(session, design.id)
    assert library.listing(session)[0].design.id == design.id, "what is ours stands first"


def test_it_says_for_which_mails_it_is(session: Session):
    assert DesignText("Hello {{ first_name }}").message_type is MessageType.GENERAL
    assert DesignText(html="<p>{{ service_domain | default: 'x' }}</p>").message_type is MessageType.SERVICES
    assert DesignText("{{ addon_name }}", html="{{ service_domain }}").message_type is MessageType.ADDONS
    assert DesignText("{{ nobody_knows }}").message_type is MessageType.GENERAL
