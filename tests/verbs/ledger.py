"""A store with one settled bill in it, as the server leaves it; persons made up."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from adapters.catalog_file.write import edition_bytes, edition_of
from gateway.clock import at_business, micros
from gateway.domain.bill import BillLine, BillVerdict
from gateway.policy.load import archive
from gateway.rules.settle import Bill, settle
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.frozen import Facts, frozen
from gateway.store.migrate import migrate
from gateway.store.personal import KeyRing, Vault
from gateway.store.rows import canonical, spans_text
from gateway.store.sqlite import SqliteDatabase
from gateway.store.unit import Insert, Unit
from tests.rules.facts import EDITIONS, REGION, a_bill, example_policy
from tests.store.test_store_health import a_row

SETTLEMENT = "S1"
ID_NO, CARD_NO, WORKER = "99990019900101001X", "K00001234", "测试职工甲"
EMPLOYER = "示例机械制造有限公司（虚构）"


@dataclass(frozen=True, slots=True)
class Settled:
    """The stored bill, and where it is stored."""

    settings: Settings
    bill: Bill
    verdict: BillVerdict


def real_editions() -> tuple[Any, ...]:
    """The editions of the facts under the digests of their content."""
    return tuple(
        edition_of(one.region, one.kind, one.valid_from, one.valid_to, one.rows.values())
        for one in EDITIONS
    )


async def settled(folder: Path, *lines: BillLine, **changes: Any) -> Settled:
    """A store in which a bill of these lines is settled; `changes` are those of the bill."""
    settings = Settings(data_dir=folder, region=REGION)
    migrate(settings.database_path)
    bill = replace(a_bill(*lines, **changes), editions=real_editions())
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict), verdict
    await insert(settings, _rows(bill, verdict))
    return Settled(settings, bill, verdict)


async def insert(
    settings: Settings, rows: Mapping[str, list[dict[str, Any]]], tx_id: str = "T1"
) -> None:
    """The rows by name of table, in one transaction."""
    vault = Vault(KeyRing(settings.keys_dir, settings.region))
    writes = tuple(
        Insert(
            tables.metadata.tables[name], [a_row(tables.metadata.tables[name], **r) for r in some]
        )
        for name, some in rows.items()
    )
    async with SqliteDatabase(settings.database_path, vault) as database:
        await database.commit(Unit(tx_id=tx_id, year=2026, writes=writes))


def _rows(bill: Bill, verdict: BillVerdict) -> dict[str, list[dict[str, Any]]]:
    detail = {"employer_name": EMPLOYER, "injured_parts": "右小腿"}
    return {
        "settlement": [settlement_row(bill, verdict)],
        "person": [
            {"person_id": "P1", "id_no": ID_NO, "name": WORKER, "card_no": CARD_NO, "phone": ""}
        ],
        "party": [_party("H1", "示例医院（虚构）"), _party("AGENCY", "示例市经办中心（虚构）")],
        "work_case": [{"case_no": "C1", "detail": json.dumps(detail)}],
        "policy_edition": [
            {"digest": verdict.policy_digest, "region": REGION, "content": archive(REGION)}
        ],
        "catalogue_edition": [
            {
                "digest": one.digest,
                "kind": one.kind.value,
                "valid_from": str(one.valid_from),
                "content": edition_bytes(one),
            }
            for one in bill.editions
        ],
    }


def settlement_row(bill: Bill, verdict: BillVerdict, **changes: Any) -> dict[str, Any]:
    """The settlement as the flow writes it."""
    split = verdict.split
    known = (bill.stay, bill.case, bill.hospital, bill.lines, bill.others)
    facts = Facts(*known, bill.devices, bill.paid_by)
    return {
        "settlement_id": SETTLEMENT,
        "admission_id": "A1",
        "hospital": "H1",
        "live": 1,
        "case_no": "C1",
        "person_id": "P1",
        "settled_us": micros(at_business(date(2026, 3, 15), 16)),
        "business_day": "2026-03-15",
        "line_count": len(verdict.lines),
        "total_fen": split.total_fen,
        **split._asdict(),
        "meal_fen": verdict.meal.amount_fen,
        "rules_version": verdict.rules_version,
        "policy_digest": verdict.policy_digest,
        "edition_digests": canonical(list(verdict.edition_digests)),
        "meal_days": spans_text(verdict.meal_days),
        "detail": frozen(facts, verdict),
    } | changes


def _party(party_id: str, name: str) -> dict[str, Any]:
    return {"party_id": party_id, "name": name, "level": "secondary", "capabilities": "[]"} | {
        "kind": "hospital",
        "agreement_from": None,
        "agreement_to": None,
        "suspended_from": None,
    }
