"""The words of a mail's own links, in the client's language. They stand here and not among the pages' translations, because a mail says the
same for good: what it said is kept with its delivery."""

from functools import lru_cache

from webapp.core.rules.tags.names import LINK_WORDS

_NAMES = tuple(LINK_WORDS)
_TRANSLATED: dict[str, tuple[str, str, str]] = {
    "de": ("Abmelden", "Auswählen, was Sie erhalten", "Diese E-Mail im Browser ansehen"),
    "es": ("Darse de baja", "Elegir lo que recibe", "Ver este correo en el navegador"),
    "fr": ("Se désabonner", "Choisir ce que vous recevez", "Voir cet e-mail dans le navigateur"),
    "it": ("Annulla l’iscrizione", "Scegli che cosa ricevere", "Visualizza questa e-mail nel browser"),
    "nl": ("Afmelden", "Kiezen wat u ontvangt", "Deze e-mail in de browser bekijken"),
    "pl": ("Wypisz się", "Wybierz, co chcesz otrzymywać", "Zobacz tę wiadomość w przeglądarce"),
    "pt": ("Cancelar a subscrição", "Escolher o que recebe", "Ver este e-mail no navegador"),
}


@lru_cache(maxsize=1024)
def link_words(name: str, language: str | None) -> str:
    """The words `name` for a client with this language (BCP 47); English for what is not known here.

    >>> link_words("unsubscribe_words", "de-AT")
    'Abmelden'
    """
    found = _TRANSLATED.get((language or "").replace("_", "-").partition("-")[0].lower())
    return found[_NAMES.index(name)] if found else LINK_WORDS[name]
