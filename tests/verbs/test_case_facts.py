"""The facts at the head of an explanation: each that can decide, where it was told."""

from dataclasses import fields, replace
from datetime import date
from typing import Any, Final

import pytest

from gateway.domain.admission import DaySpan, PaidAtDischargeBy, Stay
from gateway.domain.case import (
    CONDITION_LOST,
    REFUSED_DISCHARGE,
    Applicant,
    Approval,
    ApprovalKind,
    Arrears,
    AuthorityKind,
    BenefitStop,
    CaseFacts,
    EmployerRole,
    EmploymentTie,
    Grade,
    Joined,
    OtherEmployer,
    PaidLeave,
    ThirdParty,
)
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.store.frozen import Facts
from gateway.verbs.case_facts import facts_told
from tests.rules.facts import a_case, a_hospital, a_stay

DAY, LATER = date(2026, 3, 2), date(2026, 3, 6)
ORDINARY: Final = ["受伤时参保 insured at injury：是 yes"]
APPROVAL: Final = Approval(
    approval_no="A1",
    kind=ApprovalKind.DEVICE,
    hospitals=frozenset({"H1"}),
    valid_from=DAY,
    valid_to=LATER,
    authority_kind=AuthorityKind.ASSESSMENT_COMMITTEE,
    authority="示例市（虚构）",
    device_codes=frozenset({"PART-HAND"}),
)
SUCCESSOR: Final = OtherEmployer(
    "E2", EmploymentTie.SUCCESSION, EmployerRole.SUCCESSOR, DAY, None, LATER
)
THIRD: Final = PriorPayment(
    payment_no="V1", payer=PriorPayer.THIRD_PARTY, eligible_fen=500, other_fen=250, paid_on=LATER
)
INSURANCE: Final = PriorPayment(
    payment_no="V2",
    payer=PriorPayer.BASIC_INSURANCE,
    eligible_fen=100,
    meal_fen=300,
    paid_on=LATER,
    insurance_year=2026,
    reversal_requested_on=DAY,
    given_back_on=LATER,
)


def told(
    case: dict[str, Any] | None = None,
    stay: dict[str, Any] | None = None,
    covered_from: date | None = None,
    **more: Any,
) -> list[str]:
    """What the head says beyond the ordinary."""
    facts = Facts(a_stay(**stay or {}), a_case(**case or {}), a_hospital(), (), **more)
    found = list(facts_told(facts, covered_from))
    return [one for one in found if one not in ORDINARY]


OF_CASE: Final[list[tuple[dict[str, Any], str]]] = [
    ({"applied_by": Applicant.KIN}, "申请人 applied by：KIN 近亲属 next of kin"),
    (
        {"application_extended_to": LATER},
        "申请时限延长至 time to apply extended to：2026-03-06",
    ),
    ({"diagnosed_on": DAY}, "职业病诊断 occupational disease diagnosed：2026-03-02"),
    ({"insured_at_injury": False}, "受伤时参保 insured at injury：否 no"),
    ({"insured_at_injury": None}, "受伤时参保 insured at injury：不明 unknown"),
    ({"roster_received_on": DAY}, "名册收到 roster received：2026-03-02"),
    ({"joined": (Joined(DAY, LATER),)}, "参保 joined：2026-03-02  缴清 paid 2026-03-06"),
    (
        {"joined": (Joined(DAY, None, "E2"),)},
        "参保 joined：2026-03-02  未缴清 not paid（单位 employer E2）",
    ),
    (
        {"arrears": (Arrears(DAY, LATER),)},
        "欠缴 arrears：自 since 2026-03-02  缴清 paid 2026-03-06",
    ),
    ({"arrears": (Arrears(DAY, None),)}, "欠缴 arrears：自 since 2026-03-02  未缴清 not paid"),
    ({"underpaid": True}, "未足额缴费 premiums paid on too low a wage：是 yes"),
    (
        {"others": (SUCCESSOR,)},
        "其他用人单位 other employer：E2 SUCCESSION 分立、合并、转让后承继 "
        "took over after a division, merger or transfer  SUCCESSOR 承继单位 the successor  "
        "自 since 2026-03-02  受伤时参保 insured at injury 不明 unknown  "
        "名册收到 roster received 2026-03-06",
    ),
    (
        {"third_party": ThirdParty.CONFIRMED_PAID},
        "第三人 third party：CONFIRMED_PAID 第三人已支付 confirmed and paid",
    ),
    ({"traffic_accident": True}, "交通事故 traffic accident：是 yes"),
    ({"litigation": True}, "复议或诉讼 review or suit：是 yes"),
    ({"disputed": True}, "争议 disputed：是 yes"),
    ({"relation_ended_on": DAY}, "劳动关系终止 employment ended：2026-03-02"),
    ({"grade": Grade.FIVE_TO_TEN}, "伤残等级 grade：FIVE_TO_TEN 五级至十级 grades 5 to 10"),
    ({"lump_sum_on": DAY}, "一次性领取待遇 benefits taken at once：2026-03-02"),
    ({"retired_on": DAY}, "退休 retired：2026-03-02"),
    (
        {"stops": (BenefitStop(DAY, None, REFUSED_DISCHARGE, "N1"),)},
        "通知和停止待遇 notices and stops：N1 拒不出院通知 notice of discharge that was refused  "
        "2026-03-02 至 to 未定 open",
    ),
    (
        {"stops": (BenefitStop(DAY, LATER, CONDITION_LOST, "N2"),)},
        "通知和停止待遇 notices and stops：N2 丧失享受条件 a condition of benefits was lost  "
        "2026-03-02 至 to 2026-03-06",
    ),
    (
        {"paid_leave": (PaidLeave(DAY, LATER, extension=True),)},
        "停工留薪期 paid leave：2026-03-02 至 to 2026-03-06  经确认延长 extension confirmed",
    ),
    (
        {"approvals": (APPROVAL,)},
        "审批 approval：A1 DEVICE 辅助器具 assistive device  2026-03-02 至 to 2026-03-06  "
        "示例市（虚构）（ASSESSMENT_COMMITTEE 劳动能力鉴定委员会 "
        "the committee for assessing the ability to work）  地点 place H1  器具 devices PART-HAND",
    ),
]
OF_STAY: Final[list[tuple[dict[str, Any], str]]] = [
    ({"emergency": True}, "急诊 emergency：是 yes"),
    ({"stable_on": LATER}, "病情稳定 stable：2026-03-06"),
    ({"confirmed_by_agency": True}, "登记经办机构已核 registration checked by the agency：是 yes"),
    (
        {"notified_by_employer": False},
        "单位书面告知医院 hospital told in writing by the employer：否 no",
    ),
    (
        {"leave_days": DaySpan(DAY, LATER).days},
        "请假 on leave：2026-03-02/2026-03-06",
    ),
    ({"hanging_days": frozenset({DAY})}, "挂床 hanging bed：2026-03-02/2026-03-02"),
    (
        {"payments": (THIRD,)},
        "先前支付 paid before：third_party 第三人 a third party  2026-03-06  "
        "可支付医疗费 eligible 5.00  其他 other 2.50",
    ),
    (
        {"payments": (INSURANCE,)},
        "先前支付 paid before：basic_insurance 基本医疗保险基金 basic medical insurance  "
        "2026-03-06  可支付医疗费 eligible 1.00  伙食 meals 3.00  医保年度 insurance year 2026  "
        "书面申请冲正 reversal requested 2026-03-02  已退还 given back 2026-03-06",
    ),
]


@pytest.mark.parametrize(("case", "line"), OF_CASE, ids=[line for _, line in OF_CASE])
def test_a_fact_of_the_case_is_told_in_both_languages(case: dict[str, Any], line: str):
    assert told(case) == [line]


@pytest.mark.parametrize(("stay", "line"), OF_STAY, ids=[line for _, line in OF_STAY])
def test_a_fact_of_the_stay_is_told_in_both_languages(stay: dict[str, Any], line: str):
    assert told(stay=stay) == [line]


def test_of_an_ordinary_case_only_its_insurance_is_told():
    assert list(facts_told(Facts(a_stay(), a_case(), a_hospital(), ()), None)) == ORDINARY
    assert list(facts_told(Facts(a_stay(), None, a_hospital(), ()), None)) == []


def test_who_paid_while_the_bill_was_held_is_told():
    assert told(paid_by=PaidAtDischargeBy.EMPLOYER) == [
        "挂账期间垫付 paid while held：employer 用人单位垫付 the employer"
    ]


def test_the_first_day_of_cover_is_told_as_our_reading():
    begins = (
        "新发生的费用自此日起（本网关的理解） costs newly arise from（our reading）：2026-03-06"
    )
    assert told(covered_from=LATER) == [begins]


def test_the_words_of_a_stop_are_not_told_because_they_may_tell_of_the_person():
    stop = BenefitStop(DAY, None, "测试职工甲拒绝治疗", "N3")
    (line,) = told({"stops": (stop,)})
    assert "N3 停止待遇决定 decision to stop benefits" in line
    assert "测试职工甲" not in line


AT_THE_TOP: Final = {"case_no", "state", "injured_on", "applied_on", "accepted_on", "decided_on"}
"""Facts of the case in the lines above."""
OF_NO_BILL: Final = {
    "version": "不是案情",
    "person_id": "个人",
    "employer_no": "只是编号；承担责任的单位另印",
    "reported_at": "只决定急诊是否按时报告",
    "decision_no": "决定书的编号",
    "authority": "作出认定的部门",
    "card_lost": "不影响费用由谁承担",
    "diagnosis_codes": "病情，不印",
}


def test_every_other_fact_of_a_case_is_told():
    facts = {name for case, _ in OF_CASE for name in case}
    assert facts | AT_THE_TOP | set(OF_NO_BILL) == {one.name for one in fields(CaseFacts)}
    assert not facts & (AT_THE_TOP | set(OF_NO_BILL))


@pytest.mark.parametrize("name", ["born_on", "person_id", "approval_no"])
def test_of_the_stay_nothing_that_tells_of_the_person_is_told(name: str):
    stay: Stay = a_stay()
    known = replace(stay, **{name: DAY if name == "born_on" else "110101199003070011"})
    assert list(facts_told(Facts(known, a_case(), a_hospital(), ()), None)) == ORDINARY
