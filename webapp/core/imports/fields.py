"""The fields that a column can be mapped to, and what headers of other programs call them."""

import re
from dataclasses import dataclass

from webapp.core.rules.texts import folded
from webapp.core.tables.imports import ImportKind


@dataclass(frozen=True)
class Field:
    """A field that a column can be mapped to. `headers` are further names of it in exports, as `key` writes them; `general` names fit
    other things as well, and `doubtful` ones often are something else. `per_row` fields differ from row to row: no text can stand for them.
    """

    name: str
    label: str
    headers: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    required: bool = False
    per_row: bool = False


_ROW = ("id", "nr", "no", "number")
_CLIENT_NUMBER = (
    *("clientid", "clientno", "clientnumber", "clientnr", "userid", "customerid", "customernumber", "customerno"),
    *("kundennr", "kundennummer", "kundenid", "kdnr", "accountid"),
)
_CLIENT_DOUBTFUL = ("kunde", "recordid", "contactid", "client", "customer", "user", "account")
_SERVICE_NUMBER = (
    *("serviceid", "servicenumber", "serviceno", "hostingid", "relid", "contractid"),
    *("vertragsnr", "vertragsnummer", "servicenr", "dienstnr", "leistungsnr"),
)
_SERVICE_DOUBTFUL = ("subscriptionid", "packageid", "orderid", "service")
_STATUS = ("status", "state", "zustand")
CLIENT_NUMBERS = frozenset(_CLIENT_NUMBER)
ROW_NUMBERS = frozenset(_ROW)

FIELDS: dict[ImportKind, tuple[Field, ...]] = {
    ImportKind.CLIENTS: (
        Field("number", "Client ID", _CLIENT_NUMBER, _ROW, _CLIENT_DOUBTFUL, required=True, per_row=True),
        Field(
            "first_name",
            "First name",
            ("firstname", "givenname", "forename", "vorname", "prenom", "nombre"),
            per_row=True,
        ),
        Field(
            "last_name",
            "Last name",
            ("lastname", "surname", "familyname", "nachname", "familienname", "nom", "apellido", "apellidos"),
            per_row=True,
        ),
        Field(
            "full_name",
            "Full name",
            ("fullname", "wholename", "displayname", "clientname", "customername", "contactname", "kundenname"),
            ("name",),
            per_row=True,
        ),
        Field(
            "company",
            "Company",
            ("company", "companyname", "organisation", "organization", "firma", "firmenname", "societe"),
        ),
        Field(
            "email",
            "E-mail",
            ("email", "emailaddress", "mailadresse", "emailadresse", "eadresse"),
            ("mail",),
            ("contact", "kontakt", "login", "username"),
            per_row=True,
        ),
        Field("city", "City", ("city", "town", "ort", "stadt", "wohnort", "ville")),
        Field("country", "Country", ("country", "countrycode", "countryregion", "land", "landescode", "pays", "pais")),
        Field(
            "language", "Language", ("language", "preferredlanguage", "locale", "lang", "sprache", "langue", "idioma")
        ),
        Field("status", "Status", ("clientstatus", "kundenstatus"), _STATUS, required=True),
        Field(
            "client_since",
            "Client since",
            (
                *("clientsince", "customersince", "datecreated", "creationdate", "createdate", "created", "createdat"),
                *("createdutc", "signupdate", "kundeseit", "angelegt", "angelegtam", "erstellt", "erstelltam"),
            ),
        ),
        Field(
            "marketing_opt_in",
            "Marketing opt-in",
            (
                "marketingoptin",
                "optin",
                "emailoptin",
                "newsletter",
                "marketingemails",
                "marketingconsent",
                "werbeeinwilligung",
            ),
            ("marketing", "werbung"),
        ),
    ),
    ImportKind.SERVICES: (
        Field("number", "Service ID", _SERVICE_NUMBER, _ROW, _SERVICE_DOUBTFUL, required=True, per_row=True),
        Field("client_number", "Client ID", _CLIENT_NUMBER, (), _CLIENT_DOUBTFUL, required=True, per_row=True),
        Field(
            "group",
            "Product group",
            ("group", "productgroup", "groupname", "category", "gruppe", "produktgruppe", "kategorie"),
        ),
        Field(
            "product",
            "Product",
            (
                *("product", "productname", "productservice", "package", "packagename", "plan", "planname"),
                *("produkt", "produktname", "paket", "tarif"),
            ),
            doubtful=("title", "description", "name", "item", "servicename", "titel", "beschreibung"),
            required=True,
        ),
        Field("domain", "Domain", ("domain", "domainname", "hostname", "host")),
        Field("status", "Status", ("servicestatus", "domainstatus"), _STATUS, required=True),
        Field("price", "Price", ("price", "recurringamount", "preis", "betrag", "recurringprice"), ("amount",)),
        Field("currency", "Currency", ("currency", "currencycode", "wahrung", "waehrung")),
        Field(
            "next_due_on",
            "Next due date",
            (
                *("nextduedate", "nextdue", "duedate", "renewaldate", "expiresat"),
                *("falligam", "faelligam", "nachstefalligkeit", "fallig"),
            ),
        ),
    ),
    ImportKind.ADDONS: (
        Field(
            "number",
            "Addon ID",
            ("addonid", "addonnumber", "addonno", "addonnr", "zusatznr", "zusatzid"),
            _ROW,
            required=True,
            per_row=True,
        ),
        Field("service_number", "Service ID", _SERVICE_NUMBER, (), _SERVICE_DOUBTFUL, required=True, per_row=True),
        Field("client_number", "Client ID", _CLIENT_NUMBER, per_row=True),
        Field(
            "addon", "Addon", ("addon", "addonname", "zusatz", "zusatzname", "option", "zusatzoption"), required=True
        ),
        Field("status", "Status", ("addonstatus",), _STATUS, required=True),
    ),
}
"""The fields of each kind, in the order in which they are shown."""

NAMES_AND_ADDRESS = ("first_name", "last_name", "full_name", "company", "email")
"""A file of clients has at least one of these."""


def key(name: str) -> str:
    """A column name without case, accents, blanks and punctuation: "E-Mail" is "email", "Fällig am" is "falligam"."""
    return re.sub(r"[\W_]", "", folded(name))


def label(kind: ImportKind, name: str) -> str:
    """How people call a field."""
    return next((field.label for field in FIELDS[kind] if field.name == name), name)
