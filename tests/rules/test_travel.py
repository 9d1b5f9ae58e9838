"""Travel, board and lodging elsewhere: reasons, the region's caps, and what holds of every trip."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.reasons import TRAVEL_REASONS
from gateway.domain.travel import Fare, Nights, TravelCaps, Trip
from gateway.policy.load import load
from gateway.policy.model import PolicyGap
from gateway.rules.travel import travel, travel_caps
from tests.rules.facts import example_policy, policy_with

DAY = date(2026, 3, 1)
CAPS = TravelCaps(15_000, 5, 2_000)
FEN = st.integers(0, 10**7)
TRIPS = st.builds(
    Trip,
    hospital_certificate=st.booleans(),
    agency_consent=st.booleans(),
    fares=st.lists(st.builds(Fare, st.just("火车"), FEN, st.integers(1, 3)), max_size=4).map(tuple),
    waited=st.lists(st.builds(Nights, st.integers(0, 9), FEN), max_size=4).map(tuple),
    hospital_days=st.integers(0, 60),
)
ALL_CAPS = st.builds(TravelCaps, FEN, st.integers(0, 9), FEN)


def spent(trip: Trip) -> int:
    nights = sum(one.nights * one.price_fen for one in trip.waited)
    return nights + sum(one.amount_fen for one in trip.fares)


@given(TRIPS, ALL_CAPS)
def test_receipts_are_the_funds_or_the_workers_to_the_fen(trip: Trip, caps: TravelCaps):
    found = travel(trip, caps)
    assert found.fares_fen + found.lodging_fen + found.own_fen == spent(trip)
    assert min(found.fares_fen, found.lodging_fen, found.meals_fen, found.own_fen) >= 0
    assert found.lodging_fen <= caps.waiting_days * caps.lodging_per_night_fen


@given(TRIPS, ALL_CAPS)
def test_a_reason_is_told_and_known_whenever_a_receipt_is_not_paid(trip: Trip, caps: TravelCaps):
    found = travel(trip, caps)
    assert set(found.reasons) <= TRAVEL_REASONS.keys()
    if found.own_fen:
        assert found.reasons


@given(TRIPS, ALL_CAPS)
def test_without_both_approvals_the_fund_pays_nothing(trip: Trip, caps: TravelCaps):
    found = travel(trip, caps)
    if not (trip.hospital_certificate and trip.agency_consent):
        assert (found.fund_fen, found.reasons) == (0, ("NOT_APPROVED",))


@pytest.mark.parametrize(
    ("trip", "reasons"),
    [
        (Trip(True, True, (Fare("火车", 1),), (Nights(5, 15_000),)), ()),
        (Trip(True, True, (Fare("火车", 1, 2),)), ("ONE_ROUND_TRIP",)),
        (Trip(True, True, (), (Nights(6, 15_000),)), ("OVER_WAITING_DAYS",)),
        (Trip(True, True, (), (Nights(5, 15_001),)), ("OVER_LODGING_CAP",)),
        (Trip(True, False), ("NOT_APPROVED",)),
        (Trip(False, True), ("NOT_APPROVED",)),
    ],
)
def test_each_reason_stands_just_where_it_holds(trip: Trip, reasons: tuple[str, ...]):
    assert travel(trip, CAPS).reasons == reasons


def test_the_made_up_region_pays_what_its_text_says_from_its_first_day():
    caps = travel_caps(example_policy(), date(2025, 1, 1))
    assert (caps.lodging_per_night_fen, caps.waiting_days, caps.meal_per_day_fen) == (
        15_000,
        5,
        2_000,
    )
    assert [one.key for one in caps.citations] == [
        "travel/standard",
        "travel/lodging_per_night_fen",
        "travel/waiting_days",
        "meal/out_of_region_per_day_fen",
    ]
    with pytest.raises(PolicyGap) as gap:
        travel_caps(example_policy(), date(2024, 12, 31))
    assert gap.value.key == "travel/standard"


def test_quzhou_pays_as_civil_servants_travel_and_its_amounts_are_in_no_text_at_hand():
    quzhou = load("330800")
    assert quzhou.value("travel/standard", DAY).word == "CIVIL_SERVANT"
    with pytest.raises(PolicyGap) as gap:
        travel_caps(quzhou, DAY)
    assert (gap.value.key, gap.value.day) == ("travel/lodging_per_night_fen", DAY)


def test_amounts_entered_from_the_civil_servants_rules_are_used_and_cited():
    caps = travel_caps(policy_with({"travel/standard": "CIVIL_SERVANT"}), DAY)
    assert caps.citations[0].value == "CIVIL_SERVANT"
    assert caps.lodging_per_night_fen == 15_000


def test_weihai_has_no_text_at_hand_that_gives_any_of_it():
    with pytest.raises(PolicyGap):
        travel_caps(load("371000"), DAY)
