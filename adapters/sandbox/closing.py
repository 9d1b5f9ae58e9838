"""第四幕 The next business day: reconciliation, operations, and whether both sides agree."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from adapters.sandbox import accidents, cast
from adapters.sandbox.book import totals
from adapters.sandbox.cast import CAST
from adapters.sandbox.expect import expect
from adapters.sandbox.opening import PATIENCE_S
from adapters.sandbox.settling import DISCHARGES
from adapters.sandbox.town import Place, Town, page, until
from gateway.domain.commands import HospitalRow, ReconcileDetails
from gateway.domain.split import Payer
from gateway.rules.reconcile import DIFFERENCE_KINDS

_PAGES: Final = {"/livez": "livez.json", "/readyz": "readyz.json", "/metrics": "metrics.txt"}
_CHANGED_FEN: Final = 100
_OK: Final = 200
Rows = list[HospitalRow]


async def reconciliation(town: Town) -> str:
    """Each hospital's day with its planted differences: every class once."""
    await town.move_to(DISCHARGES + 1, 9)
    day = town.day(DISCHARGES)
    for name, plant in _PLANTED.items():
        hospital = town.hospitals[name]
        rows = plant(town, hospital.book.on(day))
        compared = (await hospital.ask("reconcile.totals", totals(day, rows))).result
        expect(
            not compared.matched,
            f"{name} {day} 总账不应相符",
            f"totals of {name} on {day} should not agree",
        )
        command = ReconcileDetails(day=day, rows=tuple(rows))
        town.differences += (await hospital.ask("reconcile.details", command)).result.differences
    found = sorted(one.kind for one in town.differences)
    expect(
        found == sorted(DIFFERENCE_KINDS),
        f"应查出每类差异各一，实为 {found}",
        f"one difference of every class should be found, not {found}",
    )
    return f"{len(found)} 类差异 differences"


def _first_hospital(town: Town, rows: Rows) -> Rows:
    """The HIS changed a line after settling, and booked one settlement twice."""
    changed, doubled = _settlement(town, cast.POLYTRAUMA), _settlement(town, cast.FINGER)
    return [
        _dearer(row) if row.settlement_id == changed else row
        for row in rows
        for _ in range(2 if row.settlement_id == doubled else 1)
    ]


def _dearer(row: HospitalRow) -> HospitalRow:
    return replace(row, split=row.split.given(Payer.FUND, _CHANGED_FEN))


def _second_hospital(town: Town, rows: Rows) -> Rows:
    """The HIS lost a reversal and a settlement, and kept a call that had failed."""
    lost = _settlement(town, cast.HEEL)
    kept = [row for row in rows if row.settlement_id != lost]
    ankle = CAST[cast.ANKLE].person.id_no
    kept = [row for row in kept if not (row.reversed and row.id_no == ankle)]
    real = next(row for row in rows if row.id_no == CAST[cast.HUMERUS].person.id_no)
    return [*kept, replace(real, settlement_id=accidents.FENCED)]


def _third_hospital(town: Town, rows: Rows) -> Rows:
    """One row stands under another worker; what was settled after midnight is booked before."""
    wrong = _settlement(town, cast.REHABILITATION)
    other = CAST[cast.LATE].person.id_no
    return [replace(row, id_no=other) if row.settlement_id == wrong else row for row in rows]


_PLANTED: Final[dict[str, Callable[[Town, Rows], Rows]]] = {
    "H001": _first_hospital,
    "H002": _second_hospital,
    "H003": _third_hospital,
}


def _settlement(town: Town, visit_no: str) -> str:
    """The number of the settlement in force of a stay."""
    hospital, stay = town.hospital(visit_no), town.stay(visit_no)
    return next(
        number
        for number, one in hospital.book.live.items()
        if one.admission_id == stay.admission_id
    )


async def operations(town: Town) -> str:
    """Operations look at the three pages: alive, ready, and counting."""
    folder = town.place.messages / "ops"
    folder.mkdir(parents=True, exist_ok=True)
    for path, name in _PAGES.items():
        (folder / name).write_bytes(await _read(town.place, path))
    ready = json.loads((folder / "readyz.json").read_bytes())
    return f"/readyz {ready['status']}"


async def _read(place: Place, path: str) -> bytes:
    answer = await page(place, path)
    expect(
        answer.status_code == _OK,
        f"{path} 应答 200，实为 {answer.status_code}：{answer.text[:500]}",
        f"{path} should answer 200, not {answer.status_code}",
    )
    return answer.content


async def agreement(town: Town) -> str:
    """The agency was told exactly what the hospitals hold, and every inbox is empty."""
    held = {
        number: one
        for hospital in town.hospitals.values()
        for number, one in hospital.book.live.items()
    }

    async def told() -> bool:
        return town.bureau.registrations == len(CAST) and town.bureau.live.keys() == held.keys()

    await until(
        told, "经办机构应收到全部登记与结算", "the agency should be told everything", PATIENCE_S
    )
    expect(
        all(town.bureau.live[number] == one for number, one in held.items()),
        "医院与经办机构所持结算应相同",
        "hospitals and agency should hold the same settlements",
    )
    waiting = [await hospital.pull() for hospital in town.hospitals.values()]
    expect(not any(waiting), "收件箱应已取空", "every inbox should be empty")
    return f"{len(held)} 结算 settlements"
