"""What an identity number tells of its holder; the numbers are generated."""

from datetime import date

import pytest

from gateway.domain.admission import Sex
from gateway.domain.identity import born_and_sex, same_name


@pytest.mark.parametrize(
    ("id_no", "told"),
    [
        ("999900199001010014", (date(1990, 1, 1), Sex.MALE)),
        ("999900199001010022", (date(1990, 1, 1), Sex.FEMALE)),
        ("99990020000229001x", (date(2000, 2, 29), Sex.MALE)),
        ("999900200102290010", (None, None)),
        ("E12345678", (None, None)),
        ("999900900101001", (None, None)),
    ],
)
def test_a_resident_number_tells_birth_and_sex_and_other_documents_nothing(id_no, told):
    assert born_and_sex(id_no) == told


@pytest.mark.parametrize(
    "other",
    ["甲 乙", "甲\u3000乙", "甲\u200b乙", "\ufeff甲乙", "甲·乙", "甲乙\ufe00", "甲\u00ad乙"],
    ids=["空格", "全角空格", "零宽空格", "字节序标记", "间隔号", "异体选择符", "软连字符"],
)
def test_看不见的字符和间隔号_不使一个人成为两个人(other: str) -> None:
    assert same_name("甲乙", other)
    assert not same_name("甲丙", other)
