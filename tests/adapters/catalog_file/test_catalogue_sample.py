"""The sample catalogue that ships with the project."""

from collections import Counter
from datetime import date

import pytest

from adapters.catalog_file import sample_path
from adapters.catalog_file.read import Import, read_catalogue
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit, Kind, Level


@pytest.fixture(scope="module")
def sample() -> Import:
    return read_catalogue(sample_path(), date(2025, 1, 1), None, "999900")


@pytest.fixture(scope="module")
def rows(sample: Import) -> list[CatalogueRow]:
    return [row for edition in sample.editions for row in edition.rows.values()]


def named(rows: list[CatalogueRow], name: str) -> CatalogueRow:
    (row,) = [row for row in rows if row.name == name]
    return row


def test_the_sample_has_an_edition_of_every_kind(sample: Import) -> None:
    assert [edition.kind for edition in sample.editions] == list(Kind)
    found = {count.section: (count.rows, count.entries) for count in sample.counts}
    assert found == {
        "西药": (288, 246),
        "中成药": (63, 63),
        "谈判": (13, 13),
        "饮片": (63, 63),
        "诊疗项目": (154, 154),
        "医用材料": (44, 44),
        "服务设施": (15, 15),
    }


def test_the_sample_holds_all_rows_limited_to_one_insurance(rows: list[CatalogueRow]) -> None:
    assert Counter(row.insurance_limit for row in rows if row.insurance_limit != "none") == {
        InsuranceLimit.WORK_INJURY: 8,
        InsuranceLimit.MATERNITY: 3,
        InsuranceLimit.CONDITIONAL: 1,
    }


def test_twelve_pieces_of_the_sample_are_not_payable_alone(rows: list[CatalogueRow]) -> None:
    assert sum(row.not_alone for row in rows) == 12


def test_agreements_of_the_sample_differ_by_the_end_of_2025(rows: list[CatalogueRow]) -> None:
    negotiated = [row for row in rows if row.agreement_to]
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 31), date(2028, 1, 1)]
    in_force = [sum(row.agreed_on(day) for row in negotiated) for day in days]
    assert in_force == [13, 10, 10, 0]


def test_every_amount_of_the_sample_says_that_it_is_made_up(rows: list[CatalogueRow]) -> None:
    priced = [row for row in rows if row.ceilings or "元" in row.pay_standard_text]
    assert len(priced) > 150
    assert [row.name for row in priced if "虚构价格" not in row.remark] == []


def test_an_ordinary_bed_has_a_ceiling_for_each_hospital_level(rows: list[CatalogueRow]) -> None:
    bed = named(rows, "普通病房床位费(三人及以上间)")
    assert [bed.ceiling_for(level) for level in Level] == [45_000_000, 40_500_000, 36_000_000]


@pytest.mark.parametrize("name", ["空调费", "陪护费", "膳食费", "护工费"])
def test_services_outside_the_standard_are_in_the_sample_as_not_payable(
    rows: list[CatalogueRow], name: str
) -> None:
    assert not named(rows, name).payable
