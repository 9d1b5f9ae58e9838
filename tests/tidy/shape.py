"""How files and functions look: short, introduced, and in the place the tree promises."""

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from tests.tidy.imports import imports
from tests.tidy.source import Source

LINES_MAX: Final = 70
_SHORTER: Final = "branches stay in the parent, move the leaves out"
_OWN_SUITES: Final = frozenset(
    {"fault", "simulation", "security", "e2e", "bench", "replay", "tidy", "schemas", "docker"}
    | {"oracle", "mutation"}
)
_ENTRIES: Final = frozenset(
    {"gateway.__main__", "adapters.shape.publish", "gateway.verbs.render_docs"}
    # What the newest migration must have made: the tests of the schema compare the two.
    | {"gateway.store.append_only"}
)
_MIGRATIONS: Final = "gateway.store.migrations"
_PROVE: Final = frozenset({"raises", "warns", "check"})
"""Calls that fail a test by themselves: what is named `check` raises."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def short_functions(source: Source) -> Iterator[str]:
    """A function fits on one screen."""
    for node in _functions(source):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > LINES_MAX:
            yield f"{source.path}:{node.lineno}: {node.name} has {lines} lines; {_SHORTER}"


def introduced(source: Source) -> Iterator[str]:
    """Every module opens with a sentence that says what it is for."""
    bare_package = source.within("tests") and source.path.endswith("__init__.py")
    if not bare_package and not ast.get_docstring(source.tree):
        yield f"{source.path}:1: open the module with a sentence that says what it is for"


def mirrored(sources: Sequence[Source]) -> Iterator[str]:
    """tests/ is the source tree again, beside the suites that cross it."""
    folders = {_folder(each.path) for each in sources}
    known = folders | {folder.removeprefix("gateway/") for folder in folders}
    tested = {folder for folder in folders if folder.startswith("tests/")}
    for folder in sorted(tested):
        own = folder.removeprefix("tests/")
        if own.partition("/")[0] not in _OWN_SUITES and own not in known:
            yield f"{folder}: tests mirror the source tree; there is no {own} to test"


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def reasoned_skips(source: Source) -> Iterator[str]:
    """A skipped or expected-to-fail test says why, and what to install."""
    if not source.within("tests"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail"):
            if not _has_reason(source, node):
                where = f"{source.path}:{node.lineno}"
                yield f"{where}: {node.attr} needs a reason that says what is missing"


def _has_reason(source: Source, mark: ast.Attribute) -> bool:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and node.func is mark:
            given = [each.value for each in node.keywords if each.arg == "reason"]
            plain = node.args if ast.unparse(mark) == "pytest.skip" else []
            return any(ast.unparse(each) not in ("''", '""') for each in (*given, *plain))
    return False


def can_fail(sources: Sequence[Source]) -> Iterator[str]:
    """A test asserts, expects a refusal, or hands its answer to a helper that does."""
    own = [each for each in sources if each.within("tests")]
    provers = _PROVE | {name for source in own for name in _provers(source)}
    for source in own:
        for test in _tests(source):
            if not _proves(test, provers):
                where = f"{source.path}:{test.lineno}"
                yield f"{where}: {test.name} cannot fail; assert what a clerk would look at"


def _tests(source: Source) -> Iterator[Function]:
    return (node for node in _functions(source) if node.name.startswith("test_"))


def _functions(source: Source) -> Iterator[Function]:
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def _provers(source: Source) -> set[str]:
    """Helpers of the file that assert by themselves."""
    return {node.name for node in _functions(source) if _proves(node, _PROVE)}


def _proves(function: Function, provers: frozenset[str] | set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in provers:
            return True
    return False


def used_helpers(sources: Sequence[Source]) -> Iterator[str]:
    """A file of tests/ holds tests, or is a helper that some test imports or a person runs."""
    named = {each.name for source in sources for each in imports(source)}
    for source in sources:
        file = source.path.rpartition("/")[2]
        if not source.within("tests") or file in ("__init__.py", "conftest.py"):
            continue
        if file.startswith("test_"):
            if not any(_tests(source)):
                yield f"{source.path}:1: no test in it; name a helper for what it gives"
        elif not _named(source.module, named) and "__main__" not in source.text:
            yield f"{source.path}:1: no test imports this helper; delete it"


def alive(sources: Sequence[Source]) -> Iterator[str]:
    """Every module is imported by another or started by a person."""
    ours = [each for each in sources if each.within("gateway", "adapters")]
    named = {(each.name, source.module) for source in ours for each in imports(source)}
    for source in ours:
        if source.path.endswith("__init__.py") or _is_entry(source.module):
            continue
        others = {name for name, by in named if by != source.module}
        if not _named(source.module, others):
            yield f"{source.path}:1: nothing imports this module; use it or delete it"


def _is_entry(module: str) -> bool:
    return module in _ENTRIES or module.startswith(f"{_MIGRATIONS}.")


def _named(module: str, names: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in names)
