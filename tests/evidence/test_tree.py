"""The tree is that of RFC 9162: roots and proofs that others have published, and every size."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import tree
from tests.evidence.proofs import is_consistent, root_from_inclusion

# The reference tree of the Certificate Transparency project: eight leaves, their roots, and some
# of its proofs.
LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUDED = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
}
CONSISTENT = {
    (1, 8): INCLUDED[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (1, 1): (),
}


def hashes(count: int) -> list[bytes]:
    return [tree.leaf_hash(str(number).encode()) for number in range(count)]


def made(leaves: list[bytes], step: int = 1000) -> dict[tree.Tile, bytes]:
    """The tiles of a tree that grew by so many leaves at a time, told its edge alone."""
    tiles: dict[tree.Tile, bytes] = {}
    for size in range(0, len(leaves), step):
        edge = {tile: tiles[tile] for tile in tree.last_tiles(size)}
        tiles |= tree.grown(size, edge, leaves[size : size + step])
    return tiles


def by_definition(leaves: list[bytes]) -> bytes:
    """The root as RFC 9162 §2.1.1 defines it, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + by_definition(leaves[:half]) + by_definition(leaves[half:])).digest()


REFERENCE = made([tree.leaf_hash(leaf) for leaf in LEAVES])


def shown(found: list[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in found)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_reference(size: int) -> None:
    assert tree.root(size, REFERENCE).hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "path"), INCLUDED.items())
def test_inclusion_proofs_are_those_of_the_reference(
    place: tuple[int, int], path: tuple[str, ...]
) -> None:
    assert shown(tree.proof(tree.inclusion_spans(*place), REFERENCE)) == path


@pytest.mark.parametrize(("sizes", "path"), CONSISTENT.items())
def test_consistency_proofs_are_those_of_the_reference(
    sizes: tuple[int, int], path: tuple[str, ...]
) -> None:
    assert shown(tree.proof(tree.consistency_spans(*sizes), REFERENCE)) == path


@pytest.mark.parametrize(("size", "step"), [(1, 1), (255, 9), (256, 256), (257, 1), (70_000, 977)])
def test_a_tree_that_grows_by_tiles_has_the_root_of_the_definition(size: int, step: int) -> None:
    leaves = hashes(size)
    assert tree.root(size, made(leaves, step)) == by_definition(leaves)


def test_an_append_to_a_million_leaves_knows_the_edge_alone() -> None:
    size = 1_000_007
    edge = tree.last_tiles(size)
    assert len(edge) == 3
    assert set(edge) == {(0, size // 256), (1, size // 256**2), (2, size // 256**3)}
    known = {tile: bytes(32 * (size >> 8 * tile[0])) for tile in edge}
    changed = tree.grown(size, known, hashes(1))
    assert list(changed) == [(0, size // 256)]


BIG = 1300
LEAF_HASHES = hashes(BIG)
TILES = made(LEAF_HASHES, 100)


@given(st.data())
def test_every_leaf_is_shown_to_be_in_every_later_tree(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, BIG))
    index = data.draw(st.integers(0, size - 1))
    path = tree.proof(tree.inclusion_spans(index, size), TILES)
    root = tree.root(size, TILES)
    assert root_from_inclusion(LEAF_HASHES[index], index, size, path) == root
    wrong = LEAF_HASHES[(index + 1) % BIG]
    assert root_from_inclusion(wrong, index, size, path) != root
    assert root_from_inclusion(LEAF_HASHES[index], index, size, [*path, root]) is None


@given(st.data())
def test_every_tree_is_shown_to_begin_every_later_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, BIG))
    old = data.draw(st.integers(0, new))
    path = tree.proof(tree.consistency_spans(old, new), TILES)
    before, after = tree.root(old, TILES), tree.root(new, TILES)
    assert is_consistent(old, before, new, after, path)
    if old:
        assert not is_consistent(old, sha256(before).digest(), new, after, path)
        assert not is_consistent(old, before, new, sha256(after).digest(), path)
    assert not is_consistent(old, before, new, after, [*path, after])


def test_what_is_not_in_the_tree_is_not_proved() -> None:
    with pytest.raises(ValueError, match="leaf 8 is not in a tree of 8"):
        tree.inclusion_spans(8, 8)
    with pytest.raises(ValueError, match="not the beginning"):
        tree.consistency_spans(9, 8)


def test_a_tile_cut_short_is_no_ground_for_a_proof() -> None:
    short = {(0, 0): REFERENCE[0, 0][:-32]}
    with pytest.raises(LookupError, match="ends before"):
        tree.root(8, short)
    with pytest.raises(LookupError, match="ends before"):
        tree.grown(8, short, hashes(1))
