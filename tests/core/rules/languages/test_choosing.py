"""Which text a client gets."""

import random

import pytest

from webapp.core.rules.languages.choosing import MAIN, Texts, WithoutText, cases_of, nearest
from webapp.core.rules.normalise.languages import language

TAGS = (
    "de",
    "de-AT",
    "de-CH",
    "en",
    "en-GB",
    "en-AU",
    "pt",
    "pt-BR",
    "pt-PT",
    "pt-AO",
    "es",
    "es-MX",
    "es-419",
    "zh",
    "zh-TW",
    "zh-HK",
    "sr",
)


@pytest.mark.parametrize(
    ("client", "texts", "expected"),
    [
        ("de", ("de", "de-AT"), "de"),
        ("pt-BR", ("pt", "pt-PT"), "pt"),
        ("pt-BR", ("pt-PT", "fr"), "pt-PT"),
        ("pt-AO", ("pt-BR", "pt-PT"), "pt-PT"),
        ("es-MX", ("es", "es-419"), "es-419"),
        ("en-AU", ("en-US", "en-GB"), "en-GB"),
        ("en-AU", ("en", "en-GB"), "en"),
        ("de-AT", ("de-CH", "en"), "de-CH"),
        ("zh-HK", ("zh", "en"), None),
        ("zh-MO", ("zh-TW", "zh-HK"), "zh-HK"),
        ("sr-Latn", ("sr",), None),
        ("nl", ("de", "en"), None),
    ],
)
def test_the_nearest_text_is_exact_then_a_parent_then_a_relative(
    client: str, texts: tuple[str, ...], expected: str | None
):
    assert nearest(client, texts, "en") == expected


def test_the_main_text_is_one_of_the_texts_once_its_language_is_said():
    assert Texts("en", ("de",)).own_of("en-GB") == MAIN
    assert Texts("", ("de",)).own_of("en-GB") is None
    assert Texts("pt", ("pt-BR",)).own_of("pt-BR") == "pt-BR"
    assert Texts("pt", ("pt-BR",)).own_of("pt-MZ") == MAIN


@pytest.mark.parametrize("unknown", ["", None, "xx"])
def test_who_has_no_text_gets_what_the_broadcast_says(unknown: str | None):
    assert Texts("en", ("de",), WithoutText.MAIN).of(unknown) == MAIN
    assert Texts("en", ("de",), WithoutText.SKIP).of(unknown) is None
    assert Texts("en", ("de",), WithoutText.STOP).of(unknown) is None


def test_the_table_says_for_every_tag_what_the_rule_says():
    chance = random.Random(14)
    for _ in range(60):
        main = chance.choice(("", *TAGS))
        others = tuple(sorted(set(chance.sample(TAGS, chance.randint(1, 6))) - {main}))
        texts = (*others, *([main] if main else []))
        for client in (*TAGS, "fr", "zh-MO", "en-NZ", "de-LI", "pt-XX", "sr-Latn"):
            best = nearest(client, texts, main)
            assert cases_of(main, others).of(client) == (MAIN if best is not None and best == main else best), (
                client,
                texts,
            )


def test_what_an_import_makes_of_a_language_finds_its_text():
    found = {
        written: Texts("en", ("de", "pt-BR")).own_of(language(written).value)
        for written in ("german", "de_AT", "portuguese-br", "English")
    }
    assert found == {"german": "de", "de_AT": "de", "portuguese-br": "pt-BR", "English": MAIN}
