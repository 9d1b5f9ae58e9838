"""Case files are read strictly: what is wrong is listed whole, nothing is guessed."""

import json
from datetime import date
from typing import Any

import pytest

from adapters.case_file.faults import BadCases, Fault
from adapters.case_file.read import read_cases
from gateway.domain.bill import Payee
from gateway.domain.calculation import (
    Case,
    CaseLine,
    CasePaid,
    CaseStay,
    ExpectedLine,
    ExpectedPaid,
    ExpectedStay,
    ExpectedTravel,
)
from gateway.domain.payments import PriorPayer
from gateway.domain.split import Payer, Split
from gateway.domain.travel import CaseTrip, Fare, Nights, TravelCaps, Trip

LINE = {"name": "换药", "price": "88.00", "qty": "3"}


def text_of(*lines: Any, **changes: Any) -> bytes:
    case = {"id": "C1", "title": "一行", "params": {"no_consent_payer": "hospital"}}
    case |= {"lines": list(lines or [LINE])} | changes
    kept = {key: value for key, value in case.items() if value != "absent"}
    return json.dumps([kept], ensure_ascii=False).encode()


def faults_of(raw: bytes) -> tuple[Fault, ...]:
    with pytest.raises(BadCases) as bad:
        read_cases(raw)
    return bad.value.faults


def only(raw: bytes) -> tuple[str, int, str]:
    (fault,) = faults_of(raw)
    return fault.case, fault.line, fault.field


def test_a_line_with_nothing_else_said_is_an_ordinary_line_of_the_catalogue():
    (case,) = read_cases(text_of())
    assert case == Case(
        id="C1",
        title="一行",
        no_consent_payer=Payer.HOSPITAL,
        lines=(CaseLine(name="换药", price=88_000_000, quantity=30_000),),
    )


def test_every_key_of_a_line_is_read():
    line = LINE | {
        "in_cat": False,
        "ceiling": "40.000001",
        "qty_limit": "1.5",
        "ratio": "0.9",
        "payer": "employer",
        "relation": "unrelated",
        "violation": "NO_ORDER",
        "window": "late_application",
        "emergency_approved": True,
        "refuse_discharge": True,
    }
    assert read_cases(text_of(line))[0].lines[0] == CaseLine(
        name="换药",
        price=88_000_000,
        quantity=30_000,
        in_catalogue=False,
        ceiling=40_000_001,
        quantity_limit=15_000,
        ratio=9_000,
        consent=Payer.EMPLOYER,
        unrelated=True,
        violation="NO_ORDER",
        late=True,
        emergency_approved=True,
        refused_discharge=True,
    )


def test_params_stay_and_expect_are_read():
    params = {
        "no_consent_payer": "employer",
        "ratio_payer": "employer",
        "employer_not_notified": True,
    }
    stay = {"adm": "2028-02-28", "dis": "2028-03-01", "meal_rate": "15"}
    expect = {
        "total": "264.00",
        "other": "0.00",
        "lines": [{"fund": "264.00", "reasons": ["OVER_QTY", "LATE_APPLICATION"]}],
        "stay": {"meal_days": 2, "meal": "30.00"},
    }
    (case,) = read_cases(text_of(params=params, stay=stay, expect=expect))
    assert case.no_consent_payer is case.ratio_payer is Payer.EMPLOYER
    assert case.employer_not_notified is True
    assert case.stay == CaseStay(date(2028, 2, 28), date(2028, 3, 1), 1500)
    assert case.expect is not None
    assert case.expect.payers == {Payer.OTHER: 0}
    assert case.expect.total_fen == 26_400
    reasons = ("LATE_APPLICATION", "OVER_QTY")
    assert case.expect.lines == (ExpectedLine(1, Split(26_400), None, reasons),)
    assert case.expect.stay == ExpectedStay(2, 3000)


def test_a_file_with_a_byte_order_mark_and_an_empty_array_are_files():
    assert read_cases(b"\xef\xbb\xbf[]") == ()
    assert read_cases(text_of(lines=[]))[0].lines == ()


@pytest.mark.parametrize(
    "value", [12.5, 88, "1e9", "１２３", "1_000", " 1", "+1", "01", "1.", "", None, "NaN", "-1"]
)
def test_a_price_is_a_plain_decimal_string_and_nothing_else(value: Any):
    assert only(text_of(LINE | {"price": value})) == ("C1", 1, "price")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_a_json_number_is_refused_where_it_stands(number: str):
    raw = text_of(LINE | {"ceiling": "X"}).replace(b'"X"', number.encode())
    (fault,) = faults_of(raw)
    assert (fault.line, fault.field) == (1, "ceiling")
    assert fault.got.startswith(number[:9])
    assert len(fault.got) <= 41


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("price", "1.0000001"),
        ("qty", "1.00001"),
        ("ceiling", "0.0000001"),
        ("ceiling", "-0.01"),
        ("qty_limit", "-1"),
        ("ratio", "1.0001"),
        ("ratio", "-0.1"),
        ("ratio", "0.99999"),
        ("in_cat", "false"),
        ("in_cat", 0),
        ("in_cat", None),
        ("payer", "hospital"),
        ("payer", "Employer"),
        ("relation", "undetermined"),
        ("violation", "no order"),
        ("violation", ""),
        ("window", "late"),
        ("window", True),
        ("emergency_approved", "yes"),
        ("refuse_discharge", 1),
        ("name", ""),
        ("name", " "),
        ("name", "a\nb"),
        ("name", 5),
        ("name", "\ud800"),
    ],
)
def test_a_malformed_value_of_a_line_is_named(key: str, value: Any):
    raw = json.dumps(json.loads(text_of()))
    case = json.loads(raw)
    case[0]["lines"][0][key] = value
    assert only(json.dumps(case).encode()) == ("C1", 1, key)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ({"name": "a"}, ["price", "qty"]),
        ({"name": "a", "price": "1"}, ["qty"]),
        ({"name": "a", "qty": "1"}, ["price"]),
        ({"name": "a", "amount": "1", "price": "1"}, ["price"]),
        ({"name": "a", "amount": "1", "price": "1", "qty": "1"}, ["price", "qty"]),
        ({"name": "a", "amount": "1", "ceiling": "1", "qty_limit": "1"}, ["ceiling", "qty_limit"]),
        ({"name": "a", "amount": "1", "charged": "1"}, ["charged"]),
        ({"name": "a", "charged": "1"}, ["price", "qty"]),
        ({"name": "a", "price": "1", "qty": "1", "charged": "1.005"}, ["charged"]),
        ({"name": "a", "amount": "1.005"}, ["amount"]),
        ({"amount": "1"}, ["name"]),
        ({"name": "a", "price": "1", "qty": "-1", "qty_limit": "1"}, ["qty_limit"]),
    ],
)
def test_a_line_is_charged_by_price_and_quantity_or_by_amount_alone(
    line: dict[str, str], fields: list[str]
):
    assert [fault.field for fault in faults_of(text_of(line))] == fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "absent"}, "id"),
        ({"title": "absent"}, "title"),
        ({"params": "absent"}, "params"),
        ({"lines": "absent"}, "lines"),
        ({"title": 5}, "title"),
        ({"params": {}}, "params.no_consent_payer"),
        ({"params": []}, "params"),
        ({"params": {"no_consent_payer": "fund"}}, "params.no_consent_payer"),
        ({"params": {"no_consent_payer": "hospital", "x": 1}}, "params.x"),
        (
            {"params": {"no_consent_payer": "hospital", "ratio_payer": "hospital"}},
            "params.ratio_payer",
        ),
        ({"lines": {}}, "lines"),
        ({"stay": None}, "stay"),
        ({"stay": {"adm": "2026-03-01", "dis": "2026-03-02"}}, "stay.meal_rate"),
        ({"stay": {"adm": "20260301", "dis": "2026-03-02", "meal_rate": "1"}}, "stay.adm"),
        ({"stay": {"adm": "2026-02-29", "dis": "2026-03-02", "meal_rate": "1"}}, "stay.adm"),
        ({"stay": {"adm": "2026-03-02", "dis": "2026-03-01", "meal_rate": "1"}}, "stay.dis"),
        ({"stay": {"adm": "2026-03-01", "dis": "2026-03-02", "meal_rate": "-1"}}, "stay.meal_rate"),
        ({"expect": {"sum": "1"}}, "expect.sum"),
        ({"expect": {"total": 1}}, "expect.total"),
        ({"expect": {"lines": [{"no": 0}]}}, "expect.lines"),
        ({"expect": {"lines": [{"no": 1}, {"no": 1}]}}, "expect.lines"),
        ({"expect": {"lines": [{"no": "1"}]}}, "expect.lines[1].no"),
        ({"expect": {"lines": [{}, {"fund": 1}]}}, "expect.lines[2].fund"),
        ({"expect": {"lines": [{"reasons": "X"}]}}, "expect.lines[1].reasons"),
        ({"expect": {"lines": [{"reasons": [1]}]}}, "expect.lines[1].reasons"),
        ({"expect": {"lines": [5]}}, "expect.lines[1]"),
        ({"expect": {"stay": {"days": 1}}}, "expect.stay.days"),
        ({"expect": {"stay": {"meal_days": 1.5}}}, "expect.stay.meal_days"),
        ({"comment": "x"}, "comment"),
    ],
)
def test_a_malformed_case_names_the_field(changes: dict[str, Any], field: str):
    case, line, named = only(text_of(**changes))
    assert (line, named) == (0, field)
    assert case == ("#1" if changes.get("id") else "C1")


def test_a_key_given_twice_is_refused_and_not_decided_by_chance():
    raw = text_of().replace(b'"qty": "3"', b'"qty": "3", "qty": "1"')
    assert only(raw) == ("C1", 1, "qty")


def test_an_unknown_key_of_a_line_is_named_with_its_line():
    assert only(text_of(LINE, LINE | {"selfpay_ratio": "0.10"})) == ("C1", 2, "selfpay_ratio")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1,]", b"\xff\xfe[\x00", b'[{"id": "a"} x]', b"[" * 100_000],
    ids=["empty", "open", "comma", "utf-16", "rubbish", "too deep"],
)
def test_what_is_no_json_is_one_fault_of_the_file(raw: bytes):
    assert only(raw) == ("", 0, "")


@pytest.mark.parametrize("raw", [b"{}", b'"x"', b"5", b"null"])
def test_a_case_file_is_an_array(raw: bytes):
    assert only(raw) == ("", 0, "")


def test_every_fault_of_every_case_is_listed_at_once():
    raw = json.dumps(
        [
            {"id": "A", "title": "t", "params": {}, "lines": [{"name": "a", "amount": 1}, 7]},
            7,
            {"title": "t", "params": {"no_consent_payer": "hospital"}, "lines": [], "z": 1},
        ]
    ).encode()
    places = [(fault.case, fault.line, fault.field) for fault in faults_of(raw)]
    assert places == [
        ("A", 0, "params.no_consent_payer"),
        ("A", 1, "amount"),
        ("A", 2, ""),
        ("#2", 0, ""),
        ("#3", 0, "id"),
        ("#3", 0, "z"),
    ]


def test_a_fault_is_a_sentence_in_both_languages_with_what_was_got():
    (fault,) = faults_of(text_of(LINE | {"qty": 3}))
    assert str(fault) == (
        "案例 C1 第 1 行 qty：得到 3，应为十进制字符串，最多 4 位小数 / "
        "case C1 line 1 qty: got 3, expected a decimal string, 4 places"
    )


def test_a_foreign_text_is_repeated_short_and_on_one_line():
    (fault,) = faults_of(text_of(LINE | {"\x1b[31m" + "x" * 500: 1}))
    assert len(fault.field) <= 41
    assert "\x1b" not in str(fault)


# --- paid and travel --------------------------------------------------------------------------

CAPS = {"lodging_per_night": "150.00", "waiting_days": 5, "meal_per_day": "20.00"}
TRIP = {
    "hospital_certificate": True,
    "agency_consent": True,
    "fares": [{"name": "火车", "amount": "186.50"}, {"name": "火车", "amount": "1.00"}],
    "waited": [{"nights": 7, "price": "180.00"}],
    "hospital_days": 10,
    "caps": CAPS,
}


def test_what_was_paid_before_is_read_with_what_is_expected_of_it():
    expect = {"paid": {"payees": {"hospital": "1.00"}, "taken_off": "2.00", "claim": "3.00"}}
    (case,) = read_cases(
        text_of(paid={"third_party": "15000.00", "liability": "0.70"}, expect=expect)
    )
    assert case.paid == CasePaid({PriorPayer.THIRD_PARTY: 1_500_000}, 7_000)
    assert case.expect is not None
    assert case.expect.paid == ExpectedPaid({Payee.HOSPITAL: 100}, 200, 300)


def test_a_trip_is_read_with_its_caps_or_with_a_region_and_a_day():
    (case,) = read_cases(text_of(travel=TRIP, expect={"travel": {"fund": "1.00", "own": "2.00"}}))
    trip = Trip(True, True, (Fare("火车", 18_650), Fare("火车", 100)), (Nights(7, 18_000),), 10)
    assert case.travel == CaseTrip(trip, TravelCaps(15_000, 5, 2_000))
    assert case.expect is not None
    assert case.expect.travel == ExpectedTravel(100, 200)
    told = {"hospital_certificate": True, "region": "999900", "day": "2026-03-01"}
    (other,) = read_cases(text_of(travel=told))
    assert other.travel == CaseTrip(Trip(True, False), None, "999900", date(2026, 3, 1))


@pytest.mark.parametrize(
    ("blocks", "field"),
    [
        ({"paid": {"employer": "1.00", "individual": "1.00"}}, "paid.individual"),
        ({"paid": {"third_party": "-1.00"}}, "paid.third_party"),
        ({"paid": {"liability": "1.01"}}, "paid.liability"),
        ({"paid": {"nobody": "1.00"}}, "paid.nobody"),
        ({"paid": []}, "paid"),
        ({"expect": {"paid": {"payees": {"fund": "1.00"}}}}, "expect.paid.payees.fund"),
        ({"travel": {}}, "travel.caps"),
        ({"travel": {"region": "999900"}}, "travel.caps"),
        ({"travel": TRIP | {"region": "999900", "day": "2026-03-01"}}, "travel.caps"),
        ({"travel": TRIP | {"hospital_days": "10"}}, "travel.hospital_days"),
        ({"travel": TRIP | {"waited": [{"nights": 1}]}}, "travel.waited[1].price"),
        ({"travel": TRIP | {"waited": [1]}}, "travel.waited[1]"),
        (
            {"travel": TRIP | {"fares": [{"name": "火车", "amount": "1.00", "round_trip": 0}]}},
            "travel.fares[1].round_trip",
        ),
        ({"travel": TRIP | {"caps": CAPS | {"ceiling": "1.00"}}}, "travel.caps.ceiling"),
        ({"expect": {"travel": {"meals": "1.00"}}}, "expect.travel.meals"),
    ],
)
def test_a_wrong_block_is_told_by_its_place(blocks: dict[str, Any], field: str):
    assert only(text_of(**blocks)) == ("C1", 0, field)
