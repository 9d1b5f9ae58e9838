"""Words of the catalogue files ↔ our words.

The first two layouts are the tables of 《国家基本医疗保险、工伤保险和生育保险药品目录》;
the third, with or without quantities, is ours. All are described in docs/catalogue-files.md.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.domain.catalogue import InsuranceLimit, Kind, Level

DRUG_HEADER: Final = (
    "section",
    "class_code",
    "class_name",
    "ab",
    "seq",
    "star",
    "name",
    "dosage_form",
    "pay_standard",
    "remark",
    "valid",
    "page",
)
PIECE_HEADER: Final = ("seq", "name", "mark", "page")
PRICED_HEADER: Final = (
    "kind",
    "code",
    "name",
    "unit",
    "payable",
    "ceiling_tertiary",
    "ceiling_secondary",
    "ceiling_primary",
    "ceiling",
    "remark",
)
QUANTITIES: Final = ("qty_per_day", "qty_per_stay")
LIMITED_HEADER: Final = (
    *PRICED_HEADER[:-1],
    *QUANTITIES,
    "contained_in",
    PRICED_HEADER[-1],
)
DEVICE_HEADER: Final = (*LIMITED_HEADER[:-1], "life_months", LIMITED_HEADER[-1])
LIFE_MONTHS: Final = re.compile(r"([1-9][0-9]{0,2})?")

NEGOTIATED: Final = "谈判"
PIECES: Final = "饮片"
DRUG_SECTIONS: Final[Mapping[str, str]] = {
    "西药": "西药",
    "中成药": "中成药",
    "谈判": NEGOTIATED,
    "谈判/竞价": NEGOTIATED,
}
PRICED_SECTIONS: Final[Mapping[Kind, str]] = {
    Kind.ITEM: "诊疗项目",
    Kind.MATERIAL: "医用材料",
    Kind.FACILITY: "服务设施",
}
SECTION_ORDER: Final = ("西药", "中成药", NEGOTIATED, PIECES, *PRICED_SECTIONS.values())

CLASS_A: Final = "甲"
CLASSES: Final[Mapping[str, str]] = {CLASS_A: CLASS_A, "乙": "乙"}
STARS: Final[Mapping[str, bool]] = {"0": False, "1": True}
PRICED_KINDS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in PRICED_SECTIONS}
PAYABLE: Final[Mapping[str, bool]] = {"yes": True, "no": False}
CEILINGS: Final[Mapping[str, Level | None]] = {
    "ceiling_tertiary": Level.TERTIARY,
    "ceiling_secondary": Level.SECONDARY,
    "ceiling_primary": Level.PRIMARY,
    "ceiling": None,
}

SEQ: Final = re.compile(r"[1-9][0-9]{0,5}")
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CODES: Final = re.compile(rf"(?:{CODE.pattern}(?: {CODE.pattern})*)?")
MARK: Final = re.compile(r"(?:(□)(?:[;；](.+))?|(限.+))?")
AGREEMENT: Final = re.compile(
    r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日至([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"
)
_AMOUNT: Final = r"(?!0(?:\.0*)?元)((?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,6})?)元"
PAY_STANDARD: Final = re.compile(rf"\*|见备注.*|{_AMOUNT}.*")
PAY_STANDARD_AMOUNT: Final = re.compile(_AMOUNT)

_WHOLE_LIMITS: Final[Mapping[str, InsuranceLimit]] = {
    "限工伤保险": InsuranceLimit.WORK_INJURY,
    "限生育保险": InsuranceLimit.MATERNITY,
}
_INSURANCES: Final = ("工伤保险", "生育保险")


def insurance_limit(remark: str) -> InsuranceLimit:
    """备注中的险种限定 Which insurance the remark of a drug limits it to.

    A remark that is nothing but the limit gives that insurance; one that names
    an insurance among other conditions, such as 限子宫肌瘤患者或生育保险, is
    CONDITIONAL and a person reads it.
    """
    whole = _WHOLE_LIMITS.get(remark.rstrip("。"))
    if whole is not None:
        return whole
    named = any(insurance in remark for insurance in _INSURANCES)
    return InsuranceLimit.CONDITIONAL if named else InsuranceLimit.NONE
