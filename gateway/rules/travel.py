"""交通、食宿 Travel, board and lodging for treatment outside the pooling region.

经医疗机构出具证明，报经办机构同意，工伤职工到统筹地区以外就医所需的交通、食宿费用从工伤保险
基金支付，基金支付的具体标准由统筹地区人民政府规定。（工伤保险条例 第三十条第四款）
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from gateway.domain.travel import Nights, TravelCaps, TravelVerdict, Trip
from gateway.policy import anchors
from gateway.policy.model import PickedBy, Policy, Value
from gateway.rules.cited import citation
from gateway.rules.dates import picked

_STANDARD: Final = "travel/standard"
_LODGING: Final = "travel/lodging_per_night_fen"
_WAITING: Final = "travel/waiting_days"
_MEALS: Final = "meal/out_of_region_per_day_fen"


def travel(trip: Trip, caps: TravelCaps) -> TravelVerdict:
    """What the fund pays: one round trip by receipt, each night up to the cap for the first
    days of waiting (which days, no text says: our reading), meals for those days and for the
    days in hospital. Without certificate or consent, nothing."""
    if not (trip.hospital_certificate and trip.agency_consent):
        return TravelVerdict(own_fen=_spent(trip), reasons=("NOT_APPROVED",))
    fares = sum(one.amount_fen for one in trip.fares if one.round_trip == 1)
    lodging, nights = _lodging(trip.waited, caps)
    return TravelVerdict(
        fares_fen=fares,
        lodging_fen=lodging,
        meals_fen=(nights + trip.hospital_days) * caps.meal_per_day_fen,
        own_fen=_spent(trip) - fares - lodging,
        reasons=tuple(_reasons(trip, caps)),
        citations=(anchors.TRAVEL, *caps.citations),
    )


def _spent(trip: Trip) -> int:
    nights = sum(one.nights * one.price_fen for one in trip.waited)
    return nights + sum(one.amount_fen for one in trip.fares)


def _lodging(waited: Iterable[Nights], caps: TravelCaps) -> tuple[int, int]:
    """The payable lodging in fen, and the nights it is for."""
    fen, left = 0, caps.waiting_days
    for one in waited:
        payable = min(one.nights, left)
        fen += payable * min(one.price_fen, caps.lodging_per_night_fen)
        left -= payable
    return fen, caps.waiting_days - left


def _reasons(trip: Trip, caps: TravelCaps) -> Iterable[str]:
    """Why a part of the receipts stays the worker's own."""
    if any(one.round_trip > 1 for one in trip.fares):
        yield "ONE_ROUND_TRIP"
    if sum(one.nights for one in trip.waited) > caps.waiting_days:
        yield "OVER_WAITING_DAYS"
    if any(one.price_fen > caps.lodging_per_night_fen for one in trip.waited):
        yield "OVER_LODGING_CAP"


def travel_caps(policy: Policy, day: date) -> TravelCaps:
    """What the region's texts pay at most on the day. A standard of civil servants stands in a
    text of its own: its amounts are the same keys, entered from there. Raises PolicyGap."""
    values = {key: _value(policy, key, day) for key in (_STANDARD, _LODGING, _WAITING, _MEALS)}
    return TravelCaps(
        lodging_per_night_fen=values[_LODGING].number,
        waiting_days=values[_WAITING].number,
        meal_per_day_fen=values[_MEALS].number,
        citations=tuple(citation(policy, key, value) for key, value in values.items()),
    )


def _value(policy: Policy, key: str, day: date) -> Value:
    return picked(policy, key, dict.fromkeys(PickedBy, day), day)
