"""Words that exports write where there is nothing."""

_NOTHING = frozenset(
    ["NULL", "null", "(NULL)", "(null)", "<NULL>", "<null>", "[NULL]", "[null]", "\\N", "None", "nil", "undefined"]
) | {"N/A", "n/a", "#N/A", "#NV", "NaN", "nan", "-", "--", "–", "—"}
"""As databases, spreadsheets and programs write it. "Null" and "Nan" are names; "NA" is Namibia."""


def means_nothing(text: str) -> bool:
    """Whether the text only says that there is nothing."""
    return text.strip() in _NOTHING
