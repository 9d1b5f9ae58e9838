"""payment.report: who paid what for a stay before the fund does, by its document 先前支付.

What basic insurance paid is given back first, what a third party paid for eligible medical
fees is taken off, what employer or worker paid goes back to them: the bill that waits for it
is looked at again. Of a settled bill nothing is edited: what the payment changes of it is proposed,
for two persons to approve (flows/readjudicate.py).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from gateway.domain.admission import LIVE
from gateway.domain.commands import ReportPayment
from gateway.domain.findings import Finding
from gateway.domain.money import yuan
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.readjudication import Cause
from gateway.domain.results import Acknowledged
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.stay_file import state_finding
from gateway.flows.waiting import correction_acts, correction_notices, decide_again, look_again
from gateway.store import tables
from gateway.store.frozen import plain
from gateway.store.rows import canonical
from gateway.store.stays import StayFile, detail_of, stay_file
from gateway.store.unit import Change

_OF_BASIC_INSURANCE = (
    ("insurance_year", "InsuranceYear"),
    ("reversal_requested_on", "ReversalRequestedOn"),
    ("given_back_on", "GivenBackOn"),
)


async def report_payment(desk: Desk, caller: Caller, command: ReportPayment) -> Plan:
    """Keep the payment under its number, or take it back."""
    async with desk.database.reading() as reader:
        file = await stay_file(reader, command.admission_id)
        if file is None:
            return refused(Finding("ADMISSION_NOT_FOUND", "AdmissionId", command.admission_id))
        if file.stay.state not in LIVE:
            return refused(state_finding(file), subject=file.stay.admission_id)
        detail = detail_of(reader, file)
    faults = [*_faults(desk.today, command.payment), *_unknown(file, command)]
    if faults:
        return refused(*faults, subject=file.stay.admission_id)
    detail["payments"] = plain(_kept(file, command))
    return _reported(desk, file, command, detail)


def _faults(today: date, payment: PriorPayment) -> Iterator[Finding]:
    """Everything that contradicts itself, at once."""
    amounts = {
        "EligiblePaid": payment.eligible_fen,
        "MealPaid": payment.meal_fen,
        "OtherPaid": payment.other_fen,
    }
    for field, fen in amounts.items():
        if fen < 0:
            yield Finding("VALUE_CONFLICT", field, yuan(fen), ">= 0.00")
    if not any(amounts.values()):
        yield Finding("VALUE_CONFLICT", "EligiblePaid", yuan(0), "> 0.00")
    if payment.meal_fen and payment.payer is not PriorPayer.EMPLOYER:
        yield Finding("VALUE_CONFLICT", "MealPaid", payment.payer, PriorPayer.EMPLOYER)
    yield from _insurance_faults(payment)
    yield from _date_faults(today, payment)


def _insurance_faults(payment: PriorPayment) -> Iterator[Finding]:
    """Basic insurance names its settlement; nobody else has one, or anything to give back."""
    if payment.payer is PriorPayer.BASIC_INSURANCE:
        if not payment.settlement_no:
            yield Finding("VALUE_CONFLICT", "BmiSettlementNo", "", "a value")
        return
    told = [("BmiSettlementNo", payment.settlement_no)]
    told += [(field, getattr(payment, word)) for word, field in _OF_BASIC_INSURANCE]
    for field, value in told:
        if value:
            yield Finding("VALUE_CONFLICT", field, payment.payer, PriorPayer.BASIC_INSURANCE)


def _date_faults(today: date, payment: PriorPayment) -> Iterator[Finding]:
    """Paid, asked to reverse, given back: in this order, and none ahead."""
    earlier = None
    for field, day in (
        ("PaidOn", payment.paid_on),
        ("ReversalRequestedOn", payment.reversal_requested_on),
        ("GivenBackOn", payment.given_back_on),
    ):
        if day is None:
            continue
        if earlier is not None and day < earlier:
            yield Finding("VALUE_CONFLICT", field, str(day), f">= {earlier}")
        if day > today:
            yield Finding("VALUE_CONFLICT", field, str(day), f"<= {today}")
        earlier = day


def _unknown(file: StayFile, command: ReportPayment) -> Iterator[Finding]:
    """Only a payment on record can be taken back; one settlement of basic insurance is one
    payment."""
    new = command.payment
    if command.withdrawn:
        if new.payment_no not in {one.payment_no for one in file.stay.payments}:
            yield Finding("VALUE_CONFLICT", "PaymentNo", new.payment_no, "a payment on record")
        return
    for one in file.stay.payments:
        same = one.settlement_no and one.settlement_no == new.settlement_no
        if same and one.payment_no != new.payment_no:
            yield Finding("VALUE_CONFLICT", "BmiSettlementNo", new.settlement_no, one.payment_no)


def _kept(file: StayFile, command: ReportPayment) -> tuple[PriorPayment, ...]:
    kept = {one.payment_no: one for one in file.stay.payments}
    kept.pop(command.payment.payment_no, None)
    if not command.withdrawn:
        kept[command.payment.payment_no] = command.payment
    return tuple(kept[number] for number in sorted(kept))


def _reported(desk: Desk, file: StayFile, command: ReportPayment, detail: dict[str, Any]) -> Plan:
    """The stay's version moves, so that a settlement or the approval of a delta racing with the
    report decides anew."""
    stay, payment = file.stay, command.payment
    told = f"payment.report {payment.payment_no}"
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {"version": stay.version + 1, "detail": canonical(detail)}
    return applied(
        Acknowledged(subject=payment.payment_no, state=file.bill_state),
        subject=stay.admission_id,
        writes=(
            Change(tables.admission, where, values),
            *look_again(desk, [file], told),
            *decide_again(desk, [file], told, Cause.PAYMENT),
        ),
        acts=(
            Act(
                action="payment.report",
                subject=stay.admission_id,
                to_state="WITHDRAWN" if command.withdrawn else payment.payer,
                code=payment.payment_no,
                reason=f"{command.by} {command.reason}",
            ),
            *correction_acts([file], payment.payment_no),
        ),
        notices=correction_notices(desk, [file], told, Cause.PAYMENT),
    )
