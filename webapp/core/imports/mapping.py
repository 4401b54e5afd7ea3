"""Which column of a file is which field, and what its rows are: how sure a guess is, and what has to be asked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webapp.core.errors import Invalid
from webapp.core.imports.answers import KIND
from webapp.core.imports.fields import CLIENT_NUMBERS, FIELDS, NAMES_AND_ADDRESS, ROW_NUMBERS, Field, key
from webapp.core.tables.imports import ImportKind

__all__ = [
    "CERTAIN",
    "FIELDS",
    "Assignment",
    "Field",
    "Proposal",
    "assign",
    "checked",
    "missing",
    "propose",
]

CERTAIN = 0.7
"""A guess that is less sure than this is asked. Of ten columns with such a name, seven are what they are taken for."""
_OWN, _PRECISE, _CONTENT, _GENERAL, _DOUBTFUL = 1.0, 0.9, 0.8, 0.7, 0.4
_PREFIXES = ("customer", "client", "billing", "subscription", "contact", "primary")
"""Words that exports put before the names of all their columns."""
_LOOKS_LIKE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FOREIGN_TO_SERVICES = (
    "invoice",
    "ticket",
    "transaction",
    "payment",
    "quote",
    "estimate",
    "item",
    "line",
    "rechnung",
    "beleg",
)
_FOREIGN_TO_CLIENTS = (
    *(*_FOREIGN_TO_SERVICES, "order", "contact", "service", "product", "subscription", "addon", "domain", "hosting"),
    *("package", "license", "licence", "auftrag", "bestellung", "vertrag", "contract"),
)
_NUMBER_WORDS = r"(?:id|no|nr|num|number|nummer)"
_SUMS = frozenset(["total", "subtotal", "quantity", "qty", "amountpaid", "datepaid", "summe", "menge"])
"""Columns of lists of orders and invoices."""


@dataclass(frozen=True)
class Assignment:
    """The columns of a file for one kind. `open` are the fields that a person has to say, with the reason in words; they are not mapped,
    `candidates` are the columns that each of them could be."""

    mapping: dict[str, int]
    open: dict[str, str]
    candidates: dict[str, list[int]]


@dataclass(frozen=True)
class Proposal:
    """What a file is taken for. `why_kind` is None where its kind is certain, else why it is asked."""

    kind: ImportKind
    why_kind: str | None
    assignment: Assignment

    @property
    def open(self) -> tuple[str, ...]:
        """What has to be asked: KIND, or the fields."""
        return (KIND,) if self.why_kind else tuple(self.assignment.open)


def propose(header: Sequence[str], samples: Sequence[Sequence[str]] = ()) -> Proposal:
    """What the rows of a file with this header are and which of its columns is what, as far as that is certain (see CERTAIN)."""
    made = {kind: assign(kind, header, samples) for kind in ImportKind}
    sure = [kind for kind in ImportKind if _is_certain(kind, header, made[kind])]
    if len(sure) == 1:
        return Proposal(sure[0], None, made[sure[0]])
    kind = max(sure or list(ImportKind), key=lambda one: _fitness(one, made[one]))
    return Proposal(kind, _why_kind(sure, header), made[kind])


def assign(kind: ImportKind, header: Sequence[str], samples: Sequence[Sequence[str]] = ()) -> Assignment:
    """Which column is which field. A precise name beats a general one; columns that could equally well be one field are asked, unless they
    hold the same."""
    keys = [key(name) for name in header]
    mapping: dict[str, int] = {}
    open_: dict[str, str] = {}
    candidates: dict[str, list[int]] = {}
    for field in FIELDS[kind]:
        found = [
            (sureness, column)
            for column, name in enumerate(keys)
            if column not in mapping.values() and (sureness := _sureness(field, name)) > 0
        ]
        if field.name == "email":
            found = _by_content(found, samples)
        best = max((sureness for sureness, _ in found), default=0.0)
        equals = [column for sureness, column in found if sureness == best or _is_rival(field, sureness, best)]
        if not found:
            if field.required:
                open_[field.name] = "No column of the file is called so."
        elif best < CERTAIN:
            open_[field.name] = f"{_named(header, equals)} could be it, but often is something else."
            candidates[field.name] = equals
        elif len(equals) > 1 and not _hold_the_same(samples, equals):
            open_[field.name] = f"{_named(header, equals)} could each be it."
            candidates[field.name] = equals
        else:
            mapping[field.name] = min(equals, key=lambda column: -_sureness(field, keys[column]))
    _with_names(mapping, open_, candidates)
    return Assignment(mapping, open_, candidates)


def missing(kind: ImportKind, mapping: Mapping[str, int], constants: Mapping[str, str] | None = None) -> list[Field]:
    """The required fields that neither a column nor a constant stands for."""
    there = {*mapping, *(constants or {})}
    return [field for field in FIELDS[kind] if field.required and field.name not in there]


def checked(
    kind: ImportKind, mapping: Mapping[str, int], columns: int, constants: Mapping[str, str] | None = None
) -> dict[str, int]:
    """The mapping, if an import can be made with it on a file with so many columns. Raises Invalid."""
    known = {field.name: field for field in FIELDS[kind]}
    taken: dict[int, str] = {}
    for name, column in mapping.items():
        if name not in known or not 0 <= column < columns:
            raise Invalid("This mapping does not fit the file.", name)
        if column in taken:
            raise Invalid(f"{known[taken[column]].label} and {known[name].label} are mapped to the same column.", name)
        taken[column] = name
    for name, text in (constants or {}).items():
        if name not in known or known[name].per_row or name in mapping:
            raise Invalid("This field cannot be the same for all rows.", name)
        if not text.strip():
            raise Invalid(f"Say what {known[name].label} is for all rows.", name)
    lacking = missing(kind, mapping, constants)
    if lacking:
        names = ", ".join(field.label for field in lacking)
        raise Invalid(
            f"Choose the column for {names}: {'it is' if len(lacking) == 1 else 'they are'} required.", lacking[0].name
        )
    if kind is ImportKind.CLIENTS and not any(name in mapping for name in NAMES_AND_ADDRESS):
        raise Invalid(
            "Clients need a column of names or of e-mail addresses. If this file has none, its rows are probably something else: "
            "say what they are above.",
            "email",
        )
    if "full_name" in mapping and ("first_name" in mapping or "last_name" in mapping):
        raise Invalid("Choose either the full name, or the first and the last name.", "full_name")
    return {field.name: mapping[field.name] for field in FIELDS[kind] if field.name in mapping}


def _sureness(field: Field, name: str) -> float:
    """How sure a column of this name is the field, from 0 to 1."""
    if name in (key(field.label), key(field.name)):
        return _OWN
    if name in field.headers:
        return _PRECISE
    if name in field.general:
        return _GENERAL
    if name in field.doubtful:
        return _DOUBTFUL
    for prefix in _PREFIXES:
        bare = name.removeprefix(prefix)
        if bare != name and bare not in ROW_NUMBERS and _sureness(field, bare) >= CERTAIN and bare != "name":
            return _GENERAL
    return 0


def _is_rival(field: Field, sureness: float, best: float) -> bool:
    """Whether a column could be the field as well as the best one. What tells one row from another must not be guessed: there every
    name that is sure enough counts."""
    return field.name in ("number", "client_number", "service_number", "email") and CERTAIN <= sureness <= best


def _by_content(found: list[tuple[float, int]], samples: Sequence[Sequence[str]]) -> list[tuple[float, int]]:
    """Columns for the e-mail address: what holds none is not it, and a column of addresses is it whatever its name."""
    likely = [(sureness, column) for sureness, column in found if not _holds_none(samples, column)]
    if any(sureness >= CERTAIN for sureness, _ in likely):
        return likely
    held = [column for column, values in enumerate(samples) if values and all(map(_LOOKS_LIKE_ADDRESS.search, values))]
    return [(_CONTENT, column) for column in held] or likely


def _holds_none(samples: Sequence[Sequence[str]], column: int) -> bool:
    return column < len(samples) and bool(samples[column]) and not any("@" in value for value in samples[column])


def _hold_the_same(samples: Sequence[Sequence[str]], columns: Sequence[int]) -> bool:
    if not samples or max(columns) >= len(samples):
        return False
    first = list(samples[columns[0]])
    return bool(first) and all(list(samples[column]) == first for column in columns[1:])


def _with_names(mapping: dict[str, int], open_: dict[str, str], candidates: dict[str, list[int]]) -> None:
    """One way to say a name: "Name" beside a first name is the last name, and beside both it is not needed."""
    if "first_name" in mapping and "last_name" not in mapping and "full_name" in mapping:
        mapping["last_name"] = mapping.pop("full_name")
    if "first_name" in mapping or "last_name" in mapping:
        for known in (mapping, open_, candidates):
            known.pop("full_name", None)


def _is_certain(kind: ImportKind, header: Sequence[str], made: Assignment) -> bool:
    """Whether rows under this header can only be of this kind."""
    keys = [key(name) for name in header]
    there = {*made.mapping, *made.candidates}
    if kind is ImportKind.CLIENTS:
        is_own = not (any(name in CLIENT_NUMBERS for name in keys) and any(name in ROW_NUMBERS for name in keys))
        told = any(name in made.mapping or len(made.candidates.get(name, ())) > 1 for name in NAMES_AND_ADDRESS)
        return (
            is_own
            and told
            and "number" in there
            and not _is_foreign(keys, _FOREIGN_TO_CLIENTS)
            and not _SUMS & set(keys)
        )
    if kind is ImportKind.SERVICES:
        return (
            {"number", "client_number"} <= there
            and "product" in made.mapping
            and not _is_foreign(keys, _FOREIGN_TO_SERVICES)
        )
    return {"number", "service_number"} <= there and "addon" in made.mapping


def _is_foreign(keys: Sequence[str], nouns: Sequence[str]) -> bool:
    """Whether a column numbers something else than such rows are."""
    numbers = re.compile(rf"(?:{'|'.join(nouns)}){_NUMBER_WORDS}")
    return any(numbers.fullmatch(name) for name in keys)


def _fitness(kind: ImportKind, made: Assignment) -> tuple[bool, int]:
    """How well a file fits a kind: whether all required fields may be there, and how many fields are."""
    there = {*made.mapping, *made.candidates}
    whole = all(field.name in there for field in FIELDS[kind] if field.required)
    if kind is ImportKind.CLIENTS:
        whole = whole and any(name in made.mapping for name in NAMES_AND_ADDRESS)
    return whole, len(there)


def _why_kind(sure: Sequence[ImportKind], header: Sequence[str]) -> str:
    if len(sure) > 1:
        return f"Its columns fit {' and '.join(kind.value for kind in sure)}."
    keys = [key(name) for name in header]
    if any(name in CLIENT_NUMBERS for name in keys) and any(name in ROW_NUMBERS for name in keys):
        own = next(name for name, one in zip(header, keys, strict=True) if one in ROW_NUMBERS)
        other = next(name for name, one in zip(header, keys, strict=True) if one in CLIENT_NUMBERS)
        return f"It has “{own}” beside “{other}”: its rows belong to clients, but what they are its column names do not say."
    return "Its column names do not say."


def _named(header: Sequence[str], columns: Sequence[int]) -> str:
    names = [f"“{header[column] or f'Column {column + 1}'}”" for column in columns[:4]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
