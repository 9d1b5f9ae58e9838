"""第三幕 What goes wrong on a line: cancelled, reversed, reversed too early, cut off, midnight."""

from adapters.sandbox import cast, plans
from adapters.sandbox.expect import expect
from adapters.sandbox.opening import PATIENCE_S
from adapters.sandbox.settling import DISCHARGES, discharged, told
from adapters.sandbox.town import Town, until
from gateway.domain.codes import Outcome

_LINES = 24
FENCED = "H002-FENCED-1"
"""The message id that is reversed before it arrives."""
_CUT_OFF = "H002-CUT-OFF-1"


async def cancelled(town: Town) -> str:
    """A settlement is cancelled, its bill corrected and settled anew."""
    hospital, stay = town.hospital(cast.FINGER), town.stay(cast.FINGER)
    await discharged(town, cast.FINGER, plans.finger(_LINES))
    await hospital.settle(stay)
    await hospital.cancel(stay)
    await hospital.void(stay, stay.lines[-1].line_id)
    return told(await hospital.settle(stay))


async def reversed_after(town: Town) -> str:
    """A settlement is reversed by its message id; the original then answers SUPERSEDED."""
    hospital, stay = town.hospital(cast.ANKLE), town.stay(cast.ANKLE)
    await discharged(town, cast.ANKLE, plans.ankle(_LINES))
    await hospital.settle(stay)
    first = stay.committed
    undone = await hospital.reverse(stay.commit_id)
    expect(
        undone.result.effect == "UNDONE",
        f"冲正应生效，实为 {undone.result.effect}",
        f"the reversal should undo, not {undone.result.effect}",
    )
    hospital.book.reversed(undone.result.settlement, stay.person.id_no)
    again = await hospital.client.post(first.message_id, first.sent) if first else None
    expect(
        again is not None
        and first is not None
        and again.code == "SUPERSEDED"
        and again.result.stored_reply == first.received,
        "被冲正的原报文应答 SUPERSEDED 并附原答复",
        "the reversed original should answer SUPERSEDED with its first reply",
    )
    return told(await hospital.settle(stay))


async def reversed_before(town: Town) -> str:
    """The reversal overtakes its original: the late original is refused, a new one settles."""
    hospital, stay = town.hospital(cast.HUMERUS), town.stay(cast.HUMERUS)
    await discharged(town, cast.HUMERUS, plans.humerus(_LINES))
    fenced = await hospital.reverse(FENCED)
    late = await hospital.commit(stay, FENCED)
    expect(
        fenced.code == "TOMBSTONED"
        and (late.outcome, late.code) == (Outcome.REFUSED, "REVERSED_BEFORE_ARRIVAL"),
        f"迟到的原报文应被拒绝，实为 {late.code}",
        f"the late original should be refused, not {late.code}",
    )
    return told(await hospital.settle(stay))


async def cut_off(town: Town) -> str:
    """The connection breaks before the answer: query, then resend for the same bytes."""
    hospital, stay = town.hospital(cast.HEEL), town.stay(cast.HEEL)
    await discharged(town, cast.HEEL, plans.heel(_LINES))
    sealed = hospital.client.sealed("settlement.commit", hospital.commitment(stay), _CUT_OFF)
    await hospital.client.hang_up(_CUT_OFF, sealed)

    async def decided() -> bool:
        return (await hospital.query(_CUT_OFF)).state == Outcome.APPLIED

    await until(decided, "断线的报文应已办理", "the cut-off message should be applied", PATIENCE_S)
    found = await hospital.query(_CUT_OFF)
    stay.committed = await hospital.client.post(_CUT_OFF, sealed)
    expect(
        stay.committed.received == found.stored_reply,
        "重发应得到查询所见的同一答复",
        "resending should bring the reply that the query showed",
    )
    return told(hospital.book_settled(stay, stay.committed))


async def midnight(town: Town) -> str:
    """Discharged before midnight, settled after it: the HIS books the day before."""
    hospital, stay = town.hospital(cast.MIDNIGHT), town.stay(cast.MIDNIGHT)
    await town.move_to(DISCHARGES, 23, 58)
    await discharged(town, cast.MIDNIGHT, plans.shoulder(_LINES))
    await town.move_to(DISCHARGES + 1, 0, 1)
    settlement = await hospital.settle(stay, booked_on=town.day(DISCHARGES))
    expect(
        settlement.business_day == town.day(DISCHARGES + 1),
        "零点后的结算属于次日",
        "what is settled after midnight belongs to the next day",
    )
    return f"{told(settlement)}，{settlement.business_day}"
