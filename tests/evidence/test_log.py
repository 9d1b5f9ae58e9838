"""The log of an open gateway: numbered, signed, and stopped when it went back."""

import shutil
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.commands import QueryTransaction
from gateway.evidence import tree
from gateway.evidence.note import Checkpoint, NoteSigner, Verifier
from gateway.flows import keep_log, open_log
from gateway.flows.administer import NotDone
from gateway.flows.keep_log import keep, number_leaves, sign_head
from gateway.flows.renew_keys import Ordered
from gateway.store import log as rows
from gateway.store.tables import audit, checkpoint, leaf, log_head, log_origin, tile
from gateway.store.unit import Change, StaleFacts, Stopped, Unit
from tests.flows.office import LINES, Heard, Office, office_in
from tests.store.hands import by_hand


async def settled(office: Office, case: str = "C1", serial: int = 1) -> Heard:
    await office.recognised(case, serial)
    stay = await office.billed("H001", f"V{serial}", serial)
    return await office.commit("H001", stay, *LINES)


async def head(office: Office) -> rows.Head:
    async with office.desk.database.reading() as reader:
        found = await rows.head(reader)
    assert found is not None
    return found


async def signed(office: Office) -> Checkpoint:
    """The last checkpoint, its signature verified."""
    now = await head(office)
    return Verifier(now.origin, now.public_key).checkpoint(office.desk.log.published)


async def in_order(office: Office) -> list[dict[str, Any]]:
    return await office.rows(select(leaf).order_by(leaf.c.leaf_index))


async def gone_back(office: Office, size: int) -> None:
    """The database as it was when the log had this size: what a restored backup looks like."""
    hashes = [bytes(one["leaf_hash"]) for one in (await in_order(office))[:size]]
    async with by_hand(office.desk.database) as connection:
        for name in ("leaf", "checkpoint"):
            where = f" ON {name}" if connection.dialect.name == "postgresql" else ""
            act = "update" if where else "delete"
            await connection.exec_driver_sql(f"DROP TRIGGER {name}_no_{act}{where}")
        await connection.execute(leaf.delete().where(leaf.c.leaf_index >= size))
        await connection.execute(checkpoint.delete().where(checkpoint.c.size > size))
        await connection.execute(tile.delete())
        for (level, place), content in tree.grown(0, {}, hashes).items():
            row = {"log": 1, "level": level, "place": place, "hashes": content}
            await connection.execute(tile.insert(), row)
        await connection.execute(log_head.update().values(size=size))


# --- numbering and signing ---


async def test_the_first_leaf_of_the_log_is_its_opening(office: Office) -> None:
    first = (await office.rows(select(leaf).where(leaf.c.leaf_index == 0)))[0]
    assert first["kind"] == "origin"
    [origin] = await office.rows(select(log_origin))
    assert (origin["log"], origin["origin"]) == (1, "GATEWAY.999900.test/1")
    assert origin["public_key"] == office.desk.log.signer.verifier.public


async def test_every_committed_leaf_is_numbered_without_a_gap_and_signed(office: Office) -> None:
    await settled(office)
    await keep(office.desk.log)
    leaves = await in_order(office)
    assert [one["leaf_index"] for one in leaves] == list(range(len(leaves)))
    hashes = [bytes(one["leaf_hash"]) for one in leaves]
    tiles = tree.grown(0, {}, hashes)
    at = await signed(office)
    assert (at.size, at.root) == (len(leaves), tree.root(len(leaves), tiles))


async def test_leaves_are_numbered_in_the_order_of_commit(office: Office) -> None:
    await keep(office.desk.log)
    before = (await head(office)).size
    said = [(await office.report(f"C{n}", n)).message_id for n in range(1, 6)]
    await keep(office.desk.log)
    assert [one["message_id"] for one in (await in_order(office))[before:]] == said


async def test_the_tree_that_grew_bit_by_bit_is_that_of_all_leaves(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_log, "_PAGE", 3)
    await settled(office)
    while await number_leaves(office.desk.log):
        await sign_head(office.desk.log)
    hashes = [bytes(one["leaf_hash"]) for one in await in_order(office)]
    now = await head(office)
    async with office.desk.database.reading() as reader:
        every = await rows.all_signed(reader, 1)
    assert len(every) > 3
    for one in every:
        at = Verifier(now.origin, now.public_key).checkpoint(one.note)
        assert at.root == tree.root(one.size, tree.grown(0, {}, hashes[: one.size]))


async def test_nothing_new_is_not_signed_again(office: Office) -> None:
    await keep(office.desk.log)
    assert await sign_head(office.desk.log) is False
    assert await number_leaves(office.desk.log) == 0


async def test_two_who_number_at_once_give_every_number_once(office: Office) -> None:
    await keep(office.desk.log)
    await office.report("C1", 1)
    stale = (await head(office)).key
    await number_leaves(office.desk.log)
    late = Unit("L", 2026, writes=(Change(log_head, stale, {"size": 0}),), of_the_log=True)
    with pytest.raises(StaleFacts):
        await office.desk.database.commit(late)


async def test_the_file_has_the_checkpoint_before_the_database_has_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(office.desk.log)
    await office.report("C1", 1)
    await number_leaves(office.desk.log)
    seen: list[str] = []
    published = office.desk.log.published
    commit = office.desk.database.commit

    async def noted(unit: Unit) -> None:
        seen.append(office.desk.log.file.read())
        await commit(unit)

    monkeypatch.setattr(office.desk.database, "commit", noted)
    await sign_head(office.desk.log)
    [before] = seen
    assert before not in ("", published)
    await office.desk.log.look()
    assert before == office.desk.log.published


async def test_a_reply_promises_a_proof_and_names_the_last_checkpoint(office: Office) -> None:
    await keep(office.desk.log)
    heard = await office.report("C1", 1)
    binding, _ = office.opened("AGENCY", heard.sealed)
    assert binding is not None
    assert binding.provable_by == heard.said.received_at + timedelta(seconds=60)
    assert binding.checkpoint == office.desk.log.published != ""


async def test_what_was_not_processed_promises_nothing(office: Office) -> None:
    request = await office.request("H001", "transaction.query", _query(), receiver="OTHER")
    binding, _ = office.opened("H001", (await office.hear(request)).sealed)
    assert binding is not None
    assert binding.provable_by is None


def _query() -> Any:
    return QueryTransaction(target_message_id="NONE")


# --- what others know ---


async def known(office: Office, note: str, message_id: str = "") -> Heard:
    """A query by a hospital that knows this checkpoint."""
    return await office.say(
        "H001", "transaction.query", _query(), message_id, known_checkpoint=note
    )


async def test_a_checkpoint_of_ours_is_heard_and_work_goes_on(office: Office) -> None:
    await keep(office.desk.log)
    first = office.desk.log.published
    await office.report("C1", 1)
    await keep(office.desk.log)
    assert office.desk.log.published != first
    assert (await known(office, first)).outcome == "ANSWERED"


async def test_a_checkpoint_beyond_our_tree_stops_everybody(office: Office) -> None:
    await settled(office)
    await keep(office.desk.log)
    ahead, size = office.desk.log.published, (await head(office)).size
    await gone_back(office, size - 2)
    await office.desk.log.look()
    heard = await known(office, ahead)
    assert (heard.outcome, heard.code) == ("NOT_PROCESSED", "LOG_ROLLED_BACK")
    assert (await office.report("C2", 2)).code == "LOG_ROLLED_BACK"
    with pytest.raises(Stopped):
        await office.hospital("H009")
    now = await head(office)
    assert (now.stopped, now.evidence) == ("LOG_ROLLED_BACK", ahead)


async def test_a_checkpoint_beside_our_tree_stops_everybody(office: Office) -> None:
    await keep(office.desk.log)
    now = await head(office)
    signer = office.desk.log.signer.named(now.origin)
    beside = signer.note(Checkpoint(now.origin, now.size - 1, bytes(32)))
    assert (await known(office, beside)).code == "LOG_ROLLED_BACK"


async def test_a_checkpoint_that_we_never_signed_stops_nobody(office: Office) -> None:
    await keep(office.desk.log)
    now = await head(office)
    forged = NoteSigner(now.origin, Ed25519PrivateKey.generate())
    note = forged.note(Checkpoint(now.origin, now.size + 9, bytes(32)))
    assert (await known(office, note)).outcome == "ANSWERED"
    assert (await known(office, "example-log")).outcome == "ANSWERED"


async def test_a_stored_reply_is_given_though_everything_stands_still(office: Office) -> None:
    heard = await settled(office)
    office.desk.database.stopped = "LOG_ROLLED_BACK"
    assert (await office.hear(heard.said)).sealed == heard.sealed


# --- the file, and the start ---


async def test_a_gateway_whose_database_went_back_stands_still(office: Office) -> None:
    await settled(office)
    await keep(office.desk.log)
    await gone_back(office, (await head(office)).size - 1)
    await office.desk.log.compare_file()
    await office.desk.log.look()
    assert (await office.report("C2", 2)).code == "LOG_ROLLED_BACK"


async def test_the_stop_outlives_a_restart(data: Path) -> None:
    async with office_in(data) as office:
        await keep(office.desk.log)
        await office.desk.log.stop(await head(office), "")
    async with office_in(data) as again:
        assert (await again.report("C2", 2)).code == "LOG_ROLLED_BACK"


async def test_a_restored_database_is_noticed_at_start(data: Path, tmp_path: Path) -> None:
    async with office_in(data) as office:
        await keep(office.desk.log)
        file = office.desk.log.file.path
        kept = Path(shutil.copy(file, tmp_path / "kept"))
        await settled(office)
        await keep(office.desk.log)
        later = file.read_text(encoding="utf-8")
        await gone_back(office, int(kept.read_text(encoding="utf-8").split("\n")[1]))
        assert file.read_text(encoding="utf-8") == later
    async with office_in(data) as again:
        assert again.desk.database.stopped == "LOG_ROLLED_BACK"
        with pytest.raises(Stopped):
            await again.hospital("H009")


async def test_a_file_that_somebody_wrote_over_stops_everybody(office: Office) -> None:
    await keep(office.desk.log)
    office.desk.log.file.write("nonsense\n")
    await office.desk.log.compare_file()
    assert office.desk.database.stopped == "LOG_ROLLED_BACK"


async def test_the_signer_refuses_a_tree_that_is_not_what_it_signed(office: Office) -> None:
    await keep(office.desk.log)
    before = office.desk.log.published
    async with by_hand(office.desk.database) as connection:
        leaves = (tile.c.level == 0, tile.c.place == 0)
        [(content,)] = await connection.execute(select(tile.c.hashes).where(*leaves))
        edited = bytes([content[0] ^ 1]) + bytes(content[1:])
        await connection.execute(tile.update().where(*leaves).values(hashes=edited))
    await office.report("C1", 1)
    await keep(office.desk.log)
    assert office.desk.database.stopped == "LOG_ROLLED_BACK"
    assert office.desk.log.published == before == office.desk.log.file.read()


# --- time without a checkpoint ---


async def test_four_hours_without_a_checkpoint_stop_commits_until_one_is_signed(
    office: Office,
) -> None:
    await keep(office.desk.log)
    await office.report("C1", 1)
    office.gateway.clock.move(timedelta(hours=4))
    await office.desk.log.look()
    assert office.desk.database.stopped == ""
    await office.desk.log.look()
    assert (await office.report("C2", 2)).code == "LOG_STALLED"
    await keep(office.desk.log)
    assert office.desk.log.waits == timedelta(0)
    assert (await office.report("C3", 3)).outcome == "APPLIED"


async def test_four_quiet_hours_stop_nothing(office: Office) -> None:
    await keep(office.desk.log)
    office.gateway.clock.move(timedelta(hours=9))
    await office.desk.log.look()
    assert (await office.report("C1", 1)).outcome == "APPLIED"


# --- two persons ---


async def test_two_persons_open_a_new_log_whose_first_leaf_is_the_old_head(
    office: Office,
) -> None:
    await settled(office)
    await keep(office.desk.log)
    ahead, size = office.desk.log.published, (await head(office)).size
    await gone_back(office, size - 2)
    await office.desk.log.compare_file()
    restored, again = Ordered("甲", "恢复了备份"), Ordered(" 甲\u3000", "恢复了备份")
    assert await open_log.propose(office.desk, restored) == "GATEWAY.999900.test/1"
    with pytest.raises(NotDone, match="another person"):
        await open_log.approve(office.desk, again)
    checked = Ordered("乙", "已核对")
    assert await open_log.approve(office.desk, checked) == "GATEWAY.999900.test/2"
    [_, opened] = await office.rows(select(log_origin).order_by(log_origin.c.log))
    assert (opened["follows"], opened["first_index"]) == (ahead, size - 2)
    [first] = await office.kept(leaf, select(leaf).where(leaf.c.leaf_index == size - 2))
    assert first["kind"] == "origin"
    salted = sha256(bytes(first["salts"])[:32] + ahead.encode()).digest()
    assert first["request_commitment"] == salted
    acts = {row["action"]: row for row in await office.kept(audit, select(audit))}
    assert acts["log.propose"]["code"] == "甲"
    assert acts["log.open"]["code"] == "甲 + 乙"


async def test_after_it_was_opened_work_goes_on_and_the_old_head_is_known(
    office: Office,
) -> None:
    await settled(office)
    await keep(office.desk.log)
    ahead = office.desk.log.published
    await gone_back(office, (await head(office)).size - 2)
    await office.desk.log.compare_file()
    await open_log.propose(office.desk, Ordered("甲", "r"))
    await open_log.approve(office.desk, Ordered("乙", "r"))
    assert (await office.decide("C1", CaseState.RECOGNISED)).outcome != "NOT_PROCESSED"
    await keep(office.desk.log)
    at = await signed(office)
    assert at.origin == "GATEWAY.999900.test/2"
    assert at.size > 1
    assert (await known(office, ahead)).outcome == "ANSWERED"
    await office.desk.log.compare_file()
    assert office.desk.database.stopped == ""


async def test_a_log_that_runs_is_not_opened_anew(office: Office) -> None:
    with pytest.raises(NotDone, match="does not stand still"):
        await open_log.propose(office.desk, Ordered("甲", "r"))


@pytest.mark.parametrize(("by", "reason"), [("", "r"), ("甲", " ")])
async def test_who_and_why_are_said(office: Office, by: str, reason: str) -> None:
    with pytest.raises(NotDone, match="who and why"):
        await office.act("log.propose", by=by, reason=reason)
