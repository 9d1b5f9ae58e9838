"""The house rules hold for every file; each message says what to write instead.

The checks are in tests/tidy; tests/test_tidy_faults.py plants each fault and sees it found.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.secret_scan import secrets
from tests.tidy import layers, numbers, purity, shape, standing, words
from tests.tidy.source import FOLDERS, Source, project, python_files

OF_PYTHON = (
    layers.arrows,
    purity.machine_free,
    purity.one_clock,
    purity.silent,
    purity.no_float,
    purity.no_true_division,
    purity.no_law_in_code,
    numbers.named_with_reason,
    numbers.no_term_by_name,
    numbers.only_on_paper,
    numbers.no_numeric_text,
    numbers.no_law_in_words,
    standing.one_reader,
    shape.short_functions,
    shape.introduced,
    shape.reasoned_skips,
)
OF_THE_TREE = (layers.cycles, shape.mirrored, shape.can_fail, shape.used_helpers, shape.alive)


@pytest.mark.parametrize("check", OF_PYTHON, ids=lambda check: check.__name__)
def test_every_python_file_keeps_the_rule(check: Callable[[Source], Iterator[str]]) -> None:
    faults = [fault for source in python_files() for fault in check(source)]
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("check", OF_THE_TREE, ids=lambda check: check.__name__)
def test_the_tree_keeps_the_rule(check: Callable[[tuple[Source, ...]], Iterator[str]]) -> None:
    faults = list(check(python_files()))
    assert not faults, "\n" + "\n".join(faults)


def test_no_file_names_a_machine_a_registry_or_a_tool_or_holds_a_private_key() -> None:
    faults = [fault for source in project() for fault in words.clean_words(source)]
    assert not faults, "\n" + "\n".join(faults)


def test_no_file_holds_a_secret() -> None:
    faults = [fault for source in project() for fault in secrets(source)]
    assert not faults, "\n" + "\n".join(faults)


def test_the_checks_see_the_whole_project() -> None:
    seen = {source.path.partition("/")[0] for source in project() if "/" in source.path}
    assert seen == set(FOLDERS)
    assert {"gateway/rules/line.py", "README.md", ".ci/run"} <= {each.path for each in project()}


def test_every_layer_of_the_table_exists() -> None:
    modules = {source.module for source in python_files()}
    assert [name for name in layers.LAYERS if not layers.present(name, modules)] == []
