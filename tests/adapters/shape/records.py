"""Any record of a shape, drawn by hypothesis from the shape itself."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from adapters.shape import kinds
from adapters.shape.cuts import CUT_LINE
from adapters.shape.fields import Shape
from adapters.shape.names import CITATION, MEAL, PAYOUT, SETTLEMENT, SPLIT
from gateway.domain.bill import Citation, LineVerdict, MealVerdict, Payout
from gateway.domain.codes import CODES
from gateway.domain.reasons import REASONS
from gateway.domain.results import Settlement
from gateway.domain.split import Split

ZONES = [UTC, *(timezone(timedelta(minutes=minutes)) for minutes in (480, -330, 840))]
CODED = {
    ("Finding", "code"),
    ("Settlement", "code"),
    ("AdmissionRegistered", "refusal"),
    ("AdmissionChanged", "refusal"),
}
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn"])
MOST = {kinds.FEN: 10**14, kinds.PRICE: 10**18, kinds.QUANTITY: 10**16}


def readable(kind: kinds.Kind, text: str) -> bool:
    try:
        kind.parse(text)
    except ValueError:
        return False
    return True


@cache
def values(kind: kinds.Kind) -> st.SearchStrategy:
    if kind in MOST:
        return st.integers(1 - MOST[kind], MOST[kind] - 1)
    if kind is kinds.DAY:
        return st.dates(date(1900, 1, 1), date(2099, 12, 31))
    if kind is kinds.INSTANT:
        span = (datetime(1900, 1, 3), datetime(2099, 12, 29))  # noqa: DTZ001
        return st.datetimes(*span, timezones=st.sampled_from(ZONES))
    if kind is kinds.BYTES:
        return st.binary(max_size=30)
    if kind.words:
        return st.sampled_from(sorted(kind.words)).map(kind.parse)
    if kind is kinds.SHOWN:
        return st.text(CHARACTERS, min_size=1, max_size=20)
    if kind.name.startswith("Text"):
        texts = st.text(CHARACTERS | st.sampled_from("&<>'\"; "), min_size=1, max_size=20)
        return texts.map(str.strip).filter(lambda text: readable(kind, text))
    return (
        st.from_regex(kind.pattern, fullmatch=True)
        .filter(lambda text: readable(kind, text))
        .map(kind.parse)
    )


@cache
def records(shape: Shape) -> st.SearchStrategy:
    """A record of the shape; what may be left out sometimes is."""
    if shape is SPLIT:
        return st.builds(Split, *[st.integers(-(10**12), 10**12)] * 5)
    if shape is SETTLEMENT:
        return settlements()
    words = {part.word: _words(shape, part) for part in shape.fields if not part.told}
    if shape is CUT_LINE:
        # A bill's sum has room on the wire, and so has the sum of a cut's lines.
        sums = {name: st.integers(0, 10**12) for name in words if name.endswith("_fen")}
        words |= sums
    return st.fixed_dictionaries(words).map(lambda words: made(shape, words))


def made(shape: Shape, words: dict[str, Any]) -> Any:
    """The record of these words, as the reader makes it."""
    if not hasattr(shape.record, "_fields"):
        return shape.make(**words)
    whole = {**shape.record._field_defaults, **words}
    return shape.make(*[whole.get(name) for name in shape.record._fields])


def settlements() -> st.SearchStrategy:
    """Settlements whose meal, payout and lines share some citations."""
    tables = {"reasons", "citations", "meal", "payout", "grounds", "lines"}
    parts = [part for part in SETTLEMENT.fields if not part.told and part.word not in tables]
    words = {part.word: _words(SETTLEMENT, part) for part in parts}
    return st.lists(citations(), min_size=1, max_size=4).flatmap(
        lambda table: st.builds(
            Settlement,
            meal=st.none() | meals(cited(table)),
            payout=st.none() | payouts(cited(table)),
            grounds=cited(table),
            lines=st.lists(lines(cited(table)), max_size=3).map(tuple),
            **words,
        )
    )


def cited(table: list[Citation]) -> st.SearchStrategy:
    return st.lists(st.sampled_from(table), max_size=20).map(tuple)


@cache
def citations() -> st.SearchStrategy:
    return st.builds(Citation, **_without(CITATION, "number"))


def meals(sources: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(MealVerdict, citations=sources, **_without(MEAL, "cites"))


def payouts(sources: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(Payout, citations=sources, **_without(PAYOUT, "cites"))


def lines(sources: st.SearchStrategy) -> st.SearchStrategy:
    def line(line_id: str, split: Split, *decided) -> LineVerdict:
        return LineVerdict(line_id, split.total_fen, split, *decided)

    reasons = st.lists(st.sampled_from(sorted(REASONS)), max_size=8).map(tuple)
    steps = values(kinds.STEPS)
    return st.builds(line, values(kinds.NUMBER), records(SPLIT), reasons, sources, steps)


def _without(shape: Shape, word: str) -> dict[str, st.SearchStrategy]:
    return {part.word: _words(shape, part) for part in shape.fields if part.word != word}


def _words(shape: Shape, part) -> st.SearchStrategy:
    coded = (shape.name, part.word) in CODED
    inner = records if isinstance(part.kind, Shape) else values
    one = st.sampled_from(sorted(CODES)) if coded else inner(part.kind)
    if part.many:
        return st.lists(one, min_size=part.least, max_size=part.least + 2).map(tuple)
    return one if part.least else st.just(shape.blank[part.word]) | one
