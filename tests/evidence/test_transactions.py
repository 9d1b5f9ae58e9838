"""Every transaction leaves one leaf that commits to what was said, answered and changed."""

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, text

from gateway.domain.case import CaseState
from gateway.domain.commands import QueryCase
from gateway.evidence.leaf import Exchange, leaf_bytes
from gateway.flows.release_held import release_all
from gateway.store.tables import audit, leaf, message, settlement, transfer
from tests.flows.office import LINES, Heard, Office
from tests.store.hands import by_hand, unguarded
from tests.world import person

Leaf = dict[str, Any]


async def leaves(office: Office) -> list[Leaf]:
    """Those of the transactions; a message that one sends has its own (test_leaves.py)."""
    return await office.kept(leaf, select(leaf).where(leaf.c.kind != "sealing"))


async def new_leaves(office: Office, before: list[Leaf]) -> list[Leaf]:
    known = {one["tx_id"] for one in before}
    return [one for one in await leaves(office) if one["tx_id"] not in known]


def opens(found: Leaf, name: str, content: bytes) -> bool:
    """Whether the leaf's salt shows that it committed to exactly these bytes."""
    at = 32 * ("request", "reply", "effect").index(name)
    salted = sha256(found["salts"][at : at + 32] + content).digest()
    return bool(found[f"{name}_commitment"] == salted)


async def settled(office: Office) -> Heard:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    return await office.commit("H001", stay, *LINES)


# --- one for each ---


async def test_a_changing_message_leaves_one_leaf_with_its_request_and_reply(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    before = await leaves(office)
    heard = await office.commit("H001", stay, *LINES)
    [found] = await new_leaves(office, before)
    assert (found["kind"], found["sender"], found["message_id"], found["assurance"]) == (
        "message",
        "H001",
        heard.message_id,
        "signed",
    )
    assert found["signer"] == heard.said.message_key.fingerprint
    assert opens(found, "request", heard.said.raw)
    assert opens(found, "reply", heard.sealed)
    assert not opens(found, "reply", heard.sealed + b" ")


async def test_a_refusal_leaves_one_too(office: Office) -> None:
    before = await leaves(office)
    heard = await office.decide("NO-SUCH-CASE", CaseState.RECOGNISED)
    assert heard.outcome == "REFUSED"
    [found] = await new_leaves(office, before)
    assert found["kind"] == "message"
    assert opens(found, "reply", heard.sealed)


async def test_a_read_leaves_one_and_keeps_its_bytes_nowhere(office: Office) -> None:
    await office.recognised("C1", 1)
    before, kept = await leaves(office), await office.rows(select(message.c.message_id))
    heard = await office.say("H001", "case.query", QueryCase(person=person(1)))
    [found] = await new_leaves(office, before)
    assert (found["kind"], found["message_id"]) == ("read", heard.message_id)
    assert opens(found, "request", heard.said.raw)
    assert opens(found, "reply", heard.sealed)
    assert await office.rows(select(message.c.message_id)) == kept


async def test_a_job_leaves_one_in_the_gateways_own_name(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    before = await leaves(office)
    done = await release_all(office.desk)
    found = await new_leaves(office, before)
    assert len(found) == done > 0
    assert "release" in {one["kind"] for one in found} <= {"release", "readjudication"}
    for one in found:
        assert (one["sender"], one["assurance"]) == ("GATEWAY", "internal")
        assert one["request_commitment"] == one["reply_commitment"] == bytes(32)
        assert opens(one, "effect", one["effect"])


async def test_an_operators_act_leaves_one(office: Office) -> None:
    before = await leaves(office)
    await office.act("party.add", party="H009", kind="hospital", name="虚构")
    [found] = await new_leaves(office, before)
    assert found["kind"] == "operator"
    assert b"H009" in found["effect"]


async def test_a_repeated_message_is_no_new_transaction(office: Office) -> None:
    heard = await settled(office)
    before = await leaves(office)
    again = await office.hear(heard.said)
    assert again.sealed == heard.sealed
    assert await new_leaves(office, before) == []


async def test_every_message_points_to_its_leaf_and_every_audit_row_to_one(
    office: Office,
) -> None:
    await settled(office)
    known = {one["tx_id"] for one in await leaves(office)}
    for table in (message, audit, transfer):
        assert {row["tx_id"] for row in await office.rows(select(table.c.tx_id))} <= known


# --- what a leaf proves ---


async def test_every_leafs_hash_is_recomputed_from_its_own_row(office: Office) -> None:
    await settled(office)
    found = await office.kept(leaf, select(leaf))
    assert {"message", "sealing", "operator"} <= {one["kind"] for one in found}
    for one in found:
        exchange = Exchange(**{name: one[name] for name in _NAMED})
        committed = [one[f"{name}_commitment"] for name in ("request", "reply", "effect")]
        assert one["leaf_hash"] == sha256(b"\x00" + leaf_bytes(exchange, committed)).digest()


_NAMED = "kind tx_id sender receiver message_id received_us assurance signer".split()


async def test_every_leafs_effect_is_opened_by_its_salt(office: Office) -> None:
    await settled(office)
    assert all(opens(one, "effect", one["effect"]) for one in await leaves(office))


async def inserted(office: Office, table: Any) -> list[dict[str, Any]]:
    """The rows of a table as the leaves say that they were written."""
    writes = [write for one in await leaves(office) for write in json.loads(one["effect"])]
    return [
        row
        for name, how, *rest in writes
        if (name, how) == (table.name, "insert")
        for row in rest[0]
    ]


async def strangers(office: Office, table: Any) -> list[dict[str, Any]]:
    """Stored rows, personal columns aside, that no leaf committed to."""
    own = [c.name for c in table.columns if c.name not in table.info["personal"]]
    named = [name for name in own if name not in ("key_id", "record_key")]
    said = [{name: row.get(name) for name in named} for row in await inserted(office, table)]
    kept = await office.rows(select(*(table.c[name] for name in named)))
    return [row for row in kept if row not in said]


@pytest.mark.parametrize("table", [settlement, transfer, audit], ids=lambda table: table.name)
async def test_the_effects_hold_every_row_as_it_was_written(office: Office, table: Any) -> None:
    await settled(office)
    assert len(await inserted(office, table)) > 0
    assert await strangers(office, table) == []


@pytest.mark.parametrize(
    ("table", "edit"),
    [
        (settlement, "UPDATE settlement SET bill_no = 'OTHER'"),
        (transfer, "UPDATE transfer SET amount_fen = amount_fen + 1"),
        (audit, "UPDATE audit SET code = 'OTHER' WHERE action = 'settlement.commit'"),
    ],
    ids=["settlement", "transfer", "audit"],
)
async def test_a_row_edited_behind_our_back_is_found(office: Office, table: Any, edit: str) -> None:
    await settled(office)
    async with by_hand(office.desk.database) as connection:
        if table is not settlement:
            await unguarded(connection, table.name)
        changed = await connection.execute(text(edit))
    assert changed.rowcount > 0
    assert len(await strangers(office, table)) == changed.rowcount


async def test_with_its_record_key_destroyed_a_leaf_says_nothing_and_stays_valid(
    office: Office,
) -> None:
    heard = await settled(office)
    where = leaf.c.message_id == heard.message_id
    [before] = await office.rows(select(leaf).where(where))
    async with by_hand(office.desk.database) as connection:
        await connection.execute(leaf.update().where(where).values(record_key=None))
    [after] = await office.rows(select(leaf).where(where))
    assert after["leaf_hash"] == before["leaf_hash"]
    with pytest.raises(Exception, match="destroyed"):
        await office.kept(leaf, select(leaf).where(where))
