"""Bill lines 费用明细 and what was decided about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final, NamedTuple

from gateway.domain.split import Payer, Split


class Relation(StrEnum):
    """Whether a line treats the injury 与工伤的关系 (工伤保险条例 第三十条第五款)."""

    INJURY = "injury"
    UNRELATED = "unrelated"
    UNDETERMINED = "undetermined"

    # Equal words hash alike, and without a call of Python for every line.
    __hash__ = str.__hash__


class BillLine(NamedTuple):
    """One charged line: price in 10^-6 yuan, quantity in 10^-4, amount in fen. A tuple, because
    a bill has thousands of them.

    A refund has a negative quantity and amount and names its original in `refund_of`.
    `consent` is the payer who signed for what the fund does not bear; `reviewed` says that
    the agency decided the relation by itself (lines.decide); `limit_met` what it found of all
    else that only a person can tell of the line: a limit of payment of the drug list, the number
    of devices, a price above the standard, a consent signed after the day. None: nobody looked.
    `code` is the national code, and `hospital_code` the hospital's own that it was resolved
    from, if the line came with one. `daily_dose` is in 10^-4 of the line's unit;
    `take_home` marks medicine given for the days after the discharge.
    """

    line_id: str
    occurred_at: datetime
    service_day: date
    code: str
    name: str
    quantity: int
    price: int
    amount_fen: int
    category: str = ""
    unit: str = ""
    spec: str = ""
    prescription_no: str = ""
    order_no: str = ""
    daily_dose: int | None = None
    take_home: bool = False
    department: str = ""
    doctor: str = ""
    doctor_code: str = ""
    refund_of: str = ""
    relation: Relation = Relation.INJURY
    consent: Payer | None = None
    consent_on: date | None = None
    violation: str = ""
    reviewed: bool = False
    limit_met: bool | None = None
    hospital_code: str = ""


def by_place(*names: str) -> Callable[[BillLine], Any]:
    """Reads these words of a line by their place: where every line of a bill is read, a word by
    its name costs twice as much."""
    return itemgetter(*map(BillLine._fields.index, names))


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a number or a decision comes from: a key of policy or a catalogue row, its date
    and the article or agreement clause. `our_reading` is said where the text is silent."""

    key: str
    value: str
    since: str
    law: str
    our_reading: bool = False


class Steps(NamedTuple):
    """计算步骤 What each step of the line rule left for the next one, in fen; None for a step
    that the line did not take.

    A what was charged, W what the fund keeps of a line that one payer takes whole, P within
    the quantity limit, E within the ceiling, F at the ratio, L what a late application, a day
    before cover or a day in arrears leaves to the fund. Those of a refund are the pair's at the
    net quantity.
    """

    charged: int
    whole: int | None = None
    within_quantity: int | None = None
    eligible: int | None = None
    fund: int | None = None
    late: int | None = None

    @property
    def left_fen(self) -> int:
        """What is left to the fund, or to the employer that bears it by law in its place."""
        return self.fund or self.whole or 0


NO_STEPS = Steps(0)
"""Of a line whose steps nobody told."""

STEP_LETTERS = "AWPEFL"
"""The letters that explanations use, in the order of `Steps`."""


BY_LAW: Final = frozenset(
    {"BEFORE_COVER", "EMPLOYER_IN_ARREARS", "LATE_APPLICATION", "EMERGENCY_REPORTED_LATE"}
)
"""Why the fund's part of a line is the employer's by law or by the region's text."""


class LineVerdict(NamedTuple):
    """What was decided about one line: who bears it, why, from which texts and by which steps.

    A tuple, because a bill has thousands of them that differ in the line alone.
    """

    line_id: str
    amount_fen: int
    split: Split
    reasons: tuple[str, ...]
    citations: tuple[Citation, ...] = ()
    steps: Steps = NO_STEPS

    @property
    def by_law(self) -> bool:
        """Whether the fund's part of it is the employer's by law."""
        return not BY_LAW.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True)
class MealVerdict:
    """The meal allowance 住院伙食补助费 of a stay; beside the bill, never part of its total."""

    days: int
    per_day_fen: int
    amount_fen: int
    channel: str
    citations: tuple[Citation, ...] = ()


class Payee(StrEnum):
    """Whom the fund pays 基金支付对象."""

    HOSPITAL = "hospital"
    BASIC_INSURANCE = "basic_insurance"
    EMPLOYER = "employer"
    INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True)
class PayeeShare:
    """What one payee gets of the fund: medical fees and meals, in fen."""

    payee: Payee
    medical_fen: int
    meal_fen: int


@dataclass(frozen=True, slots=True)
class Payout:
    """Whom the fund pays for a stay 拨付; the shares add up to its medical fees and meals.

    `third_party_paid_fen` is what a third party paid for eligible medical fees, of which
    `taken_off_fen` left the fund's share, or the employer's where that moved to it whole;
    `recoverable_fen` is what the fund advanced and may recover from the third party, up to its
    liability.
    """

    shares: tuple[PayeeShare, ...] = ()
    third_party_paid_fen: int = 0
    taken_off_fen: int = 0
    recoverable_fen: int = 0
    citations: tuple[Citation, ...] = ()

    def negated(self) -> "Payout":
        """The same payout taken back."""
        shares = tuple(
            PayeeShare(one.payee, -one.medical_fen, -one.meal_fen) for one in self.shares
        )
        return Payout(
            shares,
            -self.third_party_paid_fen,
            -self.taken_off_fen,
            -self.recoverable_fen,
            self.citations,
        )


NO_PAYOUT: Final = Payout()


@dataclass(frozen=True, slots=True)
class SuppliedDevice:
    """An assistive device 辅助器具 that the fund paid for earlier: its life runs from the day."""

    code: str
    supplied_on: date
    settlement_id: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What an audit rule found (domain/audit_rules.py): the lines, none for the stay as a
    whole, and the evidence. It moves no money: a person looks at it."""

    code: str
    line_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class BillVerdict:
    """A computed bill: every line, the sums, the meal allowance and whom the fund pays, in fen.

    What a third party paid leaves the fund's share of the sums, not of the lines. `meal_days`
    are the days that the allowance pays. `grounds` are the sources that concern the bill as a
    whole; `liable_employer` is who answers for the employer's share.
    """

    lines: tuple[LineVerdict, ...]
    split: Split
    meal: MealVerdict
    rules_version: str
    policy_digest: str
    edition_digests: tuple[str, ...]
    facts: tuple[Mapping[str, object], ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    payout: Payout = NO_PAYOUT
    meal_days: tuple[date, ...] = ()
    grounds: tuple[Citation, ...] = ()
    liable_employer: str = ""

    @property
    def total_fen(self) -> int:
        return self.split.total_fen
