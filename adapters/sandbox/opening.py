"""第一幕 The first day: catalogues, reports, decisions, registrations and refusals."""

from datetime import date, timedelta
from typing import Final

from adapters.sandbox import cast
from adapters.sandbox.cast import CAST, Role
from adapters.sandbox.client import Unknown
from adapters.sandbox.expect import expect
from adapters.sandbox.town import Town, until
from gateway.domain.admission import AdmissionRefusal, AdmissionState
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.commands import ReadPerson

_FIRST_DAY: Final = tuple(one for one in CAST.values() if one.injured < cast.SECOND_WAVE)
_SECOND_WAVE: Final = tuple(one for one in CAST.values() if one.injured == cast.SECOND_WAVE)
_RECOGNISED: Final = (
    cast.POLYTRAUMA,
    cast.FOREARM,
    cast.REHABILITATION,
    cast.NOT_DESIGNATED,
    cast.UNKNOWN_INSURANCE,
)
_REFUSED_AT_ONCE: Final = {
    cast.UNINSURED: AdmissionRefusal.NOT_INSURED_OR_ARREARS,
    cast.TRAFFIC: AdmissionRefusal.THIRD_PARTY,
    cast.NOT_DESIGNATED: AdmissionRefusal.NON_AGREEMENT_OR_OUT_OF_REGION,
}
_APPLIED, _ACCEPTED, _DECIDED = (timedelta(days=days) for days in (6, 8, 20))
_REHABILITATION_DAYS: Final = 60
_FORBIDDEN: Final = 403
PATIENCE_S: Final = 60.0


async def catalogues(town: Town) -> str:
    """Every hospital downloads the catalogues in force."""
    goods = [await one.download_catalogue(town.today) for one in town.hospitals.values()]
    return f"{goods[0]} 项 rows"


async def cases(town: Town) -> str:
    """Employers report injuries; the department recognises some cases."""
    for role in _FIRST_DAY:
        await town.bureau.report(role.report(town.start))
    for visit_no in _RECOGNISED:
        await recognise(town, CAST[visit_no])
    rehabilitation = CAST[cast.REHABILITATION]
    await town.bureau.approve(
        cast.APPROVAL_NO,
        rehabilitation.case_no,
        ApprovalKind.REHABILITATION,
        rehabilitation.hospital,
        (town.start, town.day(_REHABILITATION_DAYS)),
    )
    return f"{len(_FIRST_DAY)} 报案 reports，{len(_RECOGNISED)} 认定 recognised"


async def recognise(town: Town, role: Role) -> None:
    """An old injury was decided in its time, a fresh one is on the day it happened."""
    injured_on = town.day(role.injured)
    if role.injured < 0:
        days: tuple[date, date, date] = (
            injured_on + _DECIDED,
            injured_on + _APPLIED,
            injured_on + _ACCEPTED,
        )
    else:
        days = (town.today, injured_on, injured_on)
    await town.bureau.decide(role.case_no, CaseState.RECOGNISED, *days)


async def carrier(town: Town) -> str:
    """Without a mandate a carrier delivers nothing, whoever signed it."""
    command = ReadPerson(person=CAST[cast.FOREARM].person)
    try:
        await town.smuggler.send("person.read", command, "H001-SMUGGLED-1")
    except Unknown as unknown:
        expect(
            unknown.status == _FORBIDDEN,
            f"无授权的代办应得 403，实为 {unknown.status}",
            f"a carrier without mandate should get 403, not {unknown.status}",
        )
    else:
        expect(False, "无授权的代办被受理", "a carrier without a mandate was let through")
    return "403"


async def registrations(town: Town) -> str:
    """Stays are registered; one of them before its case is decided."""
    expected = {
        cast.POLYTRAUMA: AdmissionState.CONFIRMED,
        cast.FOREARM: AdmissionState.CONFIRMED,
        cast.HAND: AdmissionState.HELD,
        cast.REHABILITATION: AdmissionState.CONFIRMED,
    }
    for visit_no, state in expected.items():
        await register(town, visit_no, state)
    return f"{len(expected)} 登记 registered，1 待认定 HELD"


async def register(town: Town, visit_no: str, state: AdmissionState) -> None:
    """Register one stay of the cast and expect its state."""
    command = CAST[visit_no].registration(town.start)
    await town.hospital(visit_no).register(command, state)


async def refusals(town: Town) -> str:
    """One registration is refused for each of the five reasons: three by the gateway at once,
    two by the agency's check."""
    for visit_no, refusal in _REFUSED_AT_ONCE.items():
        await register(town, visit_no, AdmissionState.REFUSED)
        _expect_refusal(town, visit_no, refusal)
    await register(town, cast.DISPUTED, AdmissionState.HELD)
    await register(town, cast.UNKNOWN_INSURANCE, AdmissionState.PENDING_CHECK)
    disputed = AdmissionRefusal.DISPUTED_NO_QUICK_RECOGNITION
    await _checked(town, cast.DISPUTED, disputed, "劳动关系有争议，不能快速认定")
    await _checked(town, cast.UNKNOWN_INSURANCE, AdmissionRefusal.OTHER, "参保信息无法核实")
    return f"{len(AdmissionRefusal) - 2} 种原因 reasons"


async def _checked(town: Town, visit_no: str, refusal: AdmissionRefusal, reason: str) -> None:
    """The agency refuses; the hospital learns it from its inbox."""
    hospital, stay = town.hospital(visit_no), town.stay(visit_no)
    await town.bureau.refuse(stay.admission_id, refusal, reason)

    async def told() -> bool:
        await hospital.pull()
        return stay.state == AdmissionState.REFUSED

    await until(told, f"{visit_no} 的核查结果应到收件箱", f"{visit_no} should be told", PATIENCE_S)
    _expect_refusal(town, visit_no, refusal)


def _expect_refusal(town: Town, visit_no: str, refusal: AdmissionRefusal) -> None:
    got = town.stay(visit_no).refusal
    expect(
        got == refusal,
        f"{visit_no} 应以 {refusal} 拒绝，实为 {got}",
        f"{visit_no} should be refused for {refusal}, not {got}",
    )


async def second_wave(town: Town) -> str:
    """More injuries, quickly recognised and registered on the same day."""
    await town.move_to(cast.SECOND_WAVE, 9)
    for role in _SECOND_WAVE:
        await town.bureau.report(role.report(town.start))
        await recognise(town, role)
        await register(town, role.visit_no, AdmissionState.CONFIRMED)
    return f"{len(_SECOND_WAVE)} 登记 registered"
