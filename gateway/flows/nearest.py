"""Nearest candidates 候选: rows of an edition whose names share most with a hospital's name.

The likeness of two names is Dice's coefficient over their distinct pairs of neighbouring
characters, both ends counted, blanks, signs, width and case aside: 2·shared / (own + other).
Of equal likeness the row whose form the name tells more of comes first, then the lower kind and
code, so that the answer is the same each time.
A search walks each pair's rows once: its time is bounded by the size of the edition.
"""

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from typing import Final
from unicodedata import normalize

from gateway.domain.catalogue import Edition
from gateway.domain.mapping import Candidate

MOST: Final = 5  # candidates that a person can take in at a glance
_TWICE_PERCENT: Final = 200  # likeness is twice the common pairs over all pairs, in percent
_LONGEST: Final = 64
"""Characters of a name that are compared; longer ones differ early enough."""


def pairs(name: str) -> frozenset[str]:
    """The distinct pairs of neighbouring characters of a name, its ends included."""
    folded = normalize("NFKC", name).casefold()
    plain = "".join(char for char in folded if char.isalnum())[:_LONGEST]
    padded = f"^{plain}$" if plain else ""
    return frozenset(padded[at : at + 2] for at in range(len(padded) - 1))


class NameIndex:
    """The names of one edition by their pairs; built once for an edition."""

    def __init__(self, edition: Edition) -> None:
        self._digest = edition.digest
        self._rows = [edition.rows[code] for code in sorted(edition.rows)]
        self._forms = {row.form: pairs(row.form) for row in self._rows}
        self._sizes: list[int] = []
        self._with: dict[str, list[int]] = {}
        for number, row in enumerate(self._rows):
            found = pairs(row.name)
            self._sizes.append(len(found))
            for pair in found:
                self._with.setdefault(pair, []).append(number)

    def like(self, name: str) -> list[Candidate]:
        """The nearest rows, best first, at most five; none that shares nothing."""
        wanted = pairs(name)
        shared: Counter[int] = Counter()
        for pair in wanted:
            shared.update(self._with.get(pair, ()))
        of_form = {form: len(wanted & found) for form, found in self._forms.items()}
        ranked = (
            (
                -(_TWICE_PERCENT * count // (len(wanted) + self._sizes[number])),
                -of_form[self._rows[number].form],
                number,
            )
            for number, count in shared.items()
        )
        best = nsmallest(MOST, ranked)
        return [self._candidate(number, -likeness) for likeness, _, number in best]

    def _candidate(self, number: int, likeness: int) -> Candidate:
        row = self._rows[number]
        return Candidate(row.code, row.name, row.form, row.kind, self._digest, likeness)


def nearest(indexes: Iterable[NameIndex], name: str) -> tuple[Candidate, ...]:
    """The nearest rows of several editions, best first, at most five; of equals those of the
    edition named first."""
    found = [one for index in indexes for one in index.like(name)]
    return tuple(sorted(found, key=lambda one: -one.likeness)[:MOST])
