"""先前支付 Who paid for a stay before the fund does.

Basic insurance is given back first (社会保险法 第三十条第一款第（一）项); of a third party only
what it paid for eligible medical fees is taken off.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PriorPayer(StrEnum):
    """Who paid for the stay before the fund 先前支付人."""

    BASIC_INSURANCE = "basic_insurance"
    THIRD_PARTY = "third_party"
    EMPLOYER = "employer"
    INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorPayment:
    """One payment for the stay by its document, in fen.

    `eligible_fen` was paid for medical fees that the fund bears, `meal_fen` for the meals of
    the worker, `other_fen` for everything else. Of basic insurance: its settlement, the
    calendar year in which the insurance year of that settlement ends (None: the one in which
    it paid), the day of the written request to reverse it, and the day on which the hospital
    gave it back.
    """

    payment_no: str
    payer: PriorPayer
    eligible_fen: int
    paid_on: date
    other_fen: int = 0
    meal_fen: int = 0
    settlement_no: str = ""
    insurance_year: int | None = None
    reversal_requested_on: date | None = None
    given_back_on: date | None = None
