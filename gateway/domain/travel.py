"""统筹地区以外就医的交通、食宿 Travel, board and lodging for treatment outside the pooling region.

经医疗机构出具证明，报经办机构同意（工伤保险条例 第三十条第四款）: both, else nothing is payable.
"""

from dataclasses import dataclass
from datetime import date

from gateway.domain.bill import Citation


@dataclass(frozen=True, slots=True)
class Fare:
    """One receipt of transport in fen; `round_trip` counts from 1 for there and back."""

    name: str
    amount_fen: int
    round_trip: int = 1


@dataclass(frozen=True, slots=True)
class Nights:
    """Nights of lodging at one price while waiting for a bed, in order, in fen a night."""

    nights: int
    price_fen: int


@dataclass(frozen=True, slots=True)
class TravelCaps:
    """What the region pays at most: fen a night, days of waiting, fen of meals a day."""

    lodging_per_night_fen: int
    waiting_days: int
    meal_per_day_fen: int
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Trip:
    """One approved journey to treatment elsewhere with its receipts."""

    hospital_certificate: bool
    agency_consent: bool
    fares: tuple[Fare, ...] = ()
    waited: tuple[Nights, ...] = ()
    hospital_days: int = 0


@dataclass(frozen=True, slots=True)
class CaseTrip:
    """A trip to try, with the caps it is tried under: given, or those of a region on a day."""

    trip: Trip
    caps: TravelCaps | None = None
    region: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class TravelVerdict:
    """What the fund pays by part and what stays the worker's own, in fen, and why.

    The meals of waiting and hospital days are an allowance beside the receipts: `own_fen` is
    of the receipts only.
    """

    fares_fen: int = 0
    lodging_fen: int = 0
    meals_fen: int = 0
    own_fen: int = 0
    reasons: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()

    @property
    def fund_fen(self) -> int:
        return self.fares_fen + self.lodging_fen + self.meals_fen
