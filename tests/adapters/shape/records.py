"""Any record of a shape, drawn by hypothesis from the shape itself."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

from hypothesis import strategies as st

from adapters.shape import kinds
from adapters.shape.fields import Shape
from adapters.shape.names import REASON, SPLIT
from gateway.domain.codes import CODES
from gateway.domain.reasons import REASONS
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
    if shape is REASON:
        return st.sampled_from(sorted(REASONS))
    words = {part.word: _words(shape, part) for part in shape.fields if not part.told}
    return st.fixed_dictionaries(words).map(lambda words: shape.make(**words))


def _words(shape: Shape, part) -> st.SearchStrategy:
    coded = (shape.name, part.word) in CODED
    inner = records if isinstance(part.kind, Shape) else values
    one = st.sampled_from(sorted(CODES)) if coded else inner(part.kind)
    if part.many:
        return st.lists(one, min_size=part.least, max_size=part.least + 2).map(tuple)
    return one if part.least else st.just(shape.blank[part.word]) | one
