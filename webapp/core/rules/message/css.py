"""Style sheets and style attributes without what fetches other style sheets, runs anything, or could end the element they stand in.

Read by tinycss2 as CSS Syntax Level 3 has it, and written anew, so that no escape (`@\\69mport`) hides what a word is.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from unicodedata import normalize

import tinycss2
from tinycss2 import ast

from webapp.core.errors import Invalid
from webapp.core.rules.message import links

LONGEST_STYLES = 300_000
"""Characters of all style sheets of a source together. Those of real designs have some 30,000."""

_AT_RULES_THAT_GO = frozenset({"import", "charset", "namespace", "document", "-moz-document"})
_RUNNING_FUNCTIONS = frozenset({"expression", "javascript", "vbscript"})
_WITH_PICTURES = frozenset({"image-set", "-webkit-image-set", "image", "src", "cross-fade", "-webkit-cross-fade"})
"""Functions in which a string is an address."""
_RUNNING_PROPERTIES = frozenset({"behavior", "-ms-behavior", "-moz-binding"})
_BEFORE_A_PROPERTY = frozenset("*!$&_/@?;")
"""Besides the beginning of a block: what some old programs read over before the name of a property."""
_HARMLESS = re.compile(r"[\w\s:;,.#%!'+*=\"()/-]*", re.ASCII)
_NEEDS_A_LOOK = re.compile(r"behavio|binding|expression|script|url|/\*", re.IGNORECASE)

Tokens = list[ast.Node]
Complain = Callable[[str, bool], None]
"""Is told in a sentence what is wrong, and whether it goes."""


def _silent(sentence: str, goes: bool) -> None:
    """For whoever does not want to know what was taken away."""


def refuse_too_much(sheets: Iterable[str]) -> None:
    """Refuse style sheets that would take seconds to read. Raises Invalid."""
    size = sum(map(len, sheets))
    if size > LONGEST_STYLES:
        raise Invalid(
            f"The style sheets of this HTML have {size:,} characters. The most that can be read is {LONGEST_STYLES:,}.",
            "html",
        )


def rules(sheet: str, complain: Complain = _silent) -> list[ast.Node]:
    """The rules of a style sheet, cleaned, without comments. One that is broken costs itself alone. `complain` is told in a sentence of
    each thing that goes."""
    found = []
    for node in tinycss2.parse_stylesheet(sheet, skip_whitespace=True):
        if isinstance(node, ast.Comment):
            continue
        if isinstance(node, ast.ParseError):
            complain("A part of a style sheet cannot be read. It is left out.", True)
        elif isinstance(node, ast.AtRule) and node.lower_at_keyword in _AT_RULES_THAT_GO:
            if node.lower_at_keyword == "import":
                complain(
                    "A style sheet fetches another one (@import), which mail programs do not. It is left out.", True
                )
        else:
            node.prelude = _cleaned(node.prelude, complain)
            if node.content is not None:
                node.content = _cleaned(node.content, complain)
            found.append(node)
    return found


@lru_cache(maxsize=4096)
def declarations(text: str) -> str:
    """The value of a style attribute."""
    if _HARMLESS.fullmatch(text) and not _NEEDS_A_LOOK.search(text):
        return text
    return written(_cleaned(tinycss2.parse_component_value_list(text), _silent)).strip()


def complaints(text: str) -> list[str]:
    """What is wrong with the addresses of a style attribute and what goes of it, in sentences."""
    found: list[str] = []
    if "(" in text or "\\" in text:
        _cleaned(tinycss2.parse_component_value_list(text), lambda sentence, goes: found.append(sentence))
    return found


def complaints_of_sheet(sheet: str) -> list[str]:
    """The same of a style sheet."""
    found: list[str] = []
    rules(sheet, lambda sentence, goes: found.append(sentence))
    return found


def is_harmless(text: str) -> bool:
    """Whether nothing of a style attribute, or of a whole style sheet, would go for the harm that it does."""
    gone: list[bool] = []
    if not (_HARMLESS.fullmatch(text) and not _NEEDS_A_LOOK.search(text)):
        _cleaned(tinycss2.parse_component_value_list(text), lambda sentence, goes: gone.append(goes))
    return not any(gone)


def written(tokens: Iterable[ast.Node]) -> str:
    """CSS as it may stand in a style element and, where it has been `_cleaned`, in an attribute's value: nothing in it ends or begins
    markup."""
    text = tinycss2.serialize(tokens)
    return _MARKUP.sub(r"\\3c ", text).replace("-->", "--\\3e ") if "<" in text or "-->" in text else text


_MARKUP = re.compile(r"<(?=[!/?A-Za-z])")


def names(declaration_list: str) -> set[str]:
    """The properties that a style attribute sets."""
    return {part.partition(":")[0].strip().lower() for part in declaration_list.split(";")}


def _cleaned(tokens: Tokens, complain: Complain) -> Tokens:
    """The tokens without harm and comments, strings in single quotes, since an attribute's value stands in double ones."""
    found = []
    for token in _without_running(tokens, complain):
        match token:
            case ast.StringToken():
                token.representation = _quoted(token.value)
            case ast.URLToken():
                token = _address(token, token.value, complain)
            case ast.FunctionBlock():
                token = _function(token, complain)
            case ast.ParenthesesBlock() | ast.SquareBracketsBlock() | ast.CurlyBracketsBlock():
                token.content = _cleaned(token.content, complain)
            case ast.Comment():
                # Old programs read on as if it were not there: exp/**/ression. A blank is a blank to all.
                token = ast.WhitespaceToken(token.source_line, token.source_column, " ")
            case ast.ParseError():
                continue
            case ast.LiteralToken(value="<!--" | "-->"):
                continue
        found.append(token)
    return found


def _without_running(tokens: Tokens, complain: Complain) -> Iterator[ast.Node]:
    """The tokens without declarations of properties that run something, and without at-rules that fetch."""
    skipping = False
    before: ast.Node | None = None
    for place, token in enumerate(tokens):
        if (
            isinstance(token, ast.IdentToken)
            and _is_property(tokens, place, before)
            and _plain(token.value) in _RUNNING_PROPERTIES
        ):
            complain(
                f"{_plain(token.value)} in a style runs something, which no mail program allows. It is left out.", True
            )
            skipping = True
        elif isinstance(token, ast.AtKeywordToken) and token.lower_value in _AT_RULES_THAT_GO:
            complain(f"@{token.lower_value} in a style cannot be carried by a mail. It is left out.", True)
            skipping = True
        if not skipping:
            yield token
        elif token == ";" or isinstance(token, ast.CurlyBracketsBlock):
            skipping = False
        if not isinstance(token, (ast.WhitespaceToken, ast.Comment)):
            before = token


def _is_property(tokens: Tokens, place: int, before: ast.Node | None) -> bool:
    begins = before is None or isinstance(before, ast.CurlyBracketsBlock)
    begins = begins or (isinstance(before, ast.LiteralToken) and before.value in _BEFORE_A_PROPERTY)
    after = (
        token for token in tokens[place + 1 : place + 6] if not isinstance(token, (ast.WhitespaceToken, ast.Comment))
    )
    return begins and next((token == ":" for token in after), False)


def _plain(name: str) -> str:
    """The name as old programs read it, to which wide letters were letters."""
    return normalize("NFKC", name).lower()


def _function(token: ast.FunctionBlock, complain: Complain) -> ast.Node:
    name = _plain(token.name)
    if name in _RUNNING_FUNCTIONS:
        complain(f"{name}() in a style runs something, which no mail program allows. It is left out.", True)
        return _NONE
    if name == "url":
        said = "".join(argument.value for argument in token.arguments if isinstance(argument, ast.StringToken))
        return _address(token, said, complain)
    if name in _WITH_PICTURES:
        for argument in token.arguments:
            if isinstance(argument, ast.StringToken) and _address(argument, argument.value, complain) is _NONE:
                return _NONE
    token.arguments = _cleaned(token.arguments, complain)
    return token


def _address(token: ast.Node, address: str, complain: Complain) -> ast.Node:
    """`url(…)` with its address judged as a picture's; `none` in place of one that goes."""
    if not address.strip() or address.startswith("#"):
        return token if address.startswith("#") and isinstance(token, ast.FunctionBlock) else _NONE
    judged = links.picture(address)
    if judged.complaint:
        complain(judged.complaint, judged.value is None)
    if judged.value is None:
        return _NONE
    return ast.FunctionBlock(
        token.source_line,
        token.source_column,
        "url",
        [ast.StringToken(token.source_line, token.source_column, judged.value, _quoted(judged.value))],
    )


def _quoted(value: str) -> str:
    return "'" + re.sub(r"['\\\n\r\f<]", lambda match: f"\\{ord(match[0]):x} ", value) + "'"


_NONE = ast.IdentToken(0, 0, "none")
