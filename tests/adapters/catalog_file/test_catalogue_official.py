"""The official drug list of 2024, read whole, gives the counts its preface states."""

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from adapters.catalog_file.read import Import, read_catalogue
from adapters.catalog_file.write import edition_bytes, edition_from_bytes
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit
from tests.adapters.catalog_file.contents import said_by

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def official() -> Import:
    shared = Path(os.environ.get("GATEWAY_SHARED") or REPOSITORY.parent / "shared")
    folder = shared / "data" / "nrdl-2024"
    if not folder.is_dir():
        pytest.skip("the official list data/nrdl-2024 is not beside this repository")
    return read_catalogue(folder, date(2024, 1, 1), date(2025, 12, 31), "999900")


@pytest.fixture(scope="module")
def rows(official: Import) -> list[CatalogueRow]:
    (edition,) = official.editions
    return list(edition.rows.values())


def test_sections_count_as_the_preface_of_the_list_says(official: Import) -> None:
    found = [
        (count.section, count.rows, count.entries, count.class_a, count.marked)
        for count in official.counts
    ]
    assert found == [
        ("西药", 1957, 1398, 393, 0),
        ("中成药", 1444, 1336, 246, 0),
        # Western and Chinese negotiated drugs are numbered from 1 each.
        ("谈判", 425, 346, 0, 0),
        ("饮片", 892, 892, 0, 116),
    ]


def test_every_row_of_the_list_is_in_the_one_edition(rows: list[CatalogueRow]) -> None:
    assert len(rows) == 1957 + 1444 + 425 + 892


def test_two_marked_pieces_carry_a_further_remark(rows: list[CatalogueRow]) -> None:
    remarked = [row for row in rows if row.not_alone and row.remark]
    assert sorted(row.name for row in remarked) == ["红参", "红参片"]
    assert {row.remark for row in remarked} == {"限临床危重患者抢救"}


def test_limits_to_one_insurance_are_those_of_the_law_check(rows: list[CatalogueRow]) -> None:
    assert Counter(row.insurance_limit for row in rows) == {
        InsuranceLimit.NONE: len(rows) - 12,
        InsuranceLimit.WORK_INJURY: 8,
        InsuranceLimit.MATERNITY: 3,
        InsuranceLimit.CONDITIONAL: 1,
    }


def test_payment_standards_are_single_amounts_or_only_printed(rows: list[CatalogueRow]) -> None:
    negotiated = [row for row in rows if row.section == "谈判"]
    assert sum(row.pay_standard is not None for row in negotiated) == 122
    assert sum(row.pay_standard_text == "*" for row in negotiated) == 252
    assert all(row.pay_standard_text and row.agreement_to for row in negotiated)


def test_agreements_end_in_2025_or_2026(rows: list[CatalogueRow]) -> None:
    ends = Counter((row.agreement_from, row.agreement_to) for row in rows if row.agreement_to)
    assert ends == {
        (date(2024, 1, 1), date(2025, 12, 31)): 196,
        (date(2025, 1, 1), date(2026, 12, 31)): 213,
        (date(2025, 1, 1), date(2025, 12, 31)): 16,
    }


def test_the_whole_list_comes_back_from_its_bytes(official: Import) -> None:
    (edition,) = official.editions
    assert said_by(edition_from_bytes(edition_bytes(edition))) == said_by(edition)
