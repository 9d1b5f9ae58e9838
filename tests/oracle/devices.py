"""Assistive devices a second time, from the papers alone: confirmed, one at a time, for a life."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.oracle.places import months_later

Facts = Mapping[str, Any]
_ONE = 10_000


class Supplied:
    """The devices supplied before and on the bill, and how many fall on a day."""

    def __init__(self, bill: Facts) -> None:
        self._before: dict[str, list[int]] = defaultdict(list)
        self._here: dict[str, list[int]] = defaultdict(list)
        self._pieces: dict[tuple[str, int], int] = defaultdict(int)
        self._unseen: set[tuple[str, int]] = set()
        for one in bill["devices"]:
            self._before[one["code"]].append(one["on"])

    def in_use(self, code: str, day: int, months: int) -> bool:
        """Whether the last one is not yet used for its months: another settlement's of the same
        day counts too, this bill's of the day does not, for a pair is fitted at once."""
        days = [one for one in self._before[code] if one <= day]
        days += [one for one in self._here[code] if one < day]
        return bool(days) and day <= months_later(max(days), months)

    def add(self, line: Facts, kept: int, borne: bool) -> None:
        """A device that stays after its refunds: how much of it, and whether the fund bears some
        of it, or the employer that has to in its place: the worker has the device either way."""
        place = line["code"], line["day"]
        self._pieces[place] += kept
        if kept and line["met"] is None:
            self._unseen.add(place)
        if kept and borne:
            self._here[line["code"]].append(line["day"])

    def to_compare(self) -> bool:
        """Whether more than one a day waits for a person to compare it with the confirmation."""
        return any(self._pieces[place] > _ONE for place in self._unseen)
