"""The receipt beside a reply: of a message that was answered before, for whom GET would tell it."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from gateway.domain.commands import QueryTransaction
from gateway.flows.keep_log import keep
from gateway.store.tables import party_key
from gateway.web import receipts
from gateway.web.agency import agency_app
from tests.flows.conftest import data, office, preparations, store
from tests.flows.listener import (
    HOSPITAL,
    LIVE,
    REFUSED,
    TARGET,
    TOMBSTONE,
    UNDONE,
    Listener,
    connection_of,
    said_in,
    signer_of,
)
from tests.flows.office import AGENCY, Office
from tests.flows.test_driver_calls import MOST, counted
from tests.store.hands import by_hand
from tests.web.proved import opened, proves

__all__ = ["data", "office", "preparations", "store"]


@pytest.fixture
async def settled(data: Path) -> AsyncIterator[Listener]:
    """A hospital whose settlement was answered a moment ago: no checkpoint covers it yet."""
    async with said_in(data, "ecdsa", LIVE) as (listener, _, _):
        yield listener


def commit(listener: Listener) -> bytes:
    assert listener.heading is not None
    return listener.sealed(listener.signers["ecdsa"], listener.command, listener.heading)


def query(listener: Listener, message_id: str = "H009-ASKING") -> bytes:
    heading = listener.headed("transaction.query", message_id)
    wanted = QueryTransaction(target_message_id=TARGET)
    return listener.sealed(listener.signers["ecdsa"], wanted, heading)


async def fetched(listener: Listener) -> Response:
    """What GET tells of the same message."""
    path = receipts.PATH.format(sender=HOSPITAL, message_id=TARGET)
    async with listener.connected(listener.tls) as http:
        return await http.get(path)


async def test_a_resend_of_a_logged_message_brings_what_get_tells(settled: Listener) -> None:
    first = await settled.answered(commit(settled))
    await keep(settled.office.desk.log)
    again = await settled.answered(commit(settled))
    assert again.content == first.content
    value = again.headers["log-receipt"]
    told = b64decode(value, validate=True)
    assert told == (await fetched(settled)).content
    assert len(value) < 4000
    assert proves(settled.office, json.loads(told), reply=again.content)


async def test_neither_a_fresh_reply_nor_one_before_its_checkpoint_has_a_receipt(
    data: Path,
) -> None:
    async with said_in(data, "ecdsa", TOMBSTONE) as (listener, _, _):
        listener.heading = listener.headed("settlement.commit", "H009-FRESH")
        fresh = await listener.answered(commit(listener))
        again = await listener.answered(commit(listener))
    assert fresh.status_code == again.status_code == 200
    assert not {"log-receipt"} & (set(fresh.headers) | set(again.headers))


async def test_a_query_brings_the_receipt_of_what_it_asked_about(settled: Listener) -> None:
    assert "log-receipt" not in (await settled.answered(query(settled, "H009-EARLY"))).headers
    await keep(settled.office.desk.log)
    answer = await settled.answered(query(settled))
    found = json.loads(b64decode(answer.headers["log-receipt"]))
    _, result = settled.office.opened(HOSPITAL, answer.content)
    assert proves(settled.office, found, reply=result.stored_reply)


@pytest.mark.parametrize(("state", "shown"), [(REFUSED, True), (UNDONE, True), (TOMBSTONE, False)])
async def test_what_was_refused_or_undone_is_proved_too_and_a_fence_proves_nothing(
    data: Path, state: str, shown: bool
) -> None:
    async with said_in(data, "ecdsa", state) as (listener, _, first):
        await keep(listener.office.desk.log)
        again = await listener.answered(commit(listener))
        asked = await listener.answered(query(listener))
        assert ["log-receipt" in one.headers for one in (again, asked)] == [shown, shown]
        if shown:
            found = json.loads(b64decode(again.headers["log-receipt"]))
            assert proves(listener.office, found, reply=first[2])


async def test_an_id_used_for_another_content_brings_no_receipt(settled: Listener) -> None:
    await keep(settled.office.desk.log)
    settled.command = settled.office.commit_of("A-OTHER")
    answer = await settled.answered(commit(settled))
    assert (answer.status_code, "log-receipt" in answer.headers) == (409, False)


async def test_a_receipt_continues_the_checkpoint_that_the_query_knew(settled: Listener) -> None:
    log = settled.office.desk.log
    await keep(log)
    known = log.published
    await settled.office.report("C7", 7)
    await keep(log)
    heading = replace(settled.headed("transaction.query", "H009-KNOWING"), known_checkpoint=known)
    wanted = QueryTransaction(target_message_id=TARGET)
    answer = await settled.answered(settled.sealed(settled.signers["ecdsa"], wanted, heading))
    found = json.loads(b64decode(answer.headers["log-receipt"]))
    assert opened(settled.office, found).continues(known)


async def test_a_carrier_is_told_beside_the_reply_only_what_get_would_tell_it(
    settled: Listener,
) -> None:
    office = settled.office
    await keep(office.desk.log)
    await office.act("party.add", party="V001", kind="carrier", name="虚构公司")
    tls = await connection_of(office, "V001")
    given = {"carrier": "V001", "hospital": HOSPITAL}
    days = {"valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    await office.act("mandate.add", **given, commands=["settlement.commit"], **days)
    narrow = await settled.answered(commit(settled), tls)
    assert (narrow.status_code, "log-receipt" in narrow.headers) == (200, False)
    await office.act("mandate.add", **given, commands=["transaction.query"], **days)
    wide = await settled.answered(commit(settled), tls)
    assert (wide.content, "log-receipt" in wide.headers) == (narrow.content, True)


@pytest.mark.parametrize("broken", ["the log cannot be read", "it is too long"])
async def test_a_reply_goes_without_its_receipt_rather_than_not_at_all(
    settled: Listener, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    await keep(settled.office.desk.log)
    if broken == "it is too long":
        monkeypatch.setattr(receipts.receipts, "LONGEST", 100)
    else:
        monkeypatch.setattr("gateway.store.log.tiles", _failing)
    again = await settled.answered(commit(settled))
    assert (again.status_code, "log-receipt" in again.headers) == (200, False)


async def _failing(*_: Any) -> None:
    raise LookupError("a tile is missing")


async def test_the_receipt_costs_calls_only_when_it_can_be_ready(settled: Listener) -> None:
    """The resend's own two calls: who sends, and what was stored; the query's own as well."""
    database = settled.office.desk.database
    taken = {}
    for when in ("before", "after"):
        with counted(database) as resend:
            await settled.answered(commit(settled))
        with counted(database) as asked:
            await settled.answered(query(settled, f"H009-{when}"))
        taken[when] = (len(resend), len(asked))
        await keep(settled.office.desk.log)
    assert taken["before"][0] == 2
    assert [after - before for before, after in zip(*taken.values(), strict=True)] == [6, 6]
    assert max(taken["after"]) <= MOST


async def test_the_agencys_listener_brings_receipts_as_well(office: Office) -> None:
    # Its keys here sign nothing: it gets some that do.
    async with by_hand(office.desk.database) as connection:
        await connection.execute(party_key.delete().where(party_key.c.party_id == AGENCY))
    tls = await connection_of(office, AGENCY)
    signer = await signer_of(office, "ecdsa", AGENCY)
    core = Listener(office, tls, {}, app=agency_app)
    heading = core.headed("case.report", "AGENCY-1", AGENCY)
    sealed = core.sealed(signer, office.case_report("C9", 9), heading)
    first = await core.answered(sealed)
    assert (first.status_code, "log-receipt" in first.headers) == (200, False)
    await keep(office.desk.log)
    again = await core.answered(sealed)
    assert again.content == first.content
    found = json.loads(b64decode(again.headers["log-receipt"]))
    assert proves(office, found, request=sealed, reply=first.content)
