"""One leaf per transaction, and what its commitments hold."""

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.commands import QueryTransaction
from gateway.evidence.leaf import Exchange, commitment, digested, leaf_bytes, leaf_row
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows.office import LINES, Office


async def leaf_of(office: Office, message_id: str) -> dict[str, Any]:
    query = select(tables.leaf).where(tables.leaf.c.message_id == message_id)
    [leaf] = await office.kept(tables.leaf, query)
    return leaf


def salts(leaf: dict[str, Any]) -> list[bytes]:
    whole = bytes(leaf["salts"])
    assert len(whole) == 128
    return [whole[first : first + 32] for first in (0, 32, 64)]


def effect(leaf: dict[str, Any]) -> dict[str, list[Any]]:
    """The changed rows by table."""
    found: dict[str, list[Any]] = {}
    for table, *change in json.loads(leaf["effect"]):
        found.setdefault(table, []).append(change)
    return found


async def test_every_transaction_has_one_leaf(office: Office) -> None:
    await office.recognised("C1", 1)
    before = len(await office.rows(select(tables.leaf).where(tables.leaf.c.kind != "sealing")))
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    sealing = tables.leaf.c.kind == "sealing"
    leaves = await office.rows(select(tables.leaf).where(~sealing))
    assert len(leaves) - before == 4
    audited = {row["tx_id"] for row in await office.rows(select(tables.audit))}
    assert {leaf["tx_id"] for leaf in leaves} == audited


async def test_a_read_leaves_a_leaf_without_a_message(office: Office) -> None:
    wanted = QueryTransaction(target_message_id="NONE")
    heard = await office.say("H001", "transaction.query", wanted)
    leaf = await leaf_of(office, heard.message_id)
    assert (leaf["kind"], leaf["sender"]) == ("read", "H001")
    kept = select(tables.message).where(tables.message.c.message_id == heard.message_id)
    assert await office.rows(kept) == []


async def test_a_refused_message_has_its_leaf(office: Office) -> None:
    heard = await office.commit("H001", "A-NONE", *LINES)
    assert heard.code == "ADMISSION_NOT_FOUND"
    assert (await leaf_of(office, heard.message_id))["kind"] == "message"


async def test_a_release_has_its_leaf_without_request_and_reply(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    released = select(tables.leaf).where(tables.leaf.c.kind == "release")
    leaves = await office.kept(tables.leaf, released)
    assert [effect(leaf).keys() >= {"settlement"} for leaf in leaves] == [False, True]
    assert {bytes(leaf["request_commitment"]) for leaf in leaves} == {bytes(32)}
    assert {bytes(leaf["reply_commitment"]) for leaf in leaves} == {bytes(32)}


async def test_every_outgoing_message_has_a_leaf_of_its_exact_bytes(office: Office) -> None:
    """What the transaction changed besides is not in it: its receiver may see the whole leaf."""
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    sent = {
        row["message_id"]: row for row in await office.kept(tables.outbox, select(tables.outbox))
    }
    sealing = select(tables.leaf).where(tables.leaf.c.kind == "sealing")
    leaves = {row["message_id"]: row for row in await office.kept(tables.leaf, sealing)}
    assert leaves.keys() == sent.keys() != set()
    for message_id, leaf in leaves.items():
        row = sent[message_id]
        assert leaf["request_commitment"] == commitment(
            bytes(leaf["salts"])[:32], bytes(row["sealed"])
        )
        assert leaf["reply_commitment"] == leaf["effect_commitment"] == bytes(32)
        assert (leaf["sender"], leaf["receiver"]) == (office.desk.gateway_id, row["receiver"])
        assert leaf["received_us"] == row["created_us"]
        assert heard.message_id.encode() not in leaf_bytes(
            Exchange(**{name: leaf[name] for name in TEXTS}), [b"", b"", b""]
        )


async def test_an_operators_act_has_its_leaf(office: Office) -> None:
    await office.hospital("H003")
    acts = select(tables.leaf).where(tables.leaf.c.kind == "operator")
    leaves = await office.kept(tables.leaf, acts)
    touched = [effect(leaf) for leaf in leaves if "H003" in bytes(leaf["effect"]).decode()]
    assert [set(one) - {"audit"} for one in touched] == [{"party"}, {"party_key"}, {"party_key"}]


async def test_the_commitments_open_with_the_salts(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    leaf = await leaf_of(office, heard.message_id)
    exact = (heard.said.raw, heard.sealed, bytes(leaf["effect"]))
    opened = [sha256(salt + part).digest() for salt, part in zip(salts(leaf), exact, strict=True)]
    assert opened == [
        leaf["request_commitment"],
        leaf["reply_commitment"],
        leaf["effect_commitment"],
    ]


async def test_the_leaf_hash_is_that_of_the_stored_leaf(office: Office) -> None:
    heard = await office.report("C1", 1)
    leaf = await leaf_of(office, heard.message_id)
    parts = [
        b"gs-leaf-1",
        *(
            str(leaf[name]).encode()
            for name in (
                "kind",
                "tx_id",
                "sender",
                "receiver",
                "message_id",
                "received_us",
                "assurance",
                "signer",
            )
        ),
        leaf["request_commitment"],
        leaf["reply_commitment"],
        leaf["effect_commitment"],
    ]
    whole = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert leaf["leaf_hash"] == sha256(b"\x00" + whole).digest()


async def test_the_effect_commits_to_the_rows_that_were_written(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    changed = effect(await leaf_of(office, heard.message_id))
    assert changed.keys() == {
        *("message", "admission", "settlement", "transfer", "audit", "outbox")
    }
    [[_, [described]]] = changed["settlement"]
    [stored] = await office.kept(tables.settlement, select(tables.settlement))
    own = {name: value for name, value in stored.items() if name not in ("key_id", "record_key")}
    salt = bytes((await leaf_of(office, heard.message_id))["salts"])[96:]
    assert described == own | {"detail": digested(salt, "detail", bytes(own["detail"]))}
    [[_, booked]] = changed["transfer"]
    assert booked == await office.rows(select(tables.transfer))


async def test_an_edited_row_no_longer_matches_its_leaf(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    [[_, [described]]] = effect(await leaf_of(office, heard.message_id))["settlement"]
    described["fund_fen"] += 1
    [stored] = await office.rows(select(tables.settlement))
    assert described["fund_fen"] != stored["fund_fen"]
    leaf = await leaf_of(office, heard.message_id)
    edited = bytes(leaf["effect"]).replace(b'"fund_fen":2400', b'"fund_fen":2401')
    assert edited != bytes(leaf["effect"])
    assert commitment(salts(leaf)[2], edited) != leaf["effect_commitment"]


TEXTS = tuple(name for name in Exchange.__slots__ if name not in ("request", "reply", "effect"))
EXCHANGE = Exchange(
    kind="message",
    tx_id="T1",
    sender="H001",
    receiver="GATEWAY",
    message_id="M1",
    received_us=1,
    assurance="signed",
    signer="f" * 64,
    request=b"asked",
    reply=b"answered",
)


def test_equal_bytes_have_different_commitments_every_time() -> None:
    first, second = leaf_row(EXCHANGE), leaf_row(EXCHANGE)
    assert first["request_commitment"] != second["request_commitment"]
    assert first["leaf_hash"] != second["leaf_hash"]


def test_absent_bytes_commit_to_nothing() -> None:
    assert leaf_row(EXCHANGE)["effect_commitment"] == bytes(32)


@pytest.mark.parametrize("field", ["kind", "tx_id", "sender", "receiver", "message_id", "signer"])
def test_no_part_of_a_leaf_can_flow_into_its_neighbour(field: str) -> None:
    names = [name for name in Exchange.__slots__ if isinstance(getattr(EXCHANGE, name), str)]
    values = {name: getattr(EXCHANGE, name) for name in Exchange.__slots__}
    neighbour = names[(names.index(field) + 1) % len(names)]
    moved = values | {field: values[field][:-1], neighbour: values[field][-1] + values[neighbour]}
    assert leaf_bytes(Exchange(**moved), [b"", b"", b""]) != leaf_bytes(EXCHANGE, [b"", b"", b""])
