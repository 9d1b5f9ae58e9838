"""The blocks `paid` and `travel` of a case: read, and what its `expect` says of them."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from adapters.case_file import names
from adapters.case_file.tables import (
    AMOUNT,
    COUNT,
    DAY,
    LIST,
    RATE,
    RATIO,
    TEXT,
    YES_NO,
    Table,
    table,
)
from gateway.domain.bill import Payee
from gateway.domain.calculation import CasePaid, ExpectedPaid, ExpectedTravel
from gateway.domain.payments import PriorPayer
from gateway.domain.travel import CaseTrip, Fare, Nights, TravelCaps, Trip

T = TypeVar("T")

_PRIOR_PAYERS: Final[Mapping[str, PriorPayer]] = {one.value: one for one in PriorPayer}
_BOTH: Final = (PriorPayer.EMPLOYER, PriorPayer.INDIVIDUAL)


def read_paid(whole: Table) -> CasePaid | None:
    """Who paid for the fund's part of the fees. Employer and worker cannot both stand in a
    case: no text says who of them comes first when the fund's share is too small for both."""
    paid = whole.inner(names.PAID)
    if paid is None:
        return None
    told = {payer: paid.maybe(key, RATE) for key, payer in _PRIOR_PAYERS.items()}
    liability = paid.maybe(names.LIABILITY, RATIO)
    if all(told[one] for one in _BOTH):
        paid.fault(
            PriorPayer.INDIVIDUAL.value,
            "",
            "单位和个人只写其一：谁先谁后没有规定",
            "employer or individual: no text says who comes first",
        )
    paid.close()
    given = {payer: amount for payer, amount in told.items() if amount is not None}
    return CasePaid(given, liability)


def read_trip(whole: Table) -> CaseTrip | None:
    """A trip with its receipts, and the caps: given, or a region's on a day."""
    trip = whole.inner(names.TRAVEL)
    if trip is None:
        return None
    told = Trip(
        hospital_certificate=trip.holds(names.HOSPITAL_CERTIFICATE, YES_NO),
        agency_consent=trip.holds(names.AGENCY_CONSENT, YES_NO),
        fares=_each(trip, names.FARES, _fare),
        waited=_each(trip, names.WAITED, _nights),
        hospital_days=trip.maybe(names.HOSPITAL_DAYS, COUNT) or 0,
    )
    caps = _caps(trip)
    region, day = trip.maybe(names.REGION, TEXT), trip.maybe(names.DAY, DAY)
    if trip.has(names.CAPS) is (trip.has(names.REGION) and trip.has(names.DAY)):
        zh, en = "应写 caps，或写 region 和 day", "give caps, or region and day"
        trip.fault(names.CAPS, "", zh, en)
    trip.close()
    return CaseTrip(told, caps, region or "", day)


def _each(whole: Table, key: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    """Every object of an array that may be absent."""
    found, rows = [], whole.maybe(key, LIST)
    for no, raw in enumerate(rows or (), start=1):
        one = table(whole.faults, whole.case, 0, f"{whole.path}.{key}[{no}]", raw)
        if one is not None:
            found.append(read(one))
            one.close()
    return tuple(found)


def _fare(fare: Table) -> Fare:
    trip = fare.maybe(names.ROUND_TRIP, COUNT)
    if trip == 0:
        fare.fault(names.ROUND_TRIP, "0", "往返从 1 起", "round trips count from 1")
    name, amount = fare.take(names.NAME, TEXT), fare.take(names.AMOUNT, RATE)
    return Fare(name or "", amount or 0, 1 if trip is None else trip)


def _nights(nights: Table) -> Nights:
    count, price = nights.take(names.NIGHTS, COUNT), nights.take(names.PRICE, RATE)
    return Nights(count or 0, price or 0)


def _caps(trip: Table) -> TravelCaps | None:
    caps = trip.inner(names.CAPS)
    if caps is None:
        return None
    found = TravelCaps(
        caps.take(names.LODGING_PER_NIGHT, RATE) or 0,
        caps.take(names.WAITING_DAYS, COUNT) or 0,
        caps.take(names.MEAL_PER_DAY, RATE) or 0,
    )
    caps.close()
    return found


def read_expected_paid(expect: Table) -> ExpectedPaid | None:
    """Payees, what was taken off and the claim, as far as they are compared."""
    paid = expect.inner(names.PAID)
    if paid is None:
        return None
    payees = paid.inner(names.PAYEES)
    told = None if payees is None else _payees(payees)
    found = ExpectedPaid(told, paid.maybe(names.TAKEN_OFF, AMOUNT), paid.maybe(names.CLAIM, AMOUNT))
    paid.close()
    return found


def _payees(payees: Table) -> dict[Payee, int]:
    told = {one: payees.maybe(one.value, AMOUNT) for one in Payee}
    payees.close()
    return {one: amount for one, amount in told.items() if amount is not None}


def read_expected_trip(expect: Table) -> ExpectedTravel | None:
    """What the fund pays of the trip and what stays the worker's own."""
    trip = expect.inner(names.TRAVEL)
    if trip is None:
        return None
    found = ExpectedTravel(trip.maybe(names.FUND, AMOUNT), trip.maybe(names.OWN, AMOUNT))
    trip.close()
    return found
