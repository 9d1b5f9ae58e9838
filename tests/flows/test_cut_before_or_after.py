"""A cut decided after the settlement gives to the fen what it gives before: the bill is decided
again as a whole, and no shares of lines are added up."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine, Payee, Payout
from gateway.domain.case import CaseState, ThirdParty, TreatmentKind
from gateway.domain.commands import LineDecision
from gateway.domain.cut import Cut, CutOutcome
from gateway.domain.payments import PriorPayer
from gateway.domain.split import Split, total
from gateway.store import tables
from gateway.store.frozen import thawed_verdict
from gateway.store.settlements import split_of
from tests.flows import test_cuts as cutting
from tests.flows.office import DAY, Office
from tests.flows.test_devices import FIRST as SHOP
from tests.flows.test_devices import confirmed, hand, shop
from tests.flows.test_ledger import per_account
from tests.flows.test_payments import paid, report, with_policy
from tests.flows.test_readjudication import settlements
from tests.world import bill_line

ITEMS = (
    "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary,ceiling,"
    "qty_per_day,qty_per_stay,contained_in,remark\n"
    "item,I0001,换药,次,yes,,,,15.00,,,,\n"
    "item,I0010,二级护理,日,yes,,,,28.00,1,,,\n"
)
DRESSING = "I0001"
NURSING = "I0010"
LEAVING = date(2026, 3, 6)

Prepare = Callable[[Office, str, str], Awaitable[None]]


async def nothing(office: Office, case: str, stay: str) -> None:
    """No facts beside the lines."""


async def third_party_paid(office: Office, case: str, stay: str) -> None:
    """150 yuan of the eligible fees were paid by the third party."""
    payment = paid(PriorPayer.THIRD_PARTY, 15_000, payment_no=f"V-{stay}")
    await report(office, stay, payment)


async def employer_paid(office: Office, case: str, stay: str) -> None:
    """The employer advanced 100 yuan of the fees."""
    payment = paid(PriorPayer.EMPLOYER, 10_000, payment_no=f"V-{stay}")
    await report(office, stay, payment)


@dataclass(frozen=True)
class Story:
    """A bill, what else is known of it, the lines cut, and what is right then: the payers' yuan
    in fen, meals, what each payee is paid, and what only the later cut has to take back."""

    lines: tuple[BillLine, ...]
    cut: tuple[str, ...]
    split: Split
    meal_fen: int
    payout: dict[Payee, int]
    posted_fen: int
    give_back_fen: int = 0
    violation: str = "DUPLICATE_CHARGE"
    prepare: Prepare = nothing
    case: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    device: bool = False

    @property
    def hospital(self) -> str:
        return SHOP if self.device else cutting.HOSPITAL


def line(number: str, price: str, count: str = "1", day: date = DAY, **more: Any) -> BillLine:
    return bill_line(number, more.pop("code", DRESSING), price, count, day, **more)


LIABLE = {"third_party": ThirdParty.CONFIRMED_PAID}
DIRECT = {"third_party__policy": "DIRECT"}
HOSPITAL = Payee.HOSPITAL
THIRD_PARTY = Story(
    lines=(line("L1", "12.00", "10"), line("L2", "12.00", "5")),
    cut=("L1", "L2"),
    split=Split(0, 0, 0, 18_000, 0),
    meal_fen=7_500,
    payout={HOSPITAL: 7_500},
    posted_fen=3_000,
    prepare=third_party_paid,
    case=LIABLE,
    policy=DIRECT,
)
HANGING_BED = Story(
    lines=(line("L1", "12.00"), line("L2", "12.00", day=date(2026, 3, 3))),
    cut=("L2",),
    split=Split(1_200, 0, 0, 1_200, 0),
    meal_fen=6_000,
    payout={HOSPITAL: 7_200},
    posted_fen=1_200 + 1_500,
    violation="HANGING_BED",
)
STORIES = {
    "the third party paid 150 of 180, a line of 120 is cut: 60 are left, all paid already": Story(
        lines=(line("L1", "12.00", "10"), line("L2", "12.00", "5")),
        cut=("L1",),
        split=Split(0, 0, 0, 12_000, 6_000),
        meal_fen=7_500,
        payout={HOSPITAL: 7_500},
        posted_fen=3_000,
        prepare=third_party_paid,
        case=LIABLE,
        policy=DIRECT,
    ),
    "the third party paid 150 of 180, all is cut: only the fund's own 30 are due back": THIRD_PARTY,
    "a day of a hanging bed has no meals: four of five days are left": HANGING_BED,
    "nursing once a day charged twice: the first is cut, and the fund bears the second": Story(
        lines=(line("L1", "28.00", code=NURSING), line("L2", "28.00", code=NURSING)),
        cut=("L1",),
        split=Split(2_800, 0, 0, 2_800, 0),
        meal_fen=7_500,
        payout={HOSPITAL: 2_800 + 7_500},
        posted_fen=0,
    ),
    "a line with a refund: only what is left of it is the hospital's": Story(
        lines=(
            line("L1", "12.00", "3"),
            line("L2", "12.00", "-1", refund_of="L1"),
            line("L3", "12.00"),
        ),
        cut=("L1",),
        split=Split(1_200, 0, 0, 2_400, 0),
        meal_fen=7_500,
        payout={HOSPITAL: 1_200 + 7_500},
        posted_fen=2_400,
    ),
    "a device dearer than its cap: the fund's part and what the worker paid": Story(
        lines=(hand(DAY),),
        cut=("L1",),
        split=Split(0, 0, 0, 720_000, 0),
        meal_fen=0,
        payout={},
        posted_fen=570_000,
        give_back_fen=150_000,
        device=True,
    ),
    "an advance of the employer: the hospital's share is cut first": Story(
        lines=(line("L1", "12.00", "10"), line("L2", "12.00", "5")),
        cut=("L2",),
        split=Split(12_000, 0, 0, 6_000, 0),
        meal_fen=7_500,
        payout={HOSPITAL: 2_000 + 7_500, Payee.EMPLOYER: 10_000},
        posted_fen=6_000,
        prepare=employer_paid,
    ),
    "a cut that reaches the employer's advance: less of it is given back": Story(
        lines=(line("L1", "12.00", "10"), line("L2", "12.00", "5")),
        cut=("L1",),
        split=Split(6_000, 0, 0, 12_000, 0),
        meal_fen=7_500,
        payout={HOSPITAL: 7_500, Payee.EMPLOYER: 6_000},
        posted_fen=12_000,
        prepare=employer_paid,
    ),
}


async def discharged(office: Office, story: Story, serial: int) -> str:
    """The stay of the story, its facts known and its lines charged, ready to commit."""
    case, visit = f"C{serial}", f"V{serial}"
    await office.recognised(case, serial)
    await office.decide(case, CaseState.RECOGNISED, **story.case)
    given: dict[str, Any] = {}
    if story.device:
        await confirmed(office, case_no=case, approval_no=f"P{serial}")
        given = {"treatment": TreatmentKind.DEVICE, "admitted_at": office.desk.clock.now()}
    stay: str = (await office.register(story.hospital, visit, serial, **given)).result.admission_id
    await story.prepare(office, case, stay)
    await office.upload(story.hospital, stay, *story.lines)
    await office.discharge(story.hospital, stay)
    return stay


async def opened(office: Office, story: Story, folder: Path) -> None:
    items = folder / "items.csv"
    items.write_text(ITEMS, encoding="utf-8")
    await office.act("catalog.correct", path=str(items), valid_from="2025-01-01")
    with_policy(office, audit__hold=(), **story.policy)
    await shop(office, SHOP)
    office.move_to(DAY if story.device else LEAVING, 11)


async def upheld(office: Office, story: Story, stay: str) -> Cut:
    lines = tuple(LineDecision(line_id=one, violation=story.violation) for one in story.cut)
    assert (await cutting.find(office, stay, lines=lines)).code == "OK"
    cut_no = (await cutting.cuts(office, stay, story.hospital))[-1].cut_no
    await cutting.answer(office, cut_no, story.hospital)
    heard = await cutting.decide(office, cut_no)
    assert heard.code == "OK", heard.result
    done: Cut = heard.result
    return done


async def committed(office: Office, story: Story, stay: str) -> None:
    heard = await office.commit(story.hospital, stay, *story.lines)
    assert heard.result.bill_state is BillState.SETTLED, heard.result


async def standing(office: Office, stay: str) -> tuple[Split, int, Payout]:
    """Payers and meals by the rows together, and the payout of the last."""
    rows = await settlements(office, admission_id=stay)
    [original] = [row for row in rows if row["adjusts"] is None]
    rows = [original, *(row for row in rows if row["adjusts"] is not None)]
    number = tables.settlement.c.settlement_id == rows[-1]["settlement_id"]
    [last] = await office.kept(tables.settlement, select(tables.settlement).where(number))
    verdict = thawed_verdict(json.loads(last["detail"]))
    split, meal = total([split_of(row) for row in rows]), sum(row["meal_fen"] for row in rows)
    assert (verdict.split, verdict.meal.amount_fen) == (split, meal)
    return split, meal, verdict.payout


async def owed(office: Office, stay: str, *cut_nos: str) -> dict[str, int]:
    """The ledger of a stay by account, in fen."""
    numbers = {row["settlement_id"] for row in await settlements(office, admission_id=stay)}
    rows = await office.rows(select(tables.transfer))
    own = [row for row in rows if row["subject"] in {*numbers, *cut_nos}]
    return {account: fen for account, fen in per_account(own).items() if fen}


def spent(ledger: dict[str, int]) -> dict[str, int]:
    """What the fund spent by the ledger; a claim on the hospital is no expense."""
    return {account: fen for account, fen in ledger.items() if account.startswith("5101/")}


def payees(payout: Payout) -> dict[Payee, int]:
    return {one.payee: one.medical_fen + one.meal_fen for one in payout.shares}


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
async def test_a_cut_gives_the_same_before_and_after_the_settlement(
    office: Office, tmp_path: Path, story: Story
) -> None:
    await opened(office, story, tmp_path)
    before, after = [await discharged(office, story, serial) for serial in (1, 2)]
    early = await upheld(office, story, before)
    await committed(office, story, before)
    await committed(office, story, after)
    late = await upheld(office, story, after)
    assert await standing(office, before) == await standing(office, after)
    split, meal_fen, payout = await standing(office, after)
    assert (split, meal_fen, payees(payout)) == (story.split, story.meal_fen, story.payout)
    assert (early.posted_fen, late.posted_fen) == (0, story.posted_fen)
    expense = spent(await owed(office, after, late.cut_no))
    assert expense == spent(await owed(office, before, early.cut_no))
    assert sum(expense.values()) == story.split.fund_fen + story.meal_fen
    assert late.upheld_fen == early.upheld_fen
    assert early.decision is not None
    assert late.decision is not None
    assert (early.decision.give_back_fen, late.decision.give_back_fen) == (0, story.give_back_fen)


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
async def test_a_cut_withdrawn_leaves_what_would_be_without_it(
    office: Office, tmp_path: Path, story: Story
) -> None:
    await opened(office, story, tmp_path)
    stay = await discharged(office, story, 1)
    await committed(office, story, stay)
    without, ledger = await standing(office, stay), await owed(office, stay)
    done = await upheld(office, story, stay)
    heard = await cutting.decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert (heard.code, heard.result.posted_fen) == ("OK", 0)
    assert await standing(office, stay) == without
    assert await owed(office, stay, done.cut_no) == ledger
