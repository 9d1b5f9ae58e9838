"""原因表与依据表 The tables a settlement carries once, so that its lines stay short.

A bill of 5,000 lines repeats a few reasons and citations on every line. Each line names them
by code and by number, so that the whole message passes the byte gate (gateway/seal/gate.py).
"""

from collections.abc import Iterable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from adapters.shape.fields import Mismatch
from gateway.domain.bill import (
    NO_STEPS,
    Citation,
    LineVerdict,
    MealVerdict,
    PayeeShare,
    Payout,
    Steps,
)
from gateway.domain.results import Settlement
from gateway.domain.split import Split

_WORDS: Final = tuple(each.name for each in fields(Settlement))
_IN_ORDER: Final = "从 1 起依次编号 / numbered from 1 in order"
_HAS_ROW: Final = "在表中有一行 / a row of the table"
_SUM: Final = "五方之和 / the sum of the five payers"


class LineRow(NamedTuple):
    """一行明细 A line on the wire: amounts in fen, reasons by code, citations by number."""

    line_id: str
    amount_fen: int
    fund_fen: int
    employer_fen: int
    individual_fen: int
    hospital_fen: int
    other_fen: int
    reasons: tuple[str, ...]
    cites: tuple[int, ...]
    steps: Steps = NO_STEPS

    @property
    def split(self) -> Split:
        """Who bears the line."""
        return Split(*self[2:7])


class MealRow(NamedTuple):
    """伙食补助 The meal allowance on the wire: citations by number."""

    days: int
    per_day_fen: int
    amount_fen: int
    channel: str
    cites: tuple[int, ...]


class PayoutRow(NamedTuple):
    """拨付 Whom the fund pays on the wire: citations by number."""

    shares: tuple[PayeeShare, ...]
    third_party_paid_fen: int
    taken_off_fen: int
    recoverable_fen: int
    cites: tuple[int, ...]


class CitationRow(NamedTuple):
    """一条依据 A citation with its number."""

    number: int
    citation: Citation


def split_of(total_fen: int, **parts: int) -> Split:
    """Five payers whose parts add up to `total_fen`. Raises Mismatch."""
    split = Split(**parts)
    if split.total_fen != total_fen:
        raise Mismatch(_SUM, "Total")
    return split


def line_row(*words: Any) -> LineRow:
    """A line whose five parts add up to its amount. Raises Mismatch."""
    row = LineRow(*words)
    if sum(row[2:7]) != row.amount_fen:
        raise Mismatch(_SUM, "Amount")
    return row


def citation_row(number: int, **words: Any) -> CitationRow:
    """A row of the table of citations."""
    return CitationRow(number, Citation(**words))


def citation_rows(citations: Iterable[Citation]) -> tuple[CitationRow, ...]:
    """The citations numbered from 1."""
    return tuple(CitationRow(*each) for each in enumerate(citations, 1))


def citations_of(rows: tuple[CitationRow, ...]) -> tuple[Citation, ...]:
    """The citations of a table, in order. Raises Mismatch for a number out of order."""
    wrong = [place for place, row in enumerate(rows, 1) if row.number != place]
    if wrong:
        raise Mismatch(_IN_ORDER, *[f"Citation[{place}]/No" for place in wrong])
    return tuple(row.citation for row in rows)


def packed(bill: Settlement) -> SimpleNamespace:
    """The words of a settlement, its lines, meal and payout as rows, and the tables they use.

    Reasons are sorted; citations are in order of first use, the meal's and the payout's first.
    """
    numbers: dict[Citation, int] = {}
    # Lines that were decided alike share one tuple of citations.
    shared: dict[int, tuple[int, ...]] = {}

    def cites(citations: tuple[Citation, ...]) -> tuple[int, ...]:
        found = shared.get(id(citations))
        if found is None:
            found = tuple([numbers.setdefault(each, len(numbers) + 1) for each in citations])
            shared[id(citations)] = found
        return found

    words = {word: getattr(bill, word) for word in _WORDS}
    if (meal := bill.meal) is not None:
        days, rate, amount, channel = meal.days, meal.per_day_fen, meal.amount_fen, meal.channel
        words["meal"] = MealRow(days, rate, amount, channel, cites(meal.citations))
    if (payout := bill.payout) is not None:
        amounts = payout.third_party_paid_fen, payout.taken_off_fen, payout.recoverable_fen
        words["payout"] = PayoutRow(payout.shares, *amounts, cites(payout.citations))
    words["grounds"] = cites(bill.grounds)
    words["lines"] = tuple(
        [
            LineRow(
                line.line_id,
                line.amount_fen,
                *line.split,
                line.reasons,
                cites(line.citations),
                line.steps,
            )
            for line in bill.lines
        ]
    )
    reasons = tuple(sorted({code for line in bill.lines for code in line.reasons}))
    return SimpleNamespace(**words, reasons=reasons, citations=tuple(numbers))


def unpacked(
    reasons: tuple[str, ...],
    citations: tuple[Citation, ...],
    meal: MealRow | None,
    payout: PayoutRow | None,
    lines: tuple[LineRow, ...],
    grounds: tuple[int, ...],
    **words: Any,
) -> Settlement:
    """The settlement of `packed`. Raises Mismatch for a code or number without a row."""
    _check_rows(len(citations), meal, payout, lines, grounds)
    _check_reasons(frozenset(reasons), lines)

    def cited(cites: tuple[int, ...]) -> tuple[Citation, ...]:
        return tuple([citations[number - 1] for number in cites])

    return Settlement(
        meal=None if meal is None else MealVerdict(*meal[:4], cited(meal.cites)),
        payout=None if payout is None else Payout(*payout[:4], cited(payout.cites)),
        grounds=cited(grounds),
        lines=tuple(
            [
                LineVerdict(
                    row.line_id,
                    row.amount_fen,
                    row.split,
                    row.reasons,
                    cited(row.cites),
                    row.steps,
                )
                for row in lines
            ]
        ),
        **words,
    )


def _check_rows(
    most: int,
    meal: MealRow | None,
    payout: PayoutRow | None,
    lines: tuple[LineRow, ...],
    grounds: tuple[int, ...],
) -> None:
    wholes = (("Meal", meal), ("Payout", payout))
    wrong = [
        f"{name}/Cites"
        for name, row in wholes
        if row is not None and max(row.cites, default=0) > most
    ]
    wrong += ["Grounds"] if max(grounds, default=0) > most else []
    wrong += [
        f"Line[{place}]/Cites"
        for place, row in enumerate(lines, 1)
        if max(row.cites, default=0) > most
    ]
    if wrong:
        raise Mismatch(_HAS_ROW, *wrong)


def _check_reasons(known: frozenset[str], lines: tuple[LineRow, ...]) -> None:
    wrong = [
        f"Line[{place}]/Reason[{which}]"
        for place, row in enumerate(lines, 1)
        for which, code in enumerate(row.reasons, 1)
        if code not in known
    ]
    if wrong:
        raise Mismatch(_HAS_ROW, *wrong)
