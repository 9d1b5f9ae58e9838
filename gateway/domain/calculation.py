"""Calculation cases 试算案例: what the line rules see once all facts are resolved, and the result.

A case knows no database, no catalogue and no hospital; staff use it to try a bill, tests use
it as an oracle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.bill import Payee
from gateway.domain.money import ONE
from gateway.domain.payments import PriorPayer
from gateway.domain.split import Payer, Split
from gateway.domain.travel import CaseTrip, TravelVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One line of a case: price and ceiling in 10^-6 yuan, quantities and ratio in 10^-4.

    A line has either a price with its quantity, or an amount in fen alone; beside a price the
    amount is what was charged when it is not round(price × quantity).
    """

    name: str
    price: int | None = None
    quantity: int = 0
    amount_fen: int | None = None
    in_catalogue: bool = True
    ceiling: int | None = None
    quantity_limit: int | None = None
    ratio: int = ONE
    consent: Payer | None = None
    unrelated: bool = False
    violation: str = ""
    late: bool = False
    emergency_approved: bool = False
    refused_discharge: bool = False


@dataclass(frozen=True, slots=True)
class CaseStay:
    """The days of a stay and the meal rate of a day in fen."""

    admitted: date
    discharged: date
    meal_rate_fen: int


@dataclass(frozen=True, slots=True)
class CasePaid:
    """What was paid for the fund's part of the fees before the fund, in fen by payer; `liability`
    is the third party's share in 10^-4 once it is fixed."""

    by: Mapping[PriorPayer, int]
    liability: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedPaid:
    """What a case expects of the payees; None is not compared, a payee not named gets nothing."""

    payees: Mapping[Payee, int] | None = None
    taken_off_fen: int | None = None
    claim_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedTravel:
    """What a case expects of a trip; None is not compared."""

    fund_fen: int | None = None
    own_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """What a case expects of one line; None is not compared, a payer not named bears nothing."""

    no: int
    split: Split
    amount_fen: int | None = None
    reasons: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExpectedStay:
    """What a case expects of the meal allowance; None is not compared."""

    meal_days: int | None = None
    meal_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case expects of its result; what is absent is not compared."""

    total_fen: int | None = None
    payers: Mapping[Payer, int] = field(default_factory=dict)
    lines: tuple[ExpectedLine, ...] | None = None
    stay: ExpectedStay | None = None
    paid: ExpectedPaid | None = None
    travel: ExpectedTravel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One calculation case. Who bears unsigned excess has no default: the law is silent."""

    id: str
    title: str
    no_consent_payer: Payer
    ratio_payer: Payer = Payer.INDIVIDUAL
    employer_not_notified: bool = False
    lines: tuple[CaseLine, ...] = ()
    stay: CaseStay | None = None
    paid: CasePaid | None = None
    travel: CaseTrip | None = None
    expect: Expected | None = None


@dataclass(frozen=True, slots=True)
class CalculatedLine:
    """The decision about one line; `no` counts from 1, reasons are sorted."""

    no: int
    amount_fen: int
    split: Split
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalculatedStay:
    """The meal allowance: whole days and fen."""

    meal_days: int
    meal_fen: int


@dataclass(frozen=True, slots=True)
class CalculatedPaid:
    """Whom the fund pays its medical fees, what a third party's payment took off it, and what
    may be claimed from the third party once its liability is fixed, in fen."""

    payees: Mapping[Payee, int]
    taken_off_fen: int
    claim_fen: int | None


@dataclass(frozen=True, slots=True)
class Calculated:
    """The result of a case: sums in fen, lines, the meal allowance where there is a stay, whom
    the fund pays where something was paid before, and the trip where there is one."""

    id: str
    split: Split
    lines: tuple[CalculatedLine, ...]
    stay: CalculatedStay | None = None
    paid: CalculatedPaid | None = None
    travel: TravelVerdict | None = None


@dataclass(frozen=True, slots=True)
class Unequal:
    """Where a result differs from what its case expects; texts as they are printed.

    `line` is the number of the line, 0 for the case itself.
    """

    case: str
    line: int
    field: str
    calculated: str
    expected: str
