"""Whoever reads a person's record leaves who, what, why and when; nobody may try out numbers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import micros
from gateway.domain.commands import (
    Identity,
    PreviewSettlement,
    PullInbox,
    QueryApprovals,
    QueryCase,
    QueryCuts,
    QueryFees,
    QueryTransaction,
    ReadPerson,
)
from gateway.flows.administer import NotDone
from gateway.flows.dispatch import READS
from gateway.flows.release_held import release_all
from gateway.flows.search_limit import SearchLimit
from gateway.store.tables import audit, person_index
from gateway.store.unit import StoreFailed
from tests.flows.office import LINES, Office, office_in
from tests.world import person

ONE, NOBODY = person(1), person(2)
OTHER_NAME = Identity(id_no=ONE.id_no, name="测试甲乙")
WHO = {"by": "甲", "reason": "窗口查询"}
OF_NO_PERSON = {"catalog.download", "mapping.query", "reconcile.totals", "reconcile.details"}
HOUR_US = 3_600_000_000


@pytest.fixture
async def office(data: Path) -> AsyncIterator[Office]:
    async with office_in(data, person_searches_per_hour=4) as made:
        yield made


async def audited(office: Office, action: str) -> list[dict[str, Any]]:
    return await office.kept(
        audit, select(audit).where(audit.c.action == action).order_by(audit.c.at_us)
    )


async def person_id(office: Office) -> str:
    found: str = (await office.rows(select(person_index)))[0]["person_id"]
    return found


# --- who read what ---


async def test_a_search_says_who_whom_and_when_but_no_number(office: Office) -> None:
    await office.report("C1", 1)
    before = office.desk.now_us
    await office.say("H001", "person.read", ReadPerson(person=ONE))
    [row] = await audited(office, "person.read")
    assert (row["actor"], row["subject"]) == ("H001", await person_id(office))
    assert before <= row["at_us"] <= micros(office.desk.clock.now())
    assert row["reason"].decode() == f"测**** {ONE.id_no[:3]}***********{ONE.id_no[-4:]}"


@pytest.mark.parametrize("asked", [NOBODY, OTHER_NAME], ids=["unknown", "another's name"])
async def test_the_unknown_and_the_forbidden_hear_the_same_and_are_audited(
    office: Office, asked: Identity
) -> None:
    await office.report("C1", 1)
    read = await office.say("H001", "person.read", ReadPerson(person=asked))
    query = await office.say("H001", "case.query", QueryCase(person=asked))
    assert (read.code, read.result.known, read.result.cases) == ("OK", False, 0)
    assert (query.code, query.result.cases) == ("OK", ())
    for action in ("person.read", "case.query"):
        [row] = await audited(office, action)
        assert (row["actor"], row["subject"]) == ("H001", "")
        assert asked.id_no[-4:] in row["reason"].decode()


async def test_every_read_of_a_hospital_leaves_its_row(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await release_all(office.desk)
    reads: dict[str, Any] = {
        "person.read": ReadPerson(person=ONE),
        "case.query": QueryCase(person=ONE),
        "fees.query": QueryFees(admission_id=stay),
        "settlement.preview": PreviewSettlement(
            admission_id=stay,
            expected_count=len(LINES),
            expected_amount_fen=sum(line.amount_fen for line in LINES),
        ),
        "cut.query": QueryCuts(admission_id=stay),
        "approval.query": QueryApprovals(),
        "transaction.query": QueryTransaction(target_message_id="H001-000001"),
        "inbox.pull": PullInbox(limit=10),
    }
    assert reads.keys() | OF_NO_PERSON == READS
    for name, command in reads.items():
        before = len(await office.rows(select(audit).where(audit.c.actor == "H001")))
        await office.say("H001", name, command)
        after = await office.rows(select(audit).where(audit.c.actor == "H001"))
        assert len(after) > before, name


# --- the limit ---


async def test_above_the_limit_nobody_is_told_and_each_reader_has_its_own(office: Office) -> None:
    await office.report("C1", 1)
    codes = [
        (await office.say("H001", "person.read", ReadPerson(person=ONE))).code for _ in range(3)
    ]
    codes += [(await office.say("H001", "case.query", QueryCase(person=NOBODY))).code]
    assert codes == ["OK"] * 4
    known = await office.say("H001", "person.read", ReadPerson(person=ONE))
    unknown = await office.say("H001", "case.query", QueryCase(person=NOBODY))
    assert known.code == unknown.code == "SEARCH_LIMITED"
    assert (await office.say("H002", "person.read", ReadPerson(person=ONE))).code == "OK"
    rows = await audited(office, "refused")
    assert [row["code"] for row in rows] == ["SEARCH_LIMITED"] * 2
    assert ONE.id_no[-4:] in rows[0]["reason"].decode()


def test_an_hour_later_the_reader_may_search_again() -> None:
    limit = SearchLimit(per_hour=2)
    assert [limit.takes("A", at) for at in (0, 1, 2, HOUR_US - 1)] == [True, True, False, False]
    assert limit.takes("A", HOUR_US)
    assert not limit.takes("A", HOUR_US)
    assert limit.takes("A", HOUR_US + 1)


# --- the operator ---


async def test_the_operator_finds_by_number_and_name_only(office: Office) -> None:
    await office.report("C1", 1)
    wanted = await person_id(office)
    assert await office.act("person.find", id_no=ONE.id_no, name=ONE.name, **WHO) == wanted
    for asked in (NOBODY, OTHER_NAME):
        told = await office.act("person.find", id_no=asked.id_no, name=asked.name, **WHO)
        assert told == "查无此人 / nobody"
    rows = await audited(office, "person.find")
    assert [row["subject"] for row in rows] == [wanted, "", ""]
    assert all(row["reason"].decode().startswith("甲: 窗口查询 (测") for row in rows)
    for lacking in ({"id_no": ONE.id_no, "name": " "}, {"id_no": "", "name": ONE.name}):
        with pytest.raises(NotDone, match="identity number and name"):
            await office.act("person.find", **lacking, **WHO)


async def test_the_operator_is_limited_too(office: Office) -> None:
    for _ in range(4):
        await office.act("person.find", id_no=ONE.id_no, name=ONE.name, **WHO)
    with pytest.raises(NotDone, match="too many searches"):
        await office.act("person.find", id_no=ONE.id_no, name=ONE.name, **WHO)


async def test_a_report_that_is_read_is_recorded(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.act("record.read", what="sheet", subject="S1", **WHO)
    [row] = await audited(office, "record.read")
    assert (row["code"], row["subject"], row["reason"].decode()) == ("sheet", "S1", "甲: 窗口查询")


async def test_where_the_audit_fails_nobody_is_shown(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.report("C1", 1)

    async def failing(_: object) -> None:
        raise StoreFailed("disk")

    monkeypatch.setattr(office.desk.database, "commit", failing)
    with pytest.raises(StoreFailed):
        await office.act("person.find", id_no=ONE.id_no, name=ONE.name, **WHO)
