"""A settlement read back from the store, with a server running or not; makes no key, no file."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from adapters.catalog_file.write import DamagedEdition, edition_from_bytes
from gateway.clock import instant
from gateway.domain.admission import BillState
from gateway.domain.bill import BillVerdict, LineVerdict
from gateway.domain.catalogue import Edition
from gateway.domain.results import Settlement
from gateway.logs import masked
from gateway.policy.faults import BadPolicy
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.rules.readjudicate import Change, change_of, difference_verdict
from gateway.rules.settle import Bill
from gateway.settings import Settings
from gateway.store.database import Reader, asked_on
from gateway.store.editions import edition_content, policy_content
from gateway.store.frozen import Facts, thawed_facts, thawed_verdict
from gateway.store.opening import query_only
from gateway.store.personal import KeyRing, Unopened, Vault
from gateway.store.settlements import (
    kept_row,
    last_delta,
    settlement_by_id,
    settlement_of,
    split_of,
)
from gateway.store.standing import standing_row


class NotTold(Exception):
    """What was asked for cannot be told; the sentence says why, in Chinese and English, and
    quotes no identity number that somebody took for the number of a settlement."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(masked(f"{zh} / {en}"))


@dataclass(frozen=True, slots=True)
class StoredBill:
    """A settlement, reversal or delta: its row, the facts it froze and the verdict, amounts
    signed.

    A reversal keeps the facts of what it reverses; its verdict here is the negative one. That
    of a delta is the difference, on the lines that differ alone; `change` holds both sides.
    """

    row: dict[str, Any]
    facts: Facts
    verdict: BillVerdict
    change: Change | None = None

    @property
    def settlement_id(self) -> str:
        return str(self.row["settlement_id"])

    @property
    def reverses(self) -> str:
        """The settlement that this row takes back, or ""."""
        return self.row["reverses"] or ""

    @property
    def adjusts(self) -> str:
        """The settlement that this delta adjusts, or ""."""
        return self.row["adjusts"] or ""


def need_database(settings: Settings) -> None:
    """Raises NotTold when the deployment has no database yet: an act on settlements makes none."""
    path = settings.database_path
    if not settings.database_url and not path.exists():
        raise NotTold(
            f"没有数据库 {path.name}：设置 GATEWAY_DATA_DIR，或先运行 gateway serve",
            f"no database {path.name}: set GATEWAY_DATA_DIR, or run gateway serve first",
        )


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Reader]:
    """A query-only look at the store of the deployment. Raises NotTold when it does not open."""
    need_database(settings)
    try:
        async with query_only(settings) as connection:
            yield Reader(asked_on(connection), _vault(settings))
    except Unopened as shut:
        raise NotTold(
            "打不开：此人已清除，或密钥不在 keys/ 中",
            "not to be opened: purged, or its key is gone",
        ) from shut
    except (*UNREADABLE, OSError) as error:
        raise unreadable(error) from error


UNREADABLE: Final = (SQLAlchemyError, sqlite3.Error)
"""What a driver says of a database that does not open, or breaks while it is read."""


def unreadable(error: Exception) -> NotTold:
    """That the database cannot be read, by the name of what was raised."""
    name = type(error).__name__
    return NotTold(
        f"数据库读不出（{name}）：运行 gateway doctor",
        f"the database cannot be read ({name}): run gateway doctor",
    )


def need_keys(settings: Settings) -> None:
    """Raises NotTold when the keys are not here: an act on records makes none."""
    if not any(settings.keys_dir.glob("*.aes")):
        raise NotTold("密钥目录中没有密钥：请从备份恢复", "no keys here: restore them from backup")


def _vault(settings: Settings) -> Vault:
    need_keys(settings)
    return Vault(KeyRing(settings.keys_dir, settings.region))


async def stored_bill(reader: Reader, settlement_id: str) -> StoredBill:
    """The settlement or reversal of this number. Raises NotTold when there is none."""
    row = await settlement_by_id(reader, settlement_id)
    if row is None:
        raise NotTold(f"没有结算 {settlement_id}", f"there is no settlement {settlement_id}")
    facts, verdict = thawed_facts(row["detail"]), thawed_verdict(row["detail"])
    if row["adjusts"]:
        return await _delta(reader, row, facts, verdict)
    return StoredBill(row, facts, _negated(verdict) if row["reverses"] else verdict)


async def standing_bill(reader: Reader, settlement_id: str) -> tuple[Facts, BillVerdict]:
    """What stands of a settlement in force: the facts and the verdict of the last of its row and
    its deltas. Raises NotTold when it is not in force or does not open."""
    row = await standing_row(reader, settlement_id)
    if row is None:
        raise NotTold(f"没有有效的结算 {settlement_id}", f"{settlement_id} is not in force")
    one = opened_row(reader, row)
    return one.facts, one.verdict


class Opened(NamedTuple):
    """The row of a settlement with its detail, and what that holds."""

    row: dict[str, Any]
    facts: Facts
    verdict: BillVerdict


def opened_row(reader: Reader, kept: dict[str, Any]) -> Opened:
    """A row as it is kept, opened. Raises NotTold for this one alone, which says why: the person
    was purged, or the row is not as the gateway wrote it."""
    number = kept["settlement_id"]
    if kept["record_key"] is None:
        raise NotTold(f"{number} 的职工已清除", f"the worker of {number} was purged")
    try:
        row = settlement_of(reader, kept)
        return Opened(row, thawed_facts(row["detail"]), thawed_verdict(row["detail"]))
    except Unopened as shut:
        raise NotTold(
            f"{number} 的明细打不开：被改动过，或密钥不在 keys/ 中",
            f"the detail of {number} does not open: it was altered, or its key is not in keys/",
        ) from shut
    except (LookupError, TypeError, ValueError, AttributeError) as broken:
        name = type(broken).__name__
        raise NotTold(
            f"{number} 的明细残缺（{name}）", f"the detail of {number} is damaged ({name})"
        ) from broken


async def _delta(
    reader: Reader, row: dict[str, Any], facts: Facts, after: BillVerdict
) -> StoredBill:
    before = await before_of(reader, row)
    change = None if before is None else change_of(before, after)
    if change is None:
        number = row["settlement_id"]
        raise NotTold(f"补差 {number} 没有差额", f"the delta {number} changes nothing")
    return StoredBill(row, facts, difference_verdict(change), change)


async def before_of(reader: Reader, row: Mapping[str, Any]) -> BillVerdict | None:
    """The verdict that the delta of this row changed; of a reversal or reinstated settlement,
    the one that its last delta changed. None where no delta is behind it."""
    delta = row if row["follows"] else await _delta_behind(reader, row)
    if delta is None:
        return None
    earlier = await kept_row(reader, delta["follows"])
    if earlier is None:
        raise NotTold(f"没有结算 {delta['follows']}", f"there is no settlement {delta['follows']}")
    return opened_row(reader, earlier).verdict


async def _delta_behind(reader: Reader, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    source = row["reverses"] or row["reinstates"]
    while source:
        last = await last_delta(reader, source)
        if last is not None:
            return last
        earlier = await kept_row(reader, source)
        source = None if earlier is None else earlier["reinstates"]
    return None


def _negated(verdict: BillVerdict) -> BillVerdict:
    meal = replace(verdict.meal, amount_fen=-verdict.meal.amount_fen)
    lines = tuple(_negated_line(line) for line in verdict.lines)
    split, payout = verdict.split.negated(), verdict.payout.negated()
    return replace(verdict, lines=lines, split=split, meal=meal, payout=payout)


def _negated_line(line: LineVerdict) -> LineVerdict:
    return line._replace(amount_fen=-line.amount_fen, split=line.split.negated())


def message_of(bill: StoredBill) -> Settlement:
    """The settlement in the words of its messages, lines and meal included."""
    row, stay, case = bill.row, bill.facts.stay, bill.facts.case
    return Settlement(
        admission_id=row["admission_id"],
        bill_state=BillState.OPEN if bill.reverses else BillState.SETTLED,
        settlement_id=bill.settlement_id,
        bill_no=row["bill_no"],
        reverses=bill.reverses,
        reinstates=row["reinstates"] or "",
        adjusts=bill.adjusts,
        visit_no=stay.visit_no,
        hospital=row["hospital"],
        case_no=row["case_no"],
        decision_no=case.decision_no if case else "",
        settled_at=instant(row["settled_us"]),
        business_day=date.fromisoformat(row["business_day"]),
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        split=split_of(row),
        meal=bill.verdict.meal,
        payout=bill.verdict.payout,
        lines=bill.verdict.lines,
        rules_version=row["rules_version"],
        policy_digest=row["policy_digest"],
        edition_digests=bill.verdict.edition_digests,
        suspicions=bill.verdict.suspicions,
        grounds=bill.verdict.grounds,
        liable_employer=bill.verdict.liable_employer,
    )


class EditionsOfRecord:
    """The policy and catalogue editions that settlements used, each opened once by digest."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}
        self._editions: dict[str, Edition] = {}

    async def bill(self, reader: Reader, facts: Facts, verdict: BillVerdict) -> tuple[Bill, Policy]:
        """What the rules saw when they gave the verdict. Raises NotTold."""
        try:
            policy = await self._policy(reader, verdict.policy_digest)
            used = [await self._edition(reader, digest) for digest in verdict.edition_digests]
        except (LookupError, DamagedEdition, BadPolicy) as error:
            name = type(error).__name__
            raise NotTold(
                f"结算所用的政策或目录版本不在库中或已损坏（{name}）",
                f"an edition that the settlement used is absent or damaged ({name})",
            ) from error
        known = facts.stay, facts.case, facts.hospital, facts.lines
        more = facts.others, facts.devices, facts.paid_by
        return Bill(*known, tuple(used), *more), policy

    async def _policy(self, reader: Reader, digest: str) -> Policy:
        if digest not in self._policies:
            content = await policy_content(reader, digest)
            if content is None:
                raise LookupError(digest)
            self._policies[digest] = load_archive(content)
        return self._policies[digest]

    async def _edition(self, reader: Reader, digest: str) -> Edition:
        if digest not in self._editions:
            self._editions[digest] = edition_from_bytes(await edition_content(reader, digest))
        return self._editions[digest]
