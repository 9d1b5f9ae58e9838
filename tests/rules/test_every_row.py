"""The case tables as a whole: enough rows, none told twice, and none missing that the words of
the domain demand: a new reason, state, kind or date without a row fails here."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

import pytest

from gateway.domain.admission import AdmissionRefusal, AdmissionState, HoldReason
from gateway.domain.case import (
    REFUSED_DISCHARGE,
    Applicant,
    Approval,
    ApprovalKind,
    CaseState,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.reasons import REASONS, VIOLATIONS
from gateway.domain.split import Payer
from gateway.policy.keys import KEYS, LIFTABLE
from gateway.policy.model import Directory
from gateway.rules.settle import Bill
from tests.rules.asking import (
    Row,
    answered,
    answered_with,
    as_told,
    every_row,
    facts,
    outcome,
    policy_for,
    the_bill,
)
from tests.rules.facts import example_policy
from tests.rules.reach import Place, fields_told, places

ROWS = every_row()
OWN = [row for row in ROWS if row.table in ("days.toml", "conditions.toml")]
OF_CASES = [row for row in ROWS if row.of_case]
BY_NAME = {row.name: row for row in ROWS}


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in OWN])
def test_a_row_is_answered_as_it_tells(row: Row):
    got, told = as_told(row, answered(row))
    assert got == told


def test_at_least_three_hundred_rows_settle_or_decide():
    assert len(OF_CASES) >= 300


def test_no_two_rows_have_one_name():
    assert len(BY_NAME) == len(ROWS)


def test_no_two_rows_ask_the_same_of_the_same_facts_and_day():
    seen: dict[Any, str] = {}
    twice = []
    for row in ROWS:
        told = tuple(sorted((key, repr(value)) for key, value in facts(row).items()))
        if told in seen:
            twice.append((seen[told], row.name))
        seen[told] = row.name
    assert twice == []


def test_two_ways_to_write_the_same_facts_are_seen_to_be_the_same():
    plain = Row("bill.toml", {"name": "1", "lines": [{"code": "TABLET"}]})
    wordy: dict[str, Any] = {"name": "2", "lines": [{"price": "10.00"}]}
    wordy |= {"case": {"litigation": False}, "policy": {"line/no_consent_payer": "hospital"}}
    told = Row("days.toml", wordy)
    assert facts(plain) == facts(told)
    told.told["lines"] = [{"code": "INJECTION"}]
    assert facts(plain) != facts(told)


def of_line(**line: Any) -> dict[str, Any]:
    return facts(Row("bill.toml", {"name": "1", "lines": [line]}))


def test_a_price_is_a_fact_of_its_own_only_where_something_is_decided_by_it():
    assert of_line(price="10.01") == of_line(price="10.02")
    assert of_line(price="10.01", qty="0.5") != of_line(price="10.02", qty="0.5")
    assert of_line(price="40.00", code="BED") != of_line(price="40.01", code="BED")
    assert of_line(price="10.01") != of_line(price="10.02", amount_fen=1001)


def test_a_cut_and_a_correction_are_seen_by_what_is_asked_and_not_by_how_it_is_written():
    for table, plain, wordy in (
        ("cuts.toml", {"answer": {}}, {"answer": {"accepted": False}, "state": "NOTICED"}),
        ("cuts.toml", {"answer": {}}, {"answer": {}, "day": date(2026, 3, 9)}),
        ("readjudication.toml", {}, {"corrected": {"case": {"litigation": False}}}),
        ("readjudication.toml", {}, {"then": {"line/no_consent_payer": "hospital"}}),
    ):
        told = {"name": "1", "lines": [{"code": "TABLET"}]}
        assert facts(Row(table, told | plain)) == facts(Row(table, told | wordy))
    other = {"corrected": {"case": {"litigation": True}}}
    assert facts(Row(table, told | plain)) != facts(Row(table, told | other))


# --- worked examples ---
WORKED: Final = (
    *(f"E{no:02}" for no in range(1, 18)),
    *(f"E{no}" for no in range(19, 25)),
    "E27",
)


@pytest.mark.parametrize("number", WORKED)
def test_a_worked_example_is_found_by_its_number(number: str):
    assert [row.name for row in ROWS if re.search(rf"\b{number}(?![0-9])", row.name)]


# --- reason × payer ---
IMPOSSIBLE: Final[dict[str, dict[Payer, str]]] = {
    **{
        reason: dict.fromkeys(
            (Payer.FUND, Payer.EMPLOYER, Payer.INDIVIDUAL, Payer.HOSPITAL), outside
        )
        for reason, outside in (
            ("NOT_INJURY", "不治疗工伤的费用在工伤保险之外（第三十条第五款）"),
            ("BENEFIT_STOPPED", "停止享受待遇的费用在工伤保险之外（第四十二条）"),
            ("EMERGENCY_OVER", "急救的日子以外不是签订服务协议的机构（第三十条第二款）"),
            ("NOT_MOVED_BACK", "病情稳定后不再是急救（第三十条第二款）"),
        )
    },
    "LIFE_NOT_ENDED": {
        Payer.FUND: "抢救的批准不缩短器具的最低使用年限",
        Payer.OTHER: "与工伤有关的费用不在工伤保险之外",
    },
    "REFUSED_DISCHARGE": {
        Payer.FUND: "拒不出院后的费用不由基金支付",
        Payer.OTHER: "政策项 line/refused_discharge_payer 没有这个词",
    },
    "OUT_OF_CATALOGUE": {
        Payer.FUND: "经批准抢救的印作 EMERGENCY_APPROVED",
        Payer.OTHER: "与工伤有关的费用不在工伤保险之外",
    },
    "LIMIT_NOT_MET": {
        Payer.FUND: "经批准抢救的不问限定",
        Payer.OTHER: "与工伤有关的费用不在工伤保险之外",
    },
    "OVER_CEILING": {
        Payer.FUND: "经批准抢救的印作 EMERGENCY_APPROVED",
        Payer.OTHER: "与工伤有关的费用不在工伤保险之外",
    },
    "EMERGENCY_APPROVED": {
        Payer.INDIVIDUAL: "批准就是由基金支付，逾期、参保前由用人单位",
        Payer.HOSPITAL: "批准就是由基金支付，逾期、参保前由用人单位",
        Payer.OTHER: "批准就是由基金支付，逾期、参保前由用人单位",
    },
    "EMPLOYER_NOT_NOTIFIED": dict.fromkeys(
        (Payer.FUND, Payer.INDIVIDUAL, Payer.HOSPITAL, Payer.OTHER),
        "文本写明由用人单位承担的才改变承担方",
    ),
    "OVER_QTY": dict.fromkeys(
        (Payer.FUND, Payer.EMPLOYER, Payer.INDIVIDUAL, Payer.OTHER),
        "政策项 line/over_quantity_payer 没有这个词",
    ),
    "REGIONAL_RATIO": {
        Payer.FUND: "比例以内才归基金",
        Payer.HOSPITAL: "政策项 line/ratio_payer 没有这个词",
        Payer.OTHER: "政策项 line/ratio_payer 没有这个词",
    },
    **{
        reason: dict.fromkeys(
            (Payer.FUND, Payer.INDIVIDUAL, Payer.HOSPITAL, Payer.OTHER),
            "由用人单位支付（第十七条第四款、第六十二条）",
        )
        for reason in ("LATE_APPLICATION", "BEFORE_COVER", "EMPLOYER_IN_ARREARS")
    },
    "EMERGENCY_REPORTED_LATE": dict.fromkeys(
        Payer, "账单整单拒付；只在重新审核时把基金份额移给用人单位（readjudication.toml）"
    ),
    **{
        reason: dict.fromkeys(
            (Payer.FUND, Payer.EMPLOYER, Payer.INDIVIDUAL, Payer.OTHER), "违规由医院承担"
        )
        for reason in VIOLATIONS
    },
}
"""The pairs that no decision can have, each with its reason; every other pair needs a row."""

_MOVES: Final = frozenset({"LATE_APPLICATION", "BEFORE_COVER", "EMPLOYER_IN_ARREARS"})


def moved_to(line: dict[str, Any]) -> set[tuple[str, Payer]]:
    """Which reason of a line gave money to whom; where two did, only what is certain."""
    reasons = set(line.get("reasons", ()))
    payers = {payer for payer in Payer if line.get(payer.value, "0.00") != "0.00"}
    first = reasons - _MOVES
    found = {(reason, Payer.EMPLOYER) for reason in reasons & _MOVES}
    if len(first) == 1:
        (reason,) = first
        rescued = reason == "EMERGENCY_APPROVED"
        moved = payers if rescued else payers - {Payer.FUND}
        if reasons & _MOVES and not rescued:
            moved = moved - {Payer.EMPLOYER}
        found |= {(reason, payer) for payer in moved}
    return found


PAIRS: Final = [
    (reason, payer)
    for reason in REASONS
    for payer in Payer
    if payer not in IMPOSSIBLE.get(reason, {})
]
SETTLED_LINES: Final = [
    line for row in ROWS if row.ask == "settle" for line in row.told.get("lines", [])
]


@pytest.mark.parametrize(("reason", "payer"), PAIRS)
def test_every_reason_has_a_row_of_a_whole_bill_for_every_payer_it_can_fall_on(
    reason: str, payer: Payer
):
    assert any((reason, payer) in moved_to(line) for line in SETTLED_LINES)


def test_a_pair_that_is_called_impossible_has_no_row_and_a_reason_that_exists():
    assert set(IMPOSSIBLE) <= set(REASONS)
    pairs = {pair for line in SETTLED_LINES for pair in moved_to(line)}
    assert {(reason, payer) for reason, payer in pairs if payer in IMPOSSIBLE[reason]} == set()


def test_the_words_of_a_policy_payer_are_those_that_the_table_leaves_possible():
    for reason, key in (
        ("REFUSED_DISCHARGE", "line/refused_discharge_payer"),
        ("EMPLOYER_NOT_NOTIFIED", "line/not_notified_payer"),
        ("REGIONAL_RATIO", "line/ratio_payer"),
        ("OVER_QTY", "line/over_quantity_payer"),
        ("OUT_OF_CATALOGUE", "line/no_consent_payer"),
    ):
        possible = {payer.value for payer in Payer if payer not in IMPOSSIBLE[reason]}
        assert possible == set(KEYS[key].words), key


# --- limits that a text lifts ---
def with_limit(row: Row, key: str, limit: str | int) -> Row:
    """The row where the text gives the key this limit, whatever the row says of it."""
    told = row.told
    silent = [one for one in told.get("silent", ()) if one != key]
    policy = told.get("policy", {}) | {key: limit}
    return Row(row.table, told | {"policy": policy, "silent": silent})


@pytest.mark.parametrize("key", LIFTABLE)
def test_a_limit_that_may_be_lifted_is_lifted_in_every_row_and_counts_in_some(key: str):
    """Whatever `policy check` admits, the rules can be asked with."""
    lifted, least = (
        [outcome(with_limit(row, key, limit), of_one_stay=True) for row in OF_CASES]
        for limit in ("no limit", 0)
    )
    assert lifted != least


# --- states, kinds, holds, refusals ---
def of_case(row: Row) -> Any:
    return the_bill(row).case


def asked_of(ask: str) -> list[Row]:
    return [row for row in OF_CASES if row.ask == ask]


def has_every(kind: type[StrEnum], found: set[Any]) -> None:
    """Every member of the kind is among what the rows show."""
    assert set(kind) - found == set()


@pytest.mark.parametrize("ask", ["registration", "discharge"])
def test_every_state_of_a_case_has_a_row(ask: str):
    cases = [case for row in asked_of(ask) if (case := of_case(row)) is not None]
    has_every(CaseState, {case.state for case in cases})
    assert any(of_case(row) is None for row in asked_of(ask))


def test_every_state_of_a_registration_has_a_row_at_discharge():
    has_every(AdmissionState, {the_bill(row).stay.state for row in asked_of("discharge")})


def test_every_kind_of_approval_and_of_treatment_has_a_row():
    approvals = [one for row in OF_CASES if of_case(row) for one in of_case(row).approvals]
    has_every(ApprovalKind, {one.kind for one in approvals})
    for ask in ("registration", "discharge"):
        has_every(TreatmentKind, {the_bill(row).stay.treatment for row in asked_of(ask)})


def verdicts(word: str) -> list[Any]:
    """What the rows tell under this word of a decision."""
    return [row.told["verdict"][word] for row in OF_CASES if word in row.told.get("verdict", {})]


def test_every_reason_to_hold_has_a_row():
    has_every(HoldReason, {HoldReason(told["reason"]) for told in verdicts("hold")})


def test_every_code_of_a_refusal_or_manual_claim_has_a_row():
    codes = {told if isinstance(told, str) else told["code"] for told in verdicts("refuse")}
    assert set(AdmissionRefusal) - codes == set()
    assert {"CASE_NOT_RECOGNISED", "EMPLOYER_PAYS"} <= codes
    assert {"MANUAL", "THIRD_PARTY", "NON_AGREEMENT_OR_OUT_OF_REGION"} <= set(verdicts("manual"))


# --- what follows from several facts ---
def _arrears_word(row: Row) -> str:
    told = row.told.get("policy", {}).get("arrears/policy", "")
    return told or ("SILENT" if "arrears/policy" in row.told.get("silent", ()) else "")


Flag = Callable[[Row], bool]
# What a flag or a kind of the domain says by itself is asked for by test_every_fact.py.
FLAGS: Final[dict[str, Flag]] = {
    "劳动关系终止 relation ended": lambda row: of_case(row).relation_ended_on is not None,
    "参保缴清 joined": lambda row: any(one.settled_on for one in of_case(row).joined),
    "参保未缴清 joined, not settled": lambda row: any(
        one.settled_on is None for one in of_case(row).joined
    ),
    "停止待遇 stopped": lambda row: any(
        stop.ground != REFUSED_DISCHARGE for stop in of_case(row).stops
    ),
    "拒不出院 refused discharge": lambda row: any(
        stop.ground == REFUSED_DISCHARGE for stop in of_case(row).stops
    ),
    "逾期申请 late": lambda row: (
        of_case(row).applied_on is not None
        and of_case(row).applied_on > of_case(row).event_day + timedelta(days=30)
    ),
    "协议中止 agreement suspended": lambda row: the_bill(row).hospital.suspended_from is not None,
    "没有协议 no agreement": lambda row: the_bill(row).hospital.agreement_from is None,
    "统筹地区以外 cross region": lambda row: the_bill(row).hospital.region != "999900",
    "入院早于受伤 before the injury": lambda row: (
        the_bill(row).stay.admitted_on < of_case(row).event_day
    ),
    **{
        f"第三人 {value}": lambda row, value=value: of_case(row).third_party is value
        for value in ThirdParty
    },
    **{
        f"欠费 {word or '当地规定'}": lambda row, word=word: (
            bool(of_case(row).arrears) and _arrears_word(row) == word
        )
        for word in ("", "HOLD_UNTIL_PAID", "NEVER", "SILENT")
    },
}
AT_BOTH: Final = frozenset(
    name
    for name in FLAGS
    if not name.startswith(("欠费", "停止", "拒不", "逾期申请")) and "not settled" not in name
)
"""Flags that a registration is asked about as well; the others concern lines or the bill."""


def shows(flag: Flag, asks: set[str]) -> bool:
    rows = (row for row in OF_CASES if row.ask in asks and of_case(row) is not None)
    return any(flag(row) for row in rows)


@pytest.mark.parametrize("name", FLAGS)
def test_every_flag_has_a_row_at_discharge(name: str):
    assert shows(FLAGS[name], {"discharge", "settle"})


@pytest.mark.parametrize("name", sorted(AT_BOTH))
def test_every_flag_of_a_registration_has_a_row(name: str):
    assert shows(FLAGS[name], {"registration"})


def test_every_word_on_arrears_has_a_row():
    words = {_arrears_word(row) for row in OF_CASES if of_case(row) and of_case(row).arrears}
    # CONTINUE_IN_STAY is the word of the example region, which a row need not say.
    assert set(KEYS["arrears/policy"].words) - {"CONTINUE_IN_STAY"} <= words
    assert "" in words


def test_every_applicant_has_a_row():
    told = {of_case(row).applied_by for row in OF_CASES if of_case(row)}
    assert {*Applicant, None} == told


# --- the day before and the day of ---
EDGES: Final[dict[str, tuple[str, str]]] = {
    "CaseFacts.injured_on": ("入院当日受伤：结算", "入院次日才受伤：等待经办机构核查"),
    "Stay.admitted_on": ("受伤前一日入院：等待经办机构核查", "入院当日受伤：结算"),
    "Stay.discharged_on/定额变动": (
        "2025-12-31 出院：伙食补助按旧标准三天",
        "2026-01-01 出院：伙食补助按新标准四天",
    ),
    "Stay.discharged_on/形式变动": (
        "2029-12-31 出院：伙食补助按旧标准三天",
        "2030-01-01 出院：伙食补助按新标准四天",
    ),
    "Stay.born_on": ("限儿童的药，次日才满十八周岁：支付", "限儿童的药在满十八周岁当天不支付"),
    "CaseFacts.relation_ended_on": (
        "入院当日劳动关系已终止：等待核对",
        "入院次日劳动关系才终止：结算",
    ),
    "CaseFacts.diagnosed_on": (
        "职业病在入院当日诊断：结算",
        "职业病在入院次日才诊断：由经办机构核查",
    ),
    "CaseFacts.roster_received_on": (
        "参保名册在受伤前一日收到：次日起生效，结算",
        "参保名册在受伤当日收到，地方规定次日起生效：由用人单位支付",
    ),
    "CaseFacts.roster_received_on/参保缴清以后": (
        "受伤后参保缴清、名册在出院前一日收到，地方规定次日起生效：结算",
        "受伤后参保缴清、名册在出院当日才收到，地方规定次日起生效：由用人单位支付（本网关的理解）",
    ),
    "CaseFacts.lump_sum_on": (
        "一至四级一次性领取长期待遇在入院当日：待遇已终止，拒付",
        "一至四级一次性领取长期待遇在入院次日：本次住院结算",
    ),
    "CaseFacts.retired_on": (
        "地方规定退休即终止：入院当日退休，拒付",
        "地方规定退休即终止：入院次日退休，结算",
    ),
    "CaseFacts.application_extended_to": (
        "申请期限经同意延长到申请当日：不逾期，归基金",
        "申请期限经同意延长到申请前一日：仍逾期，归用人单位",
    ),
    "PaidLeave.first": (
        "前一段停工留薪期已满，又一段自出院当日起：只有出院日按期内标准",
        "前一段停工留薪期已满，又一段自出院次日起：住院各日都按期满标准",
    ),
    "PaidLeave.last": (
        "停工留薪期到出院前一日为止：出院日按期满标准",
        "停工留薪期到出院当日为止：出院日仍按期内标准",
    ),
    "OtherEmployer.since": (
        "欠费的承继单位在入院当日承继：入院时欠费，由用人单位支付",
        "欠费的承继单位在入院次日才承继：入院时不欠费，结算",
    ),
    "OtherEmployer.since/受伤": (
        "受伤当日承继：以承继单位的参保为准，它未参保：由用人单位支付",
        "受伤次日承继：仍以原单位的参保为准，承继单位未参保不影响：结算",
    ),
    "OtherEmployer.roster_received_on": (
        "借调的原用人单位，参保名册在受伤前一日收到：结算",
        "借调的原用人单位，参保名册在受伤当日收到：由用人单位支付",
    ),
    "PriorPayment.paid_on": (
        "2025-12-31 医保付款，医院须先退而未退：等待",
        "2026-01-01 医保付款，示例地区改由经办机构退：退给医保",
    ),
    "PriorPayment.reversal_requested_on": (
        "跨年度而三月末日书面申请冲销：付给医院",
        "跨年度而四月一日才书面申请冲销：手工",
    ),
    "PriorPayment.given_back_on": (
        "跨年度、没有写明申请日：以退还之日为申请日，末日之内",
        "跨年度、没有写明申请日：以退还之日为申请日，末日之后手工",
    ),
    "SuppliedDevice.supplied_on": (
        "最低使用一年、满一年的对应日更换：年限还未过，基金不付",
        "最低使用一年、对应日的次日更换：基金照付",
    ),
    "Stay.leave_days": ("出院前一日请假：少计这一天", "出院当日请假本来不计：不再多扣"),
    "Stay.hanging_days": (
        "核实出院前一日挂床：少计这一天",
        "核实出院当日挂床：本来不计，不再多扣",
    ),
    "Stay.meal_days": (
        "前一家医院的伙食到转院前一日为止：转院当日计在本次",
        "转院当日已由前一家医院支付：这一日不再支付",
    ),
    "Span.since/医生": ("开单当日医生列入名录", "开单次日医生才列入名录"),
    "Span.ended/医生": ("开单医生当日被中止服务", "开单医生次日才被中止服务"),
    "Span.since/医院": (
        "医院自开单当日列入机构名录：要看开单医生",
        "医院自开单次日才列入机构名录：名录里没有这家医院的医生，不论开单医生",
    ),
    "Span.ended/医院": (
        "医院自开单当日移出机构名录：不论开单医生",
        "医院自开单次日才移出机构名录：要看开单医生",
    ),
    "Directory.since": (
        "名录施行前一日开的单，不论开单医生",
        "名录施行当日开的单，要看开单医生",
    ),
    "Stay.stable_on": (
        "非协议医院急诊，服务前一日病情稳定而未转回：不付",
        "非协议医院急诊，服务当日病情稳定：当日照付",
    ),
    "BillLine.service_day/急诊天数": (
        "非协议医院急诊第七天的费用：归基金",
        "非协议医院急诊第八天的费用：不付",
    ),
    "CaseFacts.applied_on/用人单位": (
        "第三十天 2026-03-31 申请不算逾期",
        "第三十一天 2026-04-01 申请即逾期",
    ),
    "CaseFacts.applied_on/他人": (
        "文本规定任一方申请即可，近亲属第三十日申请：归基金",
        "文本规定任一方申请即可，近亲属第三十一日申请：归用人单位",
    ),
    "CaseFacts.accepted_on/不含当日": (
        "四月二十四日受理，当日不计入：当日费用归基金",
        "四月二十五日受理，当日不计入：前一日费用归用人单位",
    ),
    "CaseFacts.accepted_on/含当日": (
        "四月二十三日受理，当日计入：次日费用归基金",
        "四月二十四日受理，当日计入：当日费用归用人单位",
    ),
    "CaseFacts.applied_on/止于申请日，不含当日": (
        "逾期期间止于申请日（不含当日），2026-04-20 申请：四月二十日费用归基金",
        "逾期期间止于申请日（不含当日），2026-04-21 申请：四月二十日费用归用人单位",
    ),
    "CaseFacts.applied_on/止于申请日，含当日": (
        "逾期期间止于申请日（含当日），2026-04-19 申请：四月二十日费用归基金",
        "逾期期间止于申请日（含当日），2026-04-20 申请：四月二十日费用归用人单位",
    ),
    "BillLine.service_day/逾期自诊断日": (
        "职业病诊断前一日的费用：不在逾期期间，归基金",
        "职业病诊断当日的费用：在逾期期间，归用人单位",
    ),
    **{
        f"Approval.{field}/{kind}": names
        for kind, zh in (("康复", "康复审批"), ("复发", "旧伤复发审批"))
        for field, names in {
            "valid_from": (f"{zh}自入院当日起：结算", f"{zh}自入院次日起：等待审批"),
            "valid_to": (f"{zh}在出院前一日到期：等待审批", f"{zh}在出院当日到期：结算"),
        }.items()
    },
    **{
        f"Approval.{field}/{zh}": names
        for zh in ("转诊审批", "异地居住备案")
        for field, names in {
            "valid_from": (
                f"没有协议的医院，{zh}自入院当日起：登记确认",
                f"没有协议的医院，{zh}自入院次日起：登记拒绝",
            ),
            "valid_to": (
                f"没有协议的医院，{zh}在出院前一日到期：等待审批",
                f"没有协议的医院，{zh}在出院当日到期：结算",
            ),
        }.items()
    },
    "Approval.valid_from/急救": (
        "急救核准自第八天起：第八天的费用归基金",
        "急救核准自第九天起：第八天的费用不付",
    ),
    "Approval.valid_to/急救": (
        "急救核准在服务前一日到期：不付",
        "急救核准在服务当日到期：归基金",
    ),
    "Approval.valid_from/器具": (
        "器具确认自配置当日起：归基金",
        "器具确认自配置次日起：等待鉴定委员会",
    ),
    "Approval.valid_to/器具": (
        "器具确认在配置前一日到期：等待鉴定委员会",
        "器具确认在配置当日到期：归基金",
    ),
    "Approval.valid_from/跨省备案": (
        "跨省联网医院，备案自入院当日起：结算",
        "跨省联网医院，备案自入院次日起：手工",
    ),
    "Approval.valid_to/跨省备案": (
        "跨省联网医院，备案在出院前一日到期：等待续办",
        "跨省联网医院，备案在出院当日到期：结算",
    ),
    "Approval.valid_from/抢救": (
        "抢救批准自服务当日起：目录外的药归基金",
        "抢救批准自服务次日起：目录外的药归医院",
    ),
    "Approval.valid_to/抢救": (
        "抢救批准在服务前一日到期：目录外的药归医院",
        "抢救批准在服务当日到期：目录外的药归基金",
    ),
    **{
        f"BenefitStop.{field}/{zh}": names
        for zh in ("停止待遇", "拒不出院")
        for field, names in {
            "valid_from": (f"{zh}自服务当日起：不由基金支付", f"{zh}自服务次日起：归基金"),
            "valid_to": (f"{zh}在服务前一日终止：归基金", f"{zh}在服务当日终止：不由基金支付"),
        }.items()
    },
    "Joined.joined_on": ("参保次日的费用归基金", "参保当日的费用归用人单位"),
    "Joined.settled_on": ("缴清次日的费用归基金", "缴清当日的费用归用人单位"),
    "Joined.settled_on/受伤": (
        "受伤前一日参保并缴清而受伤时未参保：由用人单位支付",
        "受伤当日参保并缴清：次日起为新发生的费用，结算",
    ),
    "Joined.settled_on/承继": (
        "单位合并：承继单位在承继前一日就已参保缴清：补不了原单位的缺，由用人单位支付",
        "单位合并：承继单位在承继当日参保缴清：次日起为新发生的费用，结算",
    ),
    "Arrears.since/只保已开始的住院": (
        "入院当日开始欠费：由用人单位支付",
        "入院次日开始欠费：本次住院结算",
    ),
    "Arrears.settled_on": ("入院当日补缴：结算", "入院次日补缴：入院日的费用归用人单位"),
    "Arrears.settled_on/住院期间": (
        "费用发生在补缴当日：归基金",
        "费用发生在补缴前一日：归用人单位",
    ),
    "Arrears.since/补缴前等待": (
        "出院当日开始欠费，当地规定补缴前等待：等待",
        "出院次日开始欠费，当地规定补缴前等待：结算",
    ),
    "Arrears.since/不予支付": (
        "受伤当月末日开始欠费，当地规定不予支付：登记拒绝",
        "受伤次月一日开始欠费，当地规定不予支付：登记确认",
    ),
    "Party.agreement_from": (
        "协议自入院当日起：登记确认，可审批的没有",
        "协议自入院次日起：登记拒绝，没有审批",
    ),
    "Party.agreement_to": (
        "协议在出院前一日到期，当地规定手工：手工",
        "协议在出院当日到期，当地规定手工：结算",
    ),
    "Party.suspended_from": (
        "协议在出院当日中止，当地规定手工：手工",
        "协议在出院次日中止，当地规定手工：结算",
    ),
    "Edition.valid_to": (
        "目录旧版最后一日使用已调出的药：归基金",
        "目录新版第一日使用已调出的药：归医院",
    ),
    "Edition.valid_from": (
        "服务日早于所有目录版本：账单等待并写明目录和日期",
        "第一版目录生效当日的费用：归基金",
    ),
    "CatalogueRow.agreement_to": ("谈判药协议最后一日：归基金", "谈判药协议到期次日：归医院"),
    "CatalogueRow.agreement_from": (
        "谈判药协议开始前一日：归医院",
        "谈判药协议开始当日：归基金",
    ),
    "BillLine.service_day/入院": (
        "受伤次日、入院前一日的门诊费用，地方规定门诊手工：由人判定，账单等待",
        "受伤次日、入院当日的急救费用：在住院之内，归基金",
    ),
    "BillLine.service_day/受伤当夜入院": (
        "受伤当日、入院前两日的费用：不是当夜入院的急救，由人判定，账单等待",
        "受伤当日、入院前一日的急救费用：归基金",
    ),
    "BillLine.consent_on": (
        "目录外的费用，当日签的同意：归签字的职工",
        "目录外的费用，次日才签的同意：先由人审核",
    ),
    "BillLine.service_day/出院": (
        "出院当日的费用：在住院之内，归基金",
        "出院次日的门诊费用，地方规定门诊手工：由人判定，账单等待",
    ),
    "BillLine.service_day/疗程天数": (
        "支付不超过两天的药，第二天再用一次：归基金",
        "支付不超过两天的药，用到第三天：归医院",
    ),
}
"""For each date that decides: the rows on its two sides, one day apart."""

NO_EDGE: Final = {
    "CaseFacts.decided_on": "认定之日只印在说明里，费用按服务日",
}
"""Dates that no rule compares, each with its reason."""

DATES: Final = [one.name for one in fields_told(Bill, Directory) if one.dated]


@pytest.mark.parametrize("name", DATES)
def test_every_date_that_the_rules_see_has_rows_on_both_its_sides(name: str):
    assert any(edge.partition("/")[0] == name for edge in EDGES) is not (name in NO_EDGE)


def test_no_edge_names_a_date_that_is_not_there():
    assert {edge.partition("/")[0] for edge in EDGES} | set(NO_EDGE) == set(DATES)


def turns(name: str) -> bool:
    """Whether some row is answered otherwise once this date of its bill is another."""
    return any(_turned(row, place) for row in OF_CASES for place in _dated(row, name))


def _dated(row: Row, name: str) -> Iterator[Place]:
    return (one for one in places(the_bill(row)) if one.name == name and one.value is not None)


def _turned(row: Row, place: Place) -> bool:
    """Told a day or ten years earlier or later."""
    policy = policy_for(row)
    given = answered_with(row, the_bill(row), policy)
    moved = (place.value + timedelta(days=days) for days in (-1, 1, -3653, 3653))
    return any(answered_with(row, place.with_value(day), policy) != given for day in moved)


@pytest.mark.parametrize("name", NO_EDGE)
def test_a_date_without_an_edge_turns_no_row_that_tells_it(name: str):
    assert any(True for row in OF_CASES for _ in _dated(row, name))
    assert not turns(name)


def test_a_date_that_a_rule_compares_is_seen_to_turn_a_row():
    assert turns("BillLine.consent_on")


NOT_BY_DAYS: Final = {
    ApprovalKind.PAID_LEAVE_EXTENSION: "延长的停工留薪期以其自己的首日、末日为准（PaidLeave）",
}
"""Approvals whose days no rule compares, each with its reason."""


def moved_approvals(edge: str) -> set[tuple[Any, str]]:
    """The kinds of approval of which the two rows tell other days, with the field."""
    before, after = (facts(BY_NAME[name]) for name in EDGES[edge])
    found = set()
    for key in before.keys() & after.keys():
        place, _, field = key.rpartition(".")
        if place.startswith(".case.approvals.") and before[key] != after[key]:
            found.add((before[f"{place}.kind"], field))
    return found


def test_the_first_and_the_last_day_of_every_kind_of_approval_have_rows_on_both_sides():
    found = {one for edge in EDGES for one in moved_approvals(edge)}
    days = [one.name.partition(".")[2] for one in fields_told(Approval) if one.dated]
    every = {(kind, day) for kind in ApprovalKind for day in days}
    without = {(kind, day) for kind in NOT_BY_DAYS for day in days}
    assert found == every - without


@pytest.mark.parametrize("edge", EDGES)
def test_the_rows_on_both_sides_of_a_date_differ_by_one_day_and_in_their_outcome(edge: str):
    before, after = (BY_NAME[name] for name in EDGES[edge])
    mine, theirs = facts(before), facts(after)
    assert mine.keys() == theirs.keys()
    moved = [(mine[key], theirs[key]) for key in mine if mine[key] != theirs[key]]
    assert moved
    assert all(abs(one - other) == timedelta(days=1) for one, other in moved), moved
    same = all(mine[key] == theirs[key] for key in (".stay.admitted_on", ".stay.discharged_on"))
    assert outcome(before, of_one_stay=same) != outcome(after, of_one_stay=same)


def test_every_value_of_the_example_region_that_changes_has_rows_around_the_change():
    changes: dict[date, set[str]] = defaultdict(set)
    for key, dated in example_policy().parameters.items():
        for value in dated.values[1:]:
            changes[value.since].add(key)
    days = {the_bill(BY_NAME[name]).stay.discharged_on for pair in EDGES.values() for name in pair}
    assert set(changes) <= days, changes
