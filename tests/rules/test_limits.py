"""The remarks of the drug list, read as conditions where the text allows."""

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from adapters.catalog_file.read import read_catalogue
from gateway.domain.admission import Sex
from gateway.rules.limits import NONE, Limits, completed_years, read

REPOSITORY = Path(__file__).resolve().parents[2]
FIELDS = tuple(Limits.__slots__)


@pytest.mark.parametrize(
    ("remark", "limits"),
    [
        ("", NONE),
        ("◇", NONE),
        ("限工伤保险。", NONE),
        ("限急诊或住院患者。", NONE),
        ("限二级及以上医疗机构", Limits(secondary_up=True)),
        ("限二线用药。", Limits(second_line=True)),
        ("支付不超过14天。", Limits(most_days=14)),
        ("限儿童。", Limits(adult=False)),
        (
            "限18岁和18岁以上重度免疫缺陷患者。",
            Limits(least_years=18, indications=("重度免疫缺陷",)),
        ),
        (
            "限2岁至11岁儿童慢性便秘。",
            Limits(least_years=2, most_years=11, indications=("慢性便秘",)),
        ),
        ("限成人2型糖尿病患者。", Limits(adult=True, indications=("2型糖尿病",))),
        ("限β-地中海贫血成人患者。", Limits(adult=True, indications=("β-地中海贫血",))),
        (
            "限女性绝经后骨质疏松症。",
            Limits(sex=Sex.FEMALE, indications=("女性绝经后骨质疏松症",)),
        ),
        (
            "限二级及以上医疗机构肿瘤患者，单次住院最多支付14天。",
            Limits(secondary_up=True, most_days=14, indications=("肿瘤",)),
        ),
        (
            "限：1.反流性食管炎；2.十二指肠溃疡。",
            Limits(indications=("反流性食管炎", "十二指肠溃疡")),
        ),
        ("限心功能不全的住院患者。", Limits(indications=("心功能不全",))),
        ("限住院患者的肠外营养。", Limits(indications=("住院患者的肠外营养",))),
        ("限二线治疗失败的肺癌患者。", Limits(indications=("二线治疗失败的肺癌",))),
        ("限18岁以上的高血压患者。", Limits(least_years=18, indications=("高血压",))),
        ("限成人癫痫和儿童癫痫患者。", Limits(rest="成人癫痫和儿童癫痫患者")),
        ("限成人癫痫和青少年癫痫患者。", Limits(rest="成人癫痫和青少年癫痫患者")),
        ("限妇女更年期综合征。", Limits(sex=Sex.FEMALE, indications=("妇女更年期综合征",))),
        ("限男性前列腺增生。", Limits(sex=Sex.MALE, indications=("男性前列腺增生",))),
        ("限：1.患者；2.十二指肠溃疡。", Limits(rest="：1.患者；2.十二指肠溃疡")),
        ("限儿童癫痫及成人癫痫患者。", Limits(rest="儿童癫痫及成人癫痫患者")),
        ("限儿童癫痫及成年癫痫患者。", Limits(rest="儿童癫痫及成年癫痫患者")),
        ("限慢性阻塞性肺病(COPD)。", Limits(indications=("慢性阻塞性肺病",))),
        (
            "限二级及以上医疗机构的病毒性心肌炎或心功能不全患者。",
            Limits(secondary_up=True, rest="病毒性心肌炎或心功能不全患者"),
        ),
    ],
)
def test_a_remark_is_read_as_far_as_its_text_binds(remark: str, limits: Limits):
    assert read(remark) == limits
    assert bool(read(remark)) is (limits != NONE)


@pytest.mark.parametrize(
    "remark",
    [
        "限儿童甲(A)型血友病；成人甲(A)型血友病限出血时使用。",
        "限慢性乙型肝炎成人患者或2岁至<18岁慢性HBV感染代偿性肝病的核苷初治儿童患者。",
        "限≥12岁青少年及成人患者水通道蛋白4(AQP4)抗体阳性的视神经脊髓炎谱系疾病(NMOSD)。",
        "限成人和12至＜18岁青少年的慢性丙型肝炎病毒(HCV)感染。",
        "限：1.HER2阳性的早期乳腺癌患者的辅助治疗，支付不超过12个月；2.HER2阳性的转移性乳腺癌。",
        "限子宫肌瘤患者或生育保险。",
        "限骨髓移植；器官移植，支付不超过14天。",
    ],
)
def test_a_condition_of_one_alternative_never_binds_the_others(remark: str):
    limits = read(remark)
    assert limits == Limits(rest=limits.rest)
    assert limits.rest


def test_an_age_is_counted_in_completed_years():
    born = date(2000, 2, 29)
    assert completed_years(born, date(2018, 2, 28)) == 17
    assert completed_years(born, date(2018, 3, 1)) == 18


def test_every_remark_of_the_official_list_of_2024_is_classified():
    shared = Path(os.environ.get("GATEWAY_SHARED") or REPOSITORY.parent / "shared")
    folder = shared / "data" / "nrdl-2024"
    if not folder.is_dir():
        pytest.skip("the official list data/nrdl-2024 is not beside this repository")
    (edition,) = read_catalogue(folder, date(2024, 1, 1), date(2025, 12, 31), "999900").editions
    remarks = {row.remark for row in edition.rows.values()} - {""}
    counts = Counter(_class(remark) for remark in remarks)
    assert sum(counts.values()) == len(remarks), counts
    assert counts == Counter(_COUNTS), counts


def _class(remark: str) -> str:
    """The conditions that were read, by name; "no limit" when the remark sets none."""
    found = read(remark)
    read_fields = [name for name in FIELDS if getattr(found, name) != getattr(NONE, name)]
    return " ".join(read_fields) or "no limit"


_COUNTS = {
    "rest": 277,
    "indications": 108,
    "adult indications": 41,
    "adult rest": 13,
    "secondary_up indications": 10,
    "most_days indications": 7,
    "second_line indications": 5,
    "least_years indications": 5,
    "no limit": 4,
    "most_days rest": 3,
    "secondary_up rest": 3,
    "secondary_up most_days indications": 3,
    "most_days": 2,
    "least_years rest": 2,
    "least_years most_years indications": 2,
    "sex indications": 2,
    "secondary_up": 2,
    "second_line rest": 1,
    "secondary_up most_days rest": 1,
    "second_line": 1,
    "adult": 1,
}
