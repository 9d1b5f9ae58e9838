"""The nearest candidates: by the pairs of characters two names share, the same each time."""

from datetime import date

import pytest

from gateway.domain.catalogue import CatalogueRow, Edition, Kind
from gateway.flows.nearest import NameIndex, nearest, pairs


def edition(*names: str, kind: Kind = Kind.ITEM) -> Edition:
    rows = {
        f"Z{n:04d}": CatalogueRow(code=f"Z{n:04d}", kind=kind, section="", name=name)
        for n, name in enumerate(names)
    }
    return Edition(f"digest-{kind}", "999900", kind, date(2025, 1, 1), None, rows)


def found(name: str, *names: str) -> list[tuple[str, int]]:
    index = NameIndex(edition(*names))
    return [(one.name, one.likeness) for one in index.like(name)]


def test_the_same_name_is_wholly_alike_and_comes_first() -> None:
    assert found("换药", "小换药", "换药", "换药包")[0] == ("换药", 100)


def test_likeness_is_twice_the_shared_pairs_over_both_names_pairs() -> None:
    """^换 换药 药$ against ^小 小换 换药 药$: two shared, three and four pairs."""
    assert found("换药", "小换药") == [("小换药", 57)]


def test_width_case_blanks_and_signs_make_no_difference() -> None:
    assert found("ＣＴ 平扫（头部）", "ct平扫头部") == [("ct平扫头部", 100)]


def test_a_name_that_shares_nothing_is_no_candidate() -> None:
    assert found("换药", "血常规", "床位费") == []


@pytest.mark.parametrize("name", ["", "（）", "··"])
def test_a_name_without_letters_has_no_candidate(name: str) -> None:
    assert found(name, "换药") == []


def test_one_character_finds_names_that_begin_or_end_with_it() -> None:
    assert [name for name, _ in found("药", "药浴", "换药", "换药包")] == ["药浴", "换药"]


def test_at_most_five_are_told_the_lower_code_first_among_equals() -> None:
    index = NameIndex(edition(*(f"换药{letter}" for letter in "甲乙丙丁戊己庚")))
    assert [one.code for one in index.like("换药")] == [f"Z{n:04d}" for n in range(5)]


def test_of_equal_names_the_form_that_the_hospital_names_comes_first() -> None:
    rows = {
        code: CatalogueRow(code=code, kind=Kind.DRUG, section="西药", name="布洛芬", form=form)
        for code, form in (("D1", "口服常释剂型"), ("D2", "缓释控释剂型"), ("D3", "栓剂"))
    }
    index = NameIndex(Edition("d", "999900", Kind.DRUG, date(2025, 1, 1), None, rows))
    assert next(one.form for one in index.like("布洛芬缓释胶囊")) == "缓释控释剂型"
    assert [one.code for one in index.like("布洛芬")] == ["D1", "D2", "D3"]


def test_candidates_of_several_editions_are_ranked_together() -> None:
    indexes = [NameIndex(edition("钢板螺钉", kind=Kind.MATERIAL)), NameIndex(edition("钢板"))]
    best = nearest(indexes, "钢板")
    assert [(one.name, one.kind, one.edition) for one in best] == [
        ("钢板", Kind.ITEM, "digest-item"),
        ("钢板螺钉", Kind.MATERIAL, "digest-material"),
    ]


def test_only_the_first_64_characters_are_compared() -> None:
    assert len(pairs("".join(map(chr, range(0x4E00, 0x4E00 + 200))))) == 65
