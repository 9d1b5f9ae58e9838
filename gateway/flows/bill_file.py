"""A bill with everything it is computed from; shared by preview, commit and release."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.admission import LIVE, PaidAtDischargeBy, Stay
from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.findings import Finding
from gateway.domain.money import yuan
from gateway.flows.desk import Desk
from gateway.flows.off_loop import LINE_BYTES, off_loop
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.none_found import none_found
from gateway.rules.place import catalogue_region
from gateway.rules.settle import Bill, device_codes, settle
from gateway.store.database import Reader
from gateway.store.devices import device_moves, devices_supplied
from gateway.store.editions import edition_guard
from gateway.store.frozen import Facts, frozen
from gateway.store.stays import StayFile, lines_of, stay_guard, stays_of_person
from gateway.store.unit import Guard, Write

Verdict = BillVerdict | Hold | Refuse | Manual


@dataclass(frozen=True, slots=True)
class BillFile:
    """The stay's file and the bill the rules see."""

    file: StayFile
    bill: Bill

    def guards(self) -> tuple[Guard, ...]:
        """Every fact the verdict used: case, person (a stay registered meanwhile moves it), the
        person's other stays, editions.

        The stay itself is compared and changed by the transaction.
        """
        editions = tuple(edition_guard(edition) for edition in self.bill.editions)
        others = tuple(stay_guard(other) for other in self.bill.others)
        person = () if self.file.case is None else (self.file.person_guard,)
        return (*self.file.case_guards, *person, *others, *editions)

    def moves(self) -> tuple[Write, ...]:
        """What a settlement in force moves beside the stay, so that another sees it."""
        return device_moves(self.file) if device_codes(self.bill) else ()

    def detail(self, verdict: BillVerdict | None) -> str:
        """What is stored with the settlement: frozen facts and the verdict."""
        bill = self.bill
        known = bill.stay, bill.case, bill.hospital, bill.lines
        facts = Facts(*known, others=bill.others, devices=bill.devices, paid_by=bill.paid_by)
        return frozen(facts, verdict)

    def paid_by(self, payer: PaidAtDischargeBy) -> "BillFile":
        """The same bill when this payer paid the would-be fund share at the counter: one that
        is settled later must know it, else the hospital is paid twice."""
        return replace(self, bill=replace(self.bill, paid_by=payer))


async def load_bill(
    desk: Desk, reader: Reader, file: StayFile, discharged_on: date | None = None
) -> BillFile:
    """The lines and editions of a stay; a preview may assume a day of discharge."""
    lines = await lines_of(reader, file.stay.admission_id)
    days = [line.service_day for line in lines] or [file.stay.admitted_on]
    region = catalogue_region(file.stay, file.hospital, desk.policy)
    editions = await desk.shelf.between(reader, min(days), max(days), region)
    stay = file.stay
    if stay.discharged_on is None and discharged_on is not None:
        stay = replace(stay, discharged_on=discharged_on)
    others = await other_stays(reader, stay)
    bill = Bill(stay, file.case, file.hospital, lines, editions, stays_beside(others))
    return BillFile(file, await with_devices(reader, bill))


async def other_stays(reader: Reader, stay: Stay) -> tuple[StayFile, ...]:
    """The person's other stays that are registered or settled."""
    found = await stays_of_person(reader, stay.person_id)
    return tuple(
        one
        for one in found
        if one.stay.state in LIVE and one.stay.admission_id != stay.admission_id
    )


def seeing(
    others: Iterable[StayFile], days: Collection[date], *, devices: bool
) -> tuple[StayFile, ...]:
    """The person's other stays whose settlements may see another meal day, or another device,
    when these days of the allowance of a stay beside them change, or its devices do."""
    return tuple(one for one in others if devices or _spans(one.stay, days))


def _spans(stay: Stay, days: Iterable[date]) -> bool:
    return any(stay.admitted_on <= day <= stay.last_day for day in days)


def stays_beside(others: Iterable[StayFile]) -> tuple[Stay, ...]:
    """The other stays as the rules see them: each with the meal days that stand of it."""
    return tuple(replace(one.stay, meal_days=one.standing_meal_days) for one in others)


async def with_devices(reader: Reader, bill: Bill) -> Bill:
    """The bill with the devices that stand of the person's other settlements."""
    person_id, own = bill.stay.person_id, bill.stay.admission_id
    return replace(bill, devices=await devices_supplied(reader, person_id, device_codes(bill), own))


async def decided(desk: Desk, bill_file: BillFile) -> Verdict:
    """What the rules say of the bill; of one without a case, once waiting for it is over."""
    if bill_file.bill.case is None:
        over = none_found(bill_file.bill.stay, desk.policy, desk.today)
        if over is not None:
            return over
    size = LINE_BYTES * len(bill_file.bill.lines)
    return await off_loop(size, lambda: settle(bill_file.bill, desk.policy))


def disagreements(
    lines: tuple[BillLine, ...], expected_count: int, expected_amount_fen: int
) -> list[Finding]:
    """Where the hospital's count and sum differ from the lines kept here."""
    faults = []
    if not lines:
        faults.append(Finding("NO_LINES", "AdmissionId"))
    if len(lines) != expected_count:
        faults.append(
            Finding("COUNT_MISMATCH", "ExpectedCount", str(expected_count), str(len(lines)))
        )
    amount = sum(line.amount_fen for line in lines)
    if amount != expected_amount_fen:
        got, expected = yuan(expected_amount_fen), yuan(amount)
        faults.append(Finding("TOTAL_MISMATCH", "ExpectedAmount", got, expected))
    return faults


def paid_while_held(file: StayFile, declared: PaidAtDischargeBy) -> PaidAtDischargeBy:
    """Who paid at the counter before a commit settles at once.

    A commit says who pays if it is held: of a bill that never was held, nobody did.
    """
    if not file.row["ever_held"]:
        return PaidAtDischargeBy.NOBODY
    return paid_before_or_now(file, declared)


def paid_before_or_now(file: StayFile, declared: PaidAtDischargeBy) -> PaidAtDischargeBy:
    """Who this commit says pays; when nobody, who paid while the bill was held before."""
    if declared is PaidAtDischargeBy.NOBODY and file.row["ever_held"]:
        return PaidAtDischargeBy(file.row["paid_by"])
    return declared
