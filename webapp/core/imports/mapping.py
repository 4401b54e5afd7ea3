"""Which column of a file is which field: what the fields are, and what headers of other programs call them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webapp.core.errors import Invalid
from webapp.core.rules.texts import folded
from webapp.core.tables.imports import ImportKind


@dataclass(frozen=True)
class Field:
    """A field that a column can be mapped to. `headers` are further names of it in exports, as `_key` writes them."""

    name: str
    label: str
    headers: tuple[str, ...] = ()
    required: bool = False


_CLIENT_NUMBER = (
    *("clientid", "clientno", "clientnumber", "clientnr", "userid", "customerid", "customernumber", "customerno"),
    *("kundennr", "kundennummer", "kundenid", "kdnr", "kunde", "accountid"),
)
_SERVICE_NUMBER = (
    *("serviceid", "servicenumber", "serviceno", "hostingid", "packageid", "relid", "contractid", "subscriptionid"),
    *("vertragsnr", "vertragsnummer", "servicenr", "dienstnr", "leistungsnr"),
)
_STATUS = ("status", "state", "zustand")

FIELDS: dict[ImportKind, tuple[Field, ...]] = {
    ImportKind.CLIENTS: (
        Field("number", "Client ID", ("id", "nr", "no", "number", *_CLIENT_NUMBER), required=True),
        Field("first_name", "First name", ("firstname", "givenname", "forename", "vorname", "prenom", "nombre")),
        Field(
            "last_name", "Last name", ("lastname", "surname", "familyname", "name", "nachname", "familienname", "nom")
        ),
        Field(
            "company",
            "Company",
            ("company", "companyname", "organisation", "organization", "firma", "firmenname", "societe"),
        ),
        Field("email", "E-mail", ("email", "emailaddress", "mail", "mailadresse", "emailadresse", "eadresse")),
        Field("city", "City", ("city", "town", "ort", "stadt", "wohnort", "ville")),
        Field("country", "Country", ("country", "countrycode", "land", "landescode", "pays", "pais")),
        Field("language", "Language", ("language", "locale", "lang", "sprache", "langue", "idioma")),
        Field("status", "Status", ("clientstatus", "kundenstatus", *_STATUS), required=True),
        Field(
            "client_since",
            "Client since",
            (
                *("clientsince", "customersince", "datecreated", "creationdate", "created", "createdat", "signupdate"),
                *("kundeseit", "angelegt", "angelegtam", "erstellt", "erstelltam"),
            ),
        ),
        Field(
            "marketing_opt_in",
            "Marketing opt-in",
            (
                "marketingoptin",
                "marketing",
                "optin",
                "emailoptin",
                "newsletter",
                "werbung",
                "marketingemails",
                "werbeeinwilligung",
            ),
        ),
    ),
    ImportKind.SERVICES: (
        Field("number", "Service ID", ("id", "nr", "no", "number", *_SERVICE_NUMBER), required=True),
        Field("client_number", "Client ID", _CLIENT_NUMBER, required=True),
        Field(
            "group",
            "Product group",
            ("group", "productgroup", "groupname", "category", "gruppe", "produktgruppe", "kategorie"),
        ),
        Field(
            "product",
            "Product",
            (
                "product",
                "productname",
                "productservice",
                "package",
                "packagename",
                "plan",
                "produkt",
                "produktname",
                "paket",
                "tarif",
            ),
            required=True,
        ),
        Field("domain", "Domain", ("domain", "domainname", "hostname", "host")),
        Field("status", "Status", ("servicestatus", "domainstatus", *_STATUS), required=True),
        Field("price", "Price", ("price", "recurringamount", "amount", "preis", "betrag", "recurringprice")),
        Field("currency", "Currency", ("currency", "currencycode", "wahrung", "waehrung")),
        Field(
            "next_due_on",
            "Next due date",
            (
                "nextduedate",
                "nextdue",
                "duedate",
                "renewaldate",
                "falligam",
                "faelligam",
                "nachstefalligkeit",
                "fallig",
            ),
        ),
    ),
    ImportKind.ADDONS: (
        Field(
            "number",
            "Addon ID",
            ("id", "nr", "no", "number", "addonid", "addonnumber", "addonno", "addonnr", "zusatznr", "zusatzid"),
            required=True,
        ),
        Field("service_number", "Service ID", _SERVICE_NUMBER, required=True),
        Field("client_number", "Client ID", _CLIENT_NUMBER),
        Field(
            "addon", "Addon", ("addon", "addonname", "zusatz", "zusatzname", "option", "zusatzoption"), required=True
        ),
        Field("status", "Status", ("addonstatus", *_STATUS), required=True),
    ),
}
"""The fields of each kind, in the order in which they are shown."""

_LOOKS_LIKE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def guess_kind(header: Sequence[str]) -> ImportKind:
    """What the rows of a file with this header are: the kind whose required fields it has, and the most of its fields."""

    def fitness(kind: ImportKind) -> tuple[bool, int]:
        mapping = guess(kind, header)
        return (not missing(kind, mapping), len(mapping))

    return max(ImportKind, key=fitness)


def guess(kind: ImportKind, header: Sequence[str], samples: Sequence[Sequence[str]] = ()) -> dict[str, int]:
    """The mapping {field: index of its column} that the column names suggest; a column of addresses is an e-mail whatever its name.

    A precise name beats a general one ("Client ID" beats "ID"): the names of a field are tried with the general ones last.
    """
    keys = [_key(name) for name in header]
    mapping: dict[str, int] = {}
    for field in FIELDS[kind]:
        own = (_key(field.label), _key(field.name), *(name for name in field.headers if name not in _GENERAL))
        for name in (*own, *(name for name in field.headers if name in _GENERAL)):
            if name in keys and keys.index(name) not in mapping.values():
                mapping[field.name] = keys.index(name)
                break
    if kind is ImportKind.CLIENTS and "email" not in mapping:
        for column, values in enumerate(samples):
            if column not in mapping.values() and values and all(_LOOKS_LIKE_ADDRESS.search(value) for value in values):
                mapping["email"] = column
                break
    return mapping


def missing(kind: ImportKind, mapping: Mapping[str, int]) -> list[Field]:
    """The required fields that no column is mapped to."""
    return [field for field in FIELDS[kind] if field.required and field.name not in mapping]


def checked(kind: ImportKind, mapping: Mapping[str, int], columns: int) -> dict[str, int]:
    """The mapping, if an import can be made with it on a file with so many columns. Raises Invalid."""
    known = {field.name: field for field in FIELDS[kind]}
    taken: dict[int, str] = {}
    for name, column in mapping.items():
        if name not in known or not 0 <= column < columns:
            raise Invalid("This mapping does not fit the file.", name)
        if column in taken:
            raise Invalid(f"{known[taken[column]].label} and {known[name].label} are mapped to the same column.", name)
        taken[column] = name
    lacking = missing(kind, mapping)
    if lacking:
        names = ", ".join(field.label for field in lacking)
        raise Invalid(
            f"Choose the column for {names}: {'it is' if len(lacking) == 1 else 'they are'} required.", lacking[0].name
        )
    return {field.name: mapping[field.name] for field in FIELDS[kind] if field.name in mapping}


_GENERAL = frozenset(
    {"id", "nr", "no", "number", "name", "status", "state", "zustand", "kunde", "marketing", "amount", "mail"}
)


def _key(name: str) -> str:
    """A column name without case, accents, blanks and punctuation: "E-Mail" is "email", "Fällig am" is "falligam"."""
    return re.sub(r"[\W_]", "", folded(name))
