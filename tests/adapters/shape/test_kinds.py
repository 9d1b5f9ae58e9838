"""A value is read only when it is written as published."""

from datetime import UTC, date, datetime

import pytest

from adapters.shape import kinds, vocabulary
from adapters.shape.examples import generated_id_no
from adapters.shape.kinds import Kind

from .records import readable

KINDS = [
    value
    for each in (kinds, vocabulary)
    for value in vars(each).values()
    if isinstance(value, Kind)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_sample_of_a_kind_is_right_and_its_wrong_value_is_not(kind) -> None:
    assert readable(kind, kind.sample)
    assert not readable(kind, kind.wrong)
    assert not readable(kind, "") or kind is kinds.BYTES


@pytest.mark.parametrize(
    "text",
    [
        "１２３",
        " 12 ",
        "12 ",
        "NaN",
        "Infinity",
        "1e3000000",
        "1_000",
        "+1",
        "01",
        ".5",
        "5.",
        "0x1",
        "-",
    ],
)
@pytest.mark.parametrize("kind", [kinds.FEN, kinds.PRICE, kinds.QUANTITY, kinds.COUNT])
def test_only_plain_ascii_decimals_are_numbers(kind, text) -> None:
    assert not readable(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (kinds.FEN, "25", 2500),
        (kinds.FEN, "-0.05", -5),
        (kinds.PRICE, "0.000001", 1),
        (kinds.QUANTITY, "1.5", 15000),
        (kinds.COUNT, "0", 0),
    ],
)
def test_a_number_is_read_in_its_smallest_unit(kind, text, value) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [(kinds.FEN, "0.001"), (kinds.PRICE, "0.0000001"), (kinds.QUANTITY, "0.00001")],
)
def test_more_decimals_than_the_unit_has_are_refused(kind, text) -> None:
    assert not readable(kind, text)


@pytest.mark.parametrize("text", ["0", "101", "01", "-1", "1.0"])
def test_an_inbox_limit_is_from_1_to_100(text) -> None:
    limit = kinds.count_up_to("Limit", 100, 1)
    assert not readable(limit, text)
    assert limit.parse("1") == 1
    assert limit.parse("100") == 100


def test_an_instant_keeps_its_moment_and_is_written_at_the_offset_of_china() -> None:
    moment = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert kinds.INSTANT.parse("2026-03-02T00:30:00+08:00") == moment
    assert kinds.INSTANT.parse("2026-03-01T16:30:00Z") == moment
    assert kinds.INSTANT.render(moment) == "2026-03-02T00:30:00+08:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T08:00:00",
        "2026-03-02 08:00:00+08:00",
        "2026-03-02T24:00:00+08:00",
        "2026-02-30T08:00:00+08:00",
        "2026-03-02T08:00+08:00",
        "２０２６-03-02T08:00:00+08:00",
        "0000-03-02T08:00:00+08:00",
    ],
)
def test_an_instant_without_offset_or_off_the_calendar_is_refused(text) -> None:
    assert not readable(kinds.INSTANT, text)


def test_a_day_off_the_calendar_is_refused_though_its_pattern_fits() -> None:
    assert kinds.DAY.parse("2028-02-29") == date(2028, 2, 29)
    assert not readable(kinds.DAY, "2026-02-29")


@pytest.mark.parametrize("text", [" 骨科", "骨科 ", "骨\n科", "骨\t科", "   ", "字" * 33])
def test_a_text_is_one_trimmed_line_of_limited_length(text) -> None:
    assert not readable(kinds.TEXT_32, text)
    assert kinds.TEXT_32.parse("骨 科\u3000一") == "骨 科\u3000一"


@pytest.mark.parametrize("text", ["UEQ5 NGJX", "UEQ", "UEQ5\n", "ＵEQ5"])
def test_base64_has_no_white_space_and_no_other_letters(text) -> None:
    assert not readable(kinds.BYTES, text)


def test_the_sample_identity_number_is_generated() -> None:
    assert generated_id_no(1) == kinds.ID_NO.sample
    assert generated_id_no(2) != generated_id_no(3)


def test_text_is_escaped_as_canonical_xml_escapes_it() -> None:
    assert kinds.escaped("a&b<c>d\re'\"\t\n") == "a&amp;b&lt;c&gt;d&#xD;e'\"\t\n"


def test_what_xml_cannot_carry_is_written_as_a_mark() -> None:
    assert kinds.escaped("a\x00b\x1fc\ufffed\ud800") == "a�b�c�d�"
