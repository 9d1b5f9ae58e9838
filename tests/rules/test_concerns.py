"""What a catalogue row asks to be looked at."""

from gateway.domain.catalogue import Kind
from gateway.rules import limits
from gateway.rules.concerns import Concern, concerns_of
from tests.rules.facts import a_row


def test_only_a_facility_is_a_bed_whatever_it_is_called():
    bed = a_row("B", Kind.FACILITY, name="三人间床位")
    film = a_row("F", Kind.ITEM, name="床位旁摄片")
    assert Concern.BED in concerns_of(bed, limits.NONE, None)
    assert Concern.BED not in concerns_of(film, limits.NONE, None)
