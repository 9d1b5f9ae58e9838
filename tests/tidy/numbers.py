"""No number of the law in code: what the law says is dated policy, what is left has a reason.

Rules know 0 and 1 alone (purity.no_law_in_code). Flows, words and reports may also hold numbers
of a technical kind, each as a named constant that says what it is for; sheets are drawn with
coordinates, which are points on paper and touch neither money nor days.
"""

import ast
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Source

_LAWFUL: Final = ("gateway/rules", "gateway/flows", "gateway/domain", "gateway/reports")
_REASONED: Final = ("gateway/flows", "gateway/domain", "gateway/reports")
_DRAWN: Final = tuple(
    f"gateway/reports/{name}.py"
    for name in ("paper", "tabular", "typeface", "sheet_cuts", "sheet_lines", "sheet_summary")
)
_FREE: Final = frozenset({0, 1, 2})
"""None, one (and with a minus the last), and the other one of two: they count things at hand."""

_UNITS: Final = (
    "个?(?:工作)?[日天月年]|周岁|万?元|分之|[%％]|percent|(?:working |calendar )?days?|yuan"
)
_NUMERALS: Final = "[零〇一二三四五六七八九十百千万两廿卅半壹贰叁肆伍陆柒捌玖拾佰仟]+"
_DIGITS: Final = r"[-+]?[0-9][0-9_,]*(?:[.][0-9]+)?"
_WRITTEN: Final = r"[-+]?(?:[0-9][0-9_,]*[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]+)?"
_DAY: Final = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_PLAIN: Final = re.compile(
    rf"(?:{_WRITTEN}(?:/{_WRITTEN})?|{_NUMERALS}|[百千]分之{_NUMERALS})\s*(?:{_UNITS}|成|折)?|{_DAY}"
)
_SAID: Final = re.compile(
    rf"(?<![0-9A-Za-z.{{]){_DIGITS}\s*(?:{_UNITS})|[二三四五六七八九十百千万]+(?:{_UNITS})内?"
)
_COUNTED: Final = re.compile(r"days?|hours|minutes|ratio|percent|.*_(?:fen|days|ratio|rate)")
_OF_THE_LAW: Final = re.compile(r"(?:.*_)?(?:days|weeks|months|years|rate|ratio|share)", re.I)
"""Names of terms and rates: no technical number has one."""
_WORD: Final = re.compile("[A-Za-z]+|[\u4e00-\u9fff]{2}")
_LEAST_WORDS: Final = 3
"""Of a reason: a unit or the name again is none."""
_DATED: Final = "belongs in a dated file under gateway/policy with its article"


def named_with_reason(source: Source) -> Iterator[str]:
    """A number is the value of a named constant whose reason stands beside it."""
    if not source.within(*_REASONED) or source.within(*_DRAWN):
        return
    reasoned = _reasoned(source)
    for node in _numbers(source):
        if node not in reasoned:
            told = "name it in a constant of the module and say beside it what it is for"
            yield f"{source.path}:{node.lineno}: the number {node.value}: {told}, or it {_DATED}"


def no_term_by_name(source: Source) -> Iterator[str]:
    """Terms and rates are the law's whatever reason stands beside them: by their names, and by a
    span of days or weeks."""
    if not source.within(*_LAWFUL):
        return
    numbers = set(_numbers(source))
    for node in ast.walk(source.tree):
        for number in numbers.intersection(_of_a_term(node)):
            yield f"{source.path}:{number.lineno}: the term or rate {number.value} {_DATED}"
        if isinstance(node, ast.keyword) and node.arg == "weeks":
            yield f"{source.path}:{node.value.lineno}: a term in weeks {_DATED}"


def _of_a_term(node: ast.AST) -> list[ast.AST]:
    """The parts of what is given a name of a term or rate, itself or reckoned up."""
    match node:
        case ast.Assign(targets=targets, value=value):
            named = any(_OF_THE_LAW.fullmatch(ast.unparse(one)) for one in targets)
        case ast.AnnAssign(target=target, value=value):
            named = bool(_OF_THE_LAW.fullmatch(ast.unparse(target)))
        case ast.keyword(arg=str(name), value=value):
            named = bool(_OF_THE_LAW.fullmatch(name))
        case _:
            return []
    reckoned = isinstance(value, ast.Constant | ast.UnaryOp | ast.BinOp)
    return list(ast.walk(value)) if named and reckoned else []


def only_on_paper(source: Source) -> Iterator[str]:
    """The numbers of a drawing are points: nothing is compared with them, no money or day meets
    them."""
    if not source.within(*_DRAWN):
        return
    numbers = set(_numbers(source))
    for node in ast.walk(source.tree):
        if not _decides(node):
            continue
        for number in numbers.intersection(ast.walk(node)):
            told = "a drawing decides nothing by a number"
            yield f"{source.path}:{number.lineno}: {told}; {number.value} {_DATED}"


def no_numeric_text(source: Source) -> Iterator[str]:
    """A number in quotes, in digits or in Chinese, is still a number."""
    if not source.within(*_LAWFUL):
        return
    reasoned = _reasoned(source) if source.within(*_REASONED) else frozenset()
    for node in _texts(source):
        if node in reasoned:
            continue
        if node.value not in ("0", "1", "一", "二") and _PLAIN.fullmatch(_plain(node.value)):
            yield f"{source.path}:{node.lineno}: the number {node.value!r} {_DATED}"


def _plain(text: str) -> str:
    """Full-width and enclosed digits as the digits that they are."""
    return unicodedata.normalize("NFKC", text)


def no_law_in_words(source: Source) -> Iterator[str]:
    """A sentence of ours names no term, amount or rate of the law: it prints the policy value."""
    if not source.within(*_LAWFUL):
        return
    for node in _texts(source):
        said = _SAID.search(node.value)
        if said is not None and node not in _patterns(source):
            yield f"{source.path}:{node.lineno}: {said.group()!r} {_DATED}; print the value"


def _numbers(source: Source) -> list[ast.Constant]:
    """The literal numbers that need a reason; characters of an identifier are counted freely."""
    places = {
        part
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Slice)
        for part in ast.walk(node)
    }
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and node.value not in _FREE
        and node not in places
    ]


def _texts(source: Source) -> list[ast.Constant]:
    """Literal texts that are no documentation; the rules number their own version as they like."""
    documents: set[ast.AST] = {
        node.value for node in ast.walk(source.tree) if isinstance(node, ast.Expr)
    }
    documents |= {
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RULES_VERSION"
    }
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documents
    ]


def _patterns(source: Source) -> set[ast.AST]:
    """Texts inside re.compile(…): they read the words of a list, they state nothing."""
    return {
        part
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
        for part in ast.walk(node)
    }


def _reasoned(source: Source) -> set[ast.AST]:
    """Everything inside a constant of the module that has its reason above, beside or below."""
    found: set[ast.AST] = set()
    body, lines = source.tree.body, source.text.splitlines()
    block_ends = -1
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        headed = node.lineno == block_ends + 1 or _headed(lines, node)
        if headed:
            block_ends = node.end_lineno or node.lineno
        if _constant(targets) and (headed or _beside(lines, node) or _documents(after)):
            found |= set(ast.walk(node.value))
    return found


def _constant(targets: list[ast.expr]) -> bool:
    names = {each.id for target in targets for each in ast.walk(target) if _is_name(each)}
    return bool(names) and all(name == name.upper() for name in names)


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _headed(lines: list[str], node: ast.stmt) -> bool:
    """Whether a reason stands right above it; it heads the whole block that follows."""
    first = node.lineno - 2
    while first > 0 and lines[first].startswith("# ") and lines[first - 1].startswith("# "):
        first -= 1
    above = lines[max(first, 0) : node.lineno - 1]
    return all(line.startswith("# ") for line in above) and _says(" ".join(above))


def _beside(lines: list[str], node: ast.stmt) -> bool:
    return _says(lines[node.lineno - 1].partition("  # ")[2])


def _documents(node: ast.stmt | None) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and _says(value.value)


def _says(reason: str) -> bool:
    """Whether it is more than a unit."""
    return len(_WORD.findall(reason)) >= _LEAST_WORDS


def _decides(node: ast.AST) -> bool:
    """A comparison, a span of time, a number for an answer, or arithmetic with money, days or a
    rate."""
    if isinstance(node, ast.Compare):
        return True
    if isinstance(node, ast.Return):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] == "timedelta"
    if isinstance(node, ast.BinOp | ast.AugAssign):
        words = {ast.unparse(each).rpartition(".")[2] for each in ast.walk(node) if _named(each)}
        return any(_COUNTED.fullmatch(word) for word in words)
    return False


def _named(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)
