"""第二幕 Bills: small, middle and large; held and released; late and rehabilitation."""

from collections.abc import Iterable
from typing import Final

from adapters.sandbox import cast, plans
from adapters.sandbox.bills import Plan, composed
from adapters.sandbox.book import totals
from adapters.sandbox.cast import CAST
from adapters.sandbox.expect import expect
from adapters.sandbox.hospital import Hospital, Stay
from adapters.sandbox.opening import PATIENCE_S, register
from adapters.sandbox.town import Town, until
from gateway.domain.admission import AdmissionState, BillState
from gateway.domain.bill import BillLine, LineVerdict
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.commands import UploadFees
from gateway.domain.cut import CutState
from gateway.domain.money import yuan
from gateway.domain.results import Settlement

FIRST_DISCHARGES: Final = 3
"""The day on which the short stays end."""
DISCHARGES: Final = 30
"""The day on which all other stays end."""


async def small_bill(town: Town) -> str:
    """Uploaded, previewed, settled; the same message again brings the same bytes."""
    await town.move_to(FIRST_DISCHARGES, 10)
    hospital, stay = town.hospital(cast.FOREARM), town.stay(cast.FOREARM)
    await discharged(town, cast.FOREARM, plans.forearm(town.sizes.small))
    preview = await hospital.preview(stay)
    answer = await hospital.commit(stay)
    again = await hospital.client.post(answer.message_id, answer.sent)
    expect(
        again.received == answer.received,
        "重发同一报文应得到逐字节相同的答复",
        "the same message again should bring the same bytes",
    )
    settlement = hospital.book_settled(stay, answer, preview)
    _expect_reasons(cast.FOREARM, settlement, ("OUT_OF_CATALOGUE", "OVER_CEILING"))
    return told(settlement)


async def discharged(town: Town, visit_no: str, plan: Plan) -> None:
    """Upload the whole bill of a plan and register the discharge now."""
    hospital, stay = town.hospital(visit_no), town.stay(visit_no)
    await hospital.upload(stay, lines_of(town, visit_no, plan))
    await hospital.discharge(stay, town.clock.now())


def lines_of(town: Town, visit_no: str, plan: Plan) -> tuple[BillLine, ...]:
    """The bill of a plan for a stay of the cast."""
    role = CAST[visit_no]
    shelf, first_day = town.hospital(visit_no).shelf, town.day(role.admitted)
    return composed(plan, shelf, first_day, role.department)


def told(settlement: Settlement) -> str:
    """A settlement in one line of the display."""
    lines, fund = len(settlement.lines), yuan(settlement.split.fund_fen)
    return f"{lines} 行 lines，¥{yuan(settlement.total_fen)}，基金 fund ¥{fund}"


def _expect_reasons(visit_no: str, settlement: Settlement, reasons: Iterable[str]) -> None:
    found = {reason for line in settlement.lines for reason in line.reasons}
    missing = ", ".join(sorted(set(reasons) - found))
    expect(
        not missing,
        f"{visit_no} 的结算缺少原因 {missing}",
        f"the settlement of {visit_no} lacks the reasons {missing}",
    )


async def held_bill(town: Town) -> str:
    """The case is undecided at discharge: the bill is held 挂账."""
    hospital, stay = town.hospital(cast.HAND), town.stay(cast.HAND)
    await discharged(town, cast.HAND, plans.hand(40))
    answer = await hospital.commit(stay)
    expect(
        answer.code == "HELD" and answer.result.bill_state is BillState.HELD,
        f"未认定的账单应挂账，实为 {answer.code}",
        f"a bill without recognition should be held, not {answer.code}",
    )
    stay.ever_held = True
    return str(answer.result.hold)


async def late_stay(town: Town) -> str:
    """The employer applied on the 34th day; the stay is registered on its third day."""
    role = CAST[cast.LATE]
    await town.bureau.decide(role.case_no, CaseState.RECOGNISED, town.today, town.start, town.today)
    await register(town, cast.LATE, AdmissionState.CONFIRMED)
    return f"{town.start} 申请 applied，{town.today} 受理 accepted"


async def clean_day(town: Town) -> str:
    """The next morning the totals of the day before agree: no details are asked for."""
    await town.move_to(FIRST_DISCHARGES + 1, 9)
    yesterday = town.day(FIRST_DISCHARGES)
    for name, hospital in town.hospitals.items():
        command = totals(yesterday, hospital.book.on(yesterday))
        compared = (await hospital.ask("reconcile.totals", command)).result
        expect(
            compared.matched,
            f"{name} {yesterday} 总账应相符：{compared.differing}",
            f"totals of {name} on {yesterday} should agree: {compared.differing}",
        )
    return f"{yesterday} 三院相符 all agree"


async def released(town: Town) -> str:
    """The case is recognised, and the held bill settles by itself, once."""
    hospital, stay = town.hospital(cast.HAND), town.stay(cast.HAND)
    role, booked = CAST[cast.HAND], len(hospital.book.rows)
    await town.bureau.decide(role.case_no, CaseState.RECOGNISED, town.today, town.start, town.start)

    async def outcome() -> bool:
        await hospital.pull()
        return len(hospital.book.rows) > booked

    await until(outcome, "挂账应自行结算", "the held bill should settle by itself", PATIENCE_S)
    found = await hospital.query(stay.commit_id)
    once = len(hospital.book.rows) == booked + 1 and not await hospital.pull()
    expect(
        once and found.bill_state == BillState.SETTLED and bool(found.outcome_message_id),
        "挂账应只结算一次，且可由原报文查到结果",
        "the held bill should settle once and be found by its first message",
    )
    return told(list(hospital.book.live.values())[-1])


async def middle_bill(town: Town) -> str:
    """A line a fen too high is rejected alone, mended, and the bill settled."""
    await town.move_to(DISCHARGES, 10)
    hospital, stay = town.hospital(cast.TIBIA), town.stay(cast.TIBIA)
    lines = lines_of(town, cast.TIBIA, plans.tibia(town.sizes.middle))
    await _spoilt(town, lines)
    await hospital.upload(stay, lines)
    await hospital.discharge(stay, town.clock.now())
    settlement = await hospital.settle(stay)
    reasons = ("OUT_OF_CATALOGUE", "OVER_CEILING")
    _expect_reasons(cast.TIBIA, settlement, reasons)
    return told(settlement)


async def _spoilt(town: Town, lines: tuple[BillLine, ...]) -> None:
    """The first batch with one amount that is not price × quantity: every good line is kept."""
    hospital, stay = town.hospital(cast.TIBIA), town.stay(cast.TIBIA)
    batch = tuple(
        line._replace(amount_fen=line.amount_fen + 1) if line.line_id == plans.SPOILT_LINE else line
        for line in lines[:20]
    )
    command = UploadFees(admission_id=stay.admission_id, lines=batch)
    answers = (await hospital.change("fees.upload", command)).result.answers
    rejected = {one.line_id: one.finding.code for one in answers if one.status == "rejected"}
    expect(
        rejected == {plans.SPOILT_LINE: "LINE_AMOUNT_MISMATCH"} and len(answers) == len(batch),
        f"应只拒收 {plans.SPOILT_LINE}，实为 {rejected}",
        f"only {plans.SPOILT_LINE} should be rejected, not {rejected}",
    )


async def _cut(town: Town, hospital: Hospital, stay: Stay) -> None:
    """The double charge is served on the hospital, accepted, and upheld by a second clerk."""
    cut_no = await town.bureau.find_violation(
        stay.admission_id, plans.DOUBLE_LINE, "DUPLICATE_CHARGE"
    )
    await _told_of(hospital, stay, cut_no, CutState.NOTICED)
    await hospital.accept_cut(cut_no)
    await town.bureau.uphold(cut_no)
    await _told_of(hospital, stay, cut_no, CutState.UPHELD)


async def _told_of(hospital: Hospital, stay: Stay, cut_no: str, state: CutState) -> None:
    async def told_so() -> bool:
        await hospital.pull()
        return cut_no in stay.cuts and stay.cuts[cut_no].state is state

    await until(told_so, "扣减应送达医院", "the cut should reach the hospital", PATIENCE_S)


async def large_bill(town: Town) -> str:
    """Three thousand lines: a rescue drug is approved, a double charge found, all settled."""
    hospital, stay = town.hospital(cast.POLYTRAUMA), town.stay(cast.POLYTRAUMA)
    plan = plans.polytrauma(town.sizes.large, DISCHARGES)
    await discharged(town, cast.POLYTRAUMA, plan)
    await town.bureau.approve(
        "P-RESCUE-01",
        CAST[cast.POLYTRAUMA].case_no,
        ApprovalKind.EMERGENCY_ITEM,
        "H001",
        (town.start, town.today),
        (plans.RESCUE_LINE,),
    )
    await _cut(town, hospital, stay)
    settlement = await hospital.settle(stay)
    rescued, doubled = _lines(settlement, plans.RESCUE_LINE, plans.DOUBLE_LINE)
    expect(
        rescued.split.fund_fen == rescued.amount_fen
        and doubled.split.hospital_fen == doubled.amount_fen,
        "批准的抢救用药由基金支付，重复收费由医院承担",
        "the fund bears the approved rescue drug, the hospital what it charged twice",
    )
    reasons = ("NOT_INJURY", "OUT_OF_CATALOGUE", "OVER_CEILING", "EMERGENCY_APPROVED")
    _expect_reasons(cast.POLYTRAUMA, settlement, reasons)
    return told(settlement)


def _lines(settlement: Settlement, *line_ids: str) -> list[LineVerdict]:
    by_id = {line.line_id: line for line in settlement.lines}
    return [by_id[line_id] for line_id in line_ids]


async def other_bills(town: Town) -> str:
    """Rehabilitation under its approval, and the stay of the late application: the employer
    bears what fell before acceptance."""
    nights = DISCHARGES - CAST[cast.LATE].admitted
    await discharged(town, cast.LATE, plans.knee(60, nights))
    await discharged(town, cast.REHABILITATION, plans.training(120, DISCHARGES))
    late = await town.hospital(cast.LATE).settle(town.stay(cast.LATE))
    _expect_reasons(cast.LATE, late, ("LATE_APPLICATION",))
    expect(
        late.split.employer_fen > 0 and late.split.fund_fen > 0,
        "逾期申请期间由单位承担，其后由基金支付",
        "the employer bears the late window, the fund what came after",
    )
    rehabilitation = await town.hospital(cast.REHABILITATION).settle(town.stay(cast.REHABILITATION))
    return f"{told(late)}；{told(rehabilitation)}"
