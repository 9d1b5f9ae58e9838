"""An edition and its bytes are the same thing under one digest."""

from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.catalog_file.write import (
    DamagedEdition,
    counts_table,
    edition_bytes,
    edition_from_bytes,
    edition_of,
)
from gateway.domain.catalogue import (
    CatalogueRow,
    Edition,
    InsuranceLimit,
    Kind,
    Level,
    SectionCount,
)
from tests.adapters.catalog_file.contents import said_by

texts = st.text(max_size=12)
prices = st.integers(min_value=1, max_value=10**18)
ceilings = st.dictionaries(st.sampled_from([*Level, None]), prices).map(
    lambda by_level: tuple(by_level.items())
)
rows = st.builds(
    CatalogueRow,
    code=st.text(min_size=1, max_size=8),
    kind=st.sampled_from(Kind),
    section=texts,
    name=texts,
    form=texts,
    drug_class=texts,
    payable=st.booleans(),
    not_alone=st.booleans(),
    insurance_limit=st.sampled_from(InsuranceLimit),
    remark=texts,
    pay_standard=st.none() | prices,
    agreement_from=st.none() | st.dates(),
    agreement_to=st.none() | st.dates(),
    unit=texts,
    ceilings=ceilings,
    pay_standard_text=texts,
    qty_per_day=st.none() | st.integers(1, 10**12),
    qty_per_stay=st.none() | st.integers(1, 10**12),
    contained_in=st.lists(texts, max_size=3).map(tuple),
)
row_sets = st.lists(rows, unique_by=lambda row: row.code, max_size=6)

ROW = CatalogueRow(code="I1", kind=Kind.ITEM, section="诊疗项目", name="换药")


def edition_with(*content: CatalogueRow) -> Edition:
    return edition_of("999900", Kind.ITEM, date(2025, 1, 1), None, content)


@given(row_sets, texts, st.sampled_from(Kind), st.dates(), st.none() | st.dates())
def test_an_edition_comes_back_from_its_bytes_as_it_was(
    content: list[CatalogueRow], region: str, kind: Kind, first: date, last: date | None
) -> None:
    edition = edition_of(region, kind, first, last, content)
    assert said_by(edition_from_bytes(edition_bytes(edition))) == said_by(edition)


@given(row_sets.flatmap(lambda content: st.tuples(st.just(content), st.permutations(content))))
def test_the_order_of_rows_changes_no_byte(
    orders: tuple[list[CatalogueRow], list[CatalogueRow]],
) -> None:
    one, other = (edition_bytes(edition_with(*content)) for content in orders)
    assert one == other


def test_the_bytes_of_an_edition_never_change_between_releases() -> None:
    assert edition_bytes(edition_with(ROW)).decode().splitlines() == [
        '{"sha256":"' + edition_with(ROW).digest + '"}',
        '{"format":"catalogue-edition-1","kind":"item","region":"999900",'
        '"valid_from":"2025-01-01","valid_to":null}',
        '{"code":"I1","kind":"item","name":"换药","section":"诊疗项目"}',
    ]


def test_the_digest_is_that_of_the_lines_after_the_first() -> None:
    edition = edition_with(ROW)
    body = edition_bytes(edition).partition(b"\n")[2]
    assert sha256(body).hexdigest() == edition.digest


def test_one_changed_byte_anywhere_is_noticed() -> None:
    raw = edition_bytes(edition_with(ROW))
    for place in range(len(raw)):
        damaged = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(DamagedEdition):
            edition_from_bytes(damaged)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]\n",
        b"not json\n",
        b'{"format":"catalogue-edition-2"}\n',
        b'{"format":"catalogue-edition-1","kind":"item","region":"1"}\n',
        b'{"format":"catalogue-edition-1","kind":"item","region":"1",'
        b'"valid_from":"2025-01-01","valid_to":null}\n{"code":"1","colour":"red"}\n',
    ],
)
def test_a_right_digest_over_something_else_is_no_edition(body: bytes) -> None:
    digest = sha256(body).hexdigest()
    with pytest.raises(DamagedEdition):
        edition_from_bytes(f'{{"sha256":"{digest}"}}\n'.encode() + body)


def test_an_edition_that_does_not_hold_its_content_is_not_written() -> None:
    good = edition_with(ROW)
    wrong = Edition(good.digest, "371000", good.kind, good.valid_from, good.valid_to, good.rows)
    with pytest.raises(DamagedEdition):
        edition_bytes(wrong)


def test_the_rows_of_an_edition_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        edition_with(ROW).rows["I2"] = ROW  # type: ignore[index]


def test_the_counts_print_as_plain_integers_between_tabs() -> None:
    table = counts_table([SectionCount("西药", 1957, 1398, 393, 0)])
    assert table == "section\trows\tentries\tclass_a\tmarked\n西药\t1957\t1398\t393\t0\n"
