"""The leaf's exact construction: what it commits to, and what it tells without its salts."""

from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest

from gateway.evidence.leaf import Exchange, commitment, leaf_bytes, leaf_row

EXCHANGE = Exchange(
    kind="message",
    tx_id="T1",
    sender="H001",
    receiver="GATEWAY.999900.test",
    message_id="M1",
    received_us=1_772_409_600_000_000,
    assurance="signed",
    signer="ab" * 32,
    request=b"<request/>",
    reply=b"<reply/>",
    effect=b'[["transfer","insert",[]]]',
)
COMMITTED = [bytes([at]) * 32 for at in range(3)]
OTHER: dict[str, Any] = {
    "kind": "read",
    "tx_id": "T2",
    "sender": "H002",
    "receiver": "GATEWAY.999900.production",
    "message_id": "M2",
    "received_us": 1_772_409_600_000_001,
    "assurance": "internal",
    "signer": "cd" * 32,
    "request": b"<request />",
    "reply": b"<reply />",
    "effect": b"[]",
}


def unpacked(leaf: bytes) -> list[bytes]:
    """The parts of a leaf, read as a stranger with the specification would."""
    parts = []
    while leaf:
        size = int.from_bytes(leaf[:4], "big")
        parts.append(leaf[4 : 4 + size])
        leaf = leaf[4 + size :]
    return parts


def test_a_leaf_reads_back_part_by_part_as_specified() -> None:
    assert unpacked(leaf_bytes(EXCHANGE, COMMITTED)) == [
        b"gs-leaf-1",
        b"message",
        b"T1",
        b"H001",
        b"GATEWAY.999900.test",
        b"M1",
        b"1772409600000000",
        b"signed",
        b"ab" * 32,
        *COMMITTED,
    ]


def test_the_hash_is_that_of_a_tree_leaf() -> None:
    row = leaf_row(EXCHANGE)
    committed = [row[f"{name}_commitment"] for name in ("request", "reply", "effect")]
    assert row["leaf_hash"] == sha256(b"\x00" + leaf_bytes(EXCHANGE, committed)).digest()
    assert row["leaf_index"] is None


def test_the_salts_open_the_commitments() -> None:
    row = leaf_row(EXCHANGE)
    salts = [row["salts"][at : at + 32] for at in (0, 32, 64)]
    assert len(row["salts"]) == 96
    parts = {"request": b"<request/>", "reply": b"<reply/>", "effect": EXCHANGE.effect}
    for salt, (name, content) in zip(salts, parts.items(), strict=True):
        assert row[f"{name}_commitment"] == sha256(salt + content).digest()


@pytest.mark.parametrize("name", ["request", "reply", "effect"])
def test_what_is_absent_is_committed_to_as_zero(name: str) -> None:
    assert leaf_row(replace(EXCHANGE, **{name: b""}))[f"{name}_commitment"] == bytes(32)


def test_the_same_exchange_twice_shows_nothing_in_common() -> None:
    first, second = leaf_row(EXCHANGE), leaf_row(EXCHANGE)
    for name in ("request_commitment", "reply_commitment", "effect_commitment", "leaf_hash"):
        assert first[name] != second[name]


def test_every_field_of_an_exchange_is_tried_below() -> None:
    assert {one.name for one in fields(Exchange)} == OTHER.keys()


@pytest.mark.parametrize("name", OTHER)
def test_another_value_of_any_field_is_another_leaf(name: str) -> None:
    def leaf(exchange: Exchange) -> bytes:
        salt = bytes(32)
        parts = (exchange.request, exchange.reply, exchange.effect)
        return leaf_bytes(exchange, [commitment(salt, part) for part in parts])

    assert leaf(replace(EXCHANGE, **{name: OTHER[name]})) != leaf(EXCHANGE)


def test_no_letter_can_move_from_one_field_to_the_next() -> None:
    moved = replace(EXCHANGE, sender="H001G", receiver="ATEWAY.999900.test")
    assert leaf_bytes(moved, COMMITTED) != leaf_bytes(EXCHANGE, COMMITTED)
