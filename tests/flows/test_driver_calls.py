"""Few calls of the database driver per message, whatever its lines or the bill's.

Every statement counts, BEGIN and COMMIT included, the look-up of the sender too; a set of
rows (executemany) is one call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import event

from adapters.sandbox.client import digest_of
from gateway.delivery.scribe import number_lanes
from gateway.domain.admission import AdmissionRefusal
from gateway.domain.application import Wanted
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import (
    ApprovalKind,
    AuthorityKind,
    CaseState,
    EmployerRole,
    EmploymentTie,
)
from gateway.domain.catalogue import Kind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    AnswerCut,
    ApplyApproval,
    CancelAdmission,
    CancelApproval,
    CancelDischarge,
    CancelSettlement,
    CheckAdmission,
    DecideApproval,
    DecideCut,
    DecideLines,
    DecideMappings,
    DecidePaidLeave,
    DownloadCatalogue,
    LineDecision,
    MapCatalogue,
    ModifyAdmission,
    NameEmployer,
    PreviewSettlement,
    PullInbox,
    QueryApprovals,
    QueryCase,
    QueryCuts,
    QueryFees,
    QueryMappings,
    ReadPerson,
    ReconcileDetails,
    ReconcileTotals,
    ReportCard,
    ReportPayment,
    StopBenefit,
    UpdateEmployer,
    VoidFees,
)
from gateway.domain.cut import CutOutcome
from gateway.domain.mapping import MappingClaim, MappingDecision
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import NOTHING
from gateway.flows.dispatch import COMMANDS
from gateway.store.database import Database
from gateway.store.postgres import PostgresDatabase
from gateway.store.sqlite import SqliteDatabase
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office
from tests.world import bill_line, person

MOST = 15
BY_LINES = {"fees.upload", "settlement.commit"}


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every call of the driver, on the connections of writers and of readers, but what wakes
    other processes: that is told once for all messages of a moment, by nobody's transaction."""
    calls: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if not statement.startswith("NOTIFY"):
            calls.append(statement)

    listened = [(one, "before_cursor_execute", note) for one in _seen(database)]
    if isinstance(database, PostgresDatabase):
        listened += _silent(database, calls)
    for target, name, listener in listened:
        event.listen(target, name, listener)
    try:
        with _traced(database, calls):
            yield calls
    finally:
        for target, name, listener in listened:
            event.remove(target, name, listener)


def _seen(database: Database) -> tuple[Any, ...]:
    """The engines whose calls the library sees: not the readers of SQLite."""
    return database.engines[1:] if isinstance(database, SqliteDatabase) else database.engines


@contextmanager
def _traced(database: Database, calls: list[str]) -> Iterator[None]:
    """What the readers of SQLite ask: the driver itself tells."""
    asking = database.asking if isinstance(database, SqliteDatabase) else ()
    drivers: list[Any] = [one.connection.driver_connection for one in asking]
    for driver in drivers:
        driver.set_trace_callback(calls.append)
    try:
        yield
    finally:
        for driver in drivers:
            driver.set_trace_callback(None)


def _silent(database: PostgresDatabase, calls: list[str]) -> list[tuple[Any, str, Any]]:
    """Where a transaction begins and ends: the driver of PostgreSQL is told by no statement."""
    writers = database.engines[1]
    return [
        (writers, "begin", lambda *_: calls.append("BEGIN")),
        (writers, "commit", lambda *_: calls.append("COMMIT")),
    ]


def lines(count: int) -> tuple[BillLine, ...]:
    return tuple(bill_line(f"L{n:04d}", "I0001", "12.00", "1", DAY) for n in range(count))


async def test_the_counter_sees_reads_and_the_whole_transaction(office: Office) -> None:
    with counted(office.desk.database) as calls:
        await office.report("C1", 1)
    assert calls[-1] == "COMMIT"
    assert any(call.startswith("BEGIN") for call in calls)
    assert any(call.startswith("SELECT") for call in calls)


async def test_an_upload_takes_as_many_calls_for_500_lines_as_for_20(office: Office) -> None:
    await office.recognised("C1", 1)
    taken = []
    for count in (20, 500):
        stay = (await office.register("H001", f"V{count}", 1)).result.admission_id
        with counted(office.desk.database) as calls:
            heard = await office.upload("H001", stay, *lines(count))
        taken.append(len(calls))
        assert heard.result.kept_count == count
    assert taken[0] == taken[1] <= MOST


async def test_an_upload_by_own_codes_takes_as_many_calls_for_500_lines_as_for_20(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    await about_mappings(office, Counter(office))
    taken = []
    for count in (20, 500):
        stay = (await office.register("H001", f"V{count}", 1)).result.admission_id
        own = tuple(
            line._replace(code="", hospital_code=f"HY-{n if n % 2 else n + 1000}")
            for n, line in enumerate(lines(count))
        )
        with counted(office.desk.database) as calls:
            heard = await office.upload("H001", stay, *own)
        taken.append(len(calls))
        assert heard.result.kept_count == count // 2
    assert taken[0] == taken[1] <= MOST


async def test_a_commit_takes_as_many_calls_for_3000_lines_as_for_20(office: Office) -> None:
    await office.recognised("C1", 1)
    taken = []
    for count in (20, 300, 3000):
        stay = await office.billed("H001", f"V{count}", 1, lines(count))
        with counted(office.desk.database) as calls:
            heard = await office.commit("H001", stay, *lines(count))
        taken.append(len(calls))
        assert heard.code == "OK"
    assert len(set(taken[1:])) == 1
    # The first commit of a process also opens the catalogue editions, once.
    assert taken[1] <= MOST


class Counter:
    """Sends each command and remembers how many calls it took."""

    def __init__(self, office: Office) -> None:
        self.office, self.taken = office, dict[str, int]()

    async def agency(self, name: str, command: Any) -> Heard:
        return await self._sent(AGENCY, name, command)

    async def hospital(self, name: str, command: Any) -> Heard:
        return await self._sent("H001", name, command)

    async def _sent(self, party_id: str, name: str, command: Any) -> Heard:
        with counted(self.office.desk.database) as calls:
            heard = await self.office.say(party_id, name, command)
        assert heard.outcome in (Outcome.APPLIED, Outcome.ANSWERED), (name, heard.code)
        self.taken[name] = len(calls)
        return heard


async def about_the_case(office: Office, counter: Counter) -> None:
    """Every message of the agency, with a stay and a held bill that wait for them."""
    stay = await about_the_bill(office, counter)
    await about_approvals(counter, stay)
    await about_cuts(counter, stay)
    await about_the_person(office, counter)
    with counted(office.desk.database) as calls:
        await office.decide("C2", CaseState.RECOGNISED)
    counter.taken["case.decide"] = len(calls)


async def about_the_bill(office: Office, counter: Counter) -> str:
    """A held bill: its check, its lines, who paid before."""
    with counted(office.desk.database) as calls:
        await office.report("C2", 2, third_party="SUSPECTED")
    counter.taken["case.report"] = len(calls)
    stay = await office.billed("H001", "V0", 2)
    await office.commit("H001", stay, *LINES)
    await counter.agency(
        "admission.check", CheckAdmission(admission_id=stay, by="审核", reason="是")
    )
    one = LineDecision(line_id="L1", relation=Relation.INJURY)
    decided = DecideLines(admission_id=stay, by="审核", reason="是", lines=(one,))
    await counter.agency("lines.decide", decided)
    paid = PriorPayment(payment_no="V1", payer=PriorPayer.EMPLOYER, eligible_fen=100, paid_on=DAY)
    report = ReportPayment(admission_id=stay, by="审核", reason="是", payment=paid)
    await counter.agency("payment.report", report)
    return stay


async def about_approvals(counter: Counter, stay: str) -> None:
    """Applied for, taken back, applied for again, granted."""
    wanted = Wanted(
        kind=ApprovalKind.REFERRAL,
        wanted_from=DAY,
        wanted_to=date(2026, 4, 1),
        place="虚构医院",
        opinion="虚构意见",
        admission_id=stay,
    )
    applied = ApplyApproval(person=person(2), wanted=wanted)
    first = await counter.hospital("approval.apply", applied)
    cancel = CancelApproval(application_id=first.result.subject, reason="改期")
    await counter.hospital("approval.cancel", cancel)
    second = await counter.hospital("approval.apply", applied)
    await counter.hospital("approval.query", QueryApprovals())
    approval = DecideApproval(
        application_id=second.result.subject,
        approval_no="AP1",
        case_no="C2",
        kind=ApprovalKind.REFERRAL,
        granted=True,
        by="审核",
        authority_kind=AuthorityKind.AGENCY,
        hospitals=("H002",),
        opinion_by="H001",
        authority="999900",
        valid_from=DAY,
        valid_to=date(2026, 4, 1),
    )
    await counter.agency("approval.decide", approval)


async def about_cuts(counter: Counter, stay: str) -> None:
    """A violation found, answered and withdrawn."""
    found = DecideLines(
        admission_id=stay,
        by="审核",
        reason="是",
        lines=(LineDecision(line_id="L1", violation="NO_ORDER"),),
        clause="虚构协议第一条",
        evidence="虚构证据",
    )
    await counter.agency("lines.decide", found)
    asked = await counter.hospital("cut.query", QueryCuts(admission_id=stay))
    cut_no = asked.result.cuts[0].cut_no
    await counter.hospital("cut.answer", AnswerCut(cut_no=cut_no, accepted=True, by="院方"))
    withdrawn = DecideCut(
        cut_no=cut_no,
        outcome=CutOutcome.WITHDRAWN,
        by="复核",
        reason="是",
        hearing_held=False,
    )
    await counter.agency("cut.decide", withdrawn)


async def about_the_person(office: Office, counter: Counter) -> None:
    """Employers, paid leave, the card, a stop."""
    arrears = UpdateEmployer(employer_no="E1", arrears_since=DAY)
    await counter.agency("employer.update", arrears)
    named = NameEmployer(
        case_no="C2",
        tie=EmploymentTie.SUCCESSION,
        role=EmployerRole.SUCCESSOR,
        employer_no="E2",
        employer_name="虚构承继单位",
        since=DAY,
        by="审核",
        reason="合并",
    )
    await counter.agency("case.employer", named)
    leave = DecidePaidLeave(case_no="C2", first=DAY, last=DAY, by="审核", notice_no="L1")
    await counter.agency("case.leave", leave)
    card = ReportCard(person=person(2), lost=True, at=office.desk.clock.now(), channel="WEB")
    await counter.agency("person.card", card)
    stop = StopBenefit(
        case_no="C2", valid_from=DAY, ground="拒绝治疗", notice_no="N1", served_on=DAY
    )
    await counter.agency("benefit.stop", stop)


async def about_mappings(office: Office, counter: Counter) -> None:
    rows = tuple(
        MappingClaim(
            hospital_code=f"HY-{n}",
            hospital_name="换药",
            code="I0001",
            kind=Kind.ITEM,
            valid_from=DAY,
        )
        for n in range(500)
    )
    await counter.hospital("catalog.map", MapCatalogue(rows=rows))
    await counter.hospital("mapping.query", QueryMappings())
    decided = tuple(
        MappingDecision(hospital_code=f"HY-{n}", valid_from=DAY, version=1, accepted=True)
        for n in range(500)
    )
    review = DecideMappings(hospital="H001", by="审核", rows=decided)
    await counter.agency("mapping.decide", review)


async def about_the_stay(office: Office, counter: Counter) -> None:
    await office.recognised("C1", 1, employer_no="E2")
    await counter.hospital("person.read", ReadPerson(person=person(1)))
    await counter.hospital("case.query", QueryCase(person=person(1)))
    await counter.hospital("catalog.download", DownloadCatalogue(kind=Kind.ITEM, day=DAY))
    with counted(office.desk.database) as calls:
        heard = await office.register("H001", "V1", 1)
    counter.taken["admission.register"] = len(calls)
    gone = heard.result.admission_id
    await counter.hospital("admission.modify", ModifyAdmission(admission_id=gone, ward="三病区"))
    await counter.hospital("admission.cancel", CancelAdmission(admission_id=gone, reason="误登"))
    stay = (await office.register("H001", "V2", 1)).result.admission_id
    await office.upload("H001", stay, *lines(3))
    await counter.hospital("fees.query", QueryFees(admission_id=stay))
    void = VoidFees(admission_id=stay, line_ids=("L0002",), reason="误记")
    await counter.hospital("fees.void", void)
    with counted(office.desk.database) as calls:
        await office.discharge("H001", stay)
    counter.taken["discharge.register"] = len(calls)
    await counter.hospital("discharge.cancel", CancelDischarge(admission_id=stay, reason="误登"))


async def about_the_settlement(office: Office, counter: Counter) -> None:
    stay = await office.billed("H001", "V3", 1, lines(3))
    amount = sum(line.amount_fen for line in lines(3))
    preview = PreviewSettlement(admission_id=stay, expected_count=3, expected_amount_fen=amount)
    await counter.hospital("settlement.preview", preview)
    number = (await office.commit("H001", stay, *lines(3))).result.settlement_id
    cancel = CancelSettlement(settlement_id=number, reason="更正", operator="op1")
    await counter.hospital("settlement.cancel", cancel)
    second = await office.commit("H001", stay, *lines(3))
    with counted(office.desk.database) as calls:
        await office.query("H001", second.message_id)
    counter.taken["transaction.query"] = len(calls)
    with counted(office.desk.database) as calls:
        await office.reverse("H001", second.message_id, "settlement.commit")
    counter.taken["transaction.reverse"] = len(calls)


async def about_the_day(office: Office, counter: Counter) -> None:
    office.move_to(date(2026, 3, 3))
    totals = ReconcileTotals(day=DAY, count=0, split=NOTHING, meal_fen=0, detail_digest="0" * 64)
    await counter.hospital("reconcile.totals", totals)
    await counter.hospital("reconcile.details", ReconcileDetails(day=DAY, rows=()))
    await counter.hospital("inbox.pull", PullInbox(limit=10))
    receipt = ("G-UNKNOWN", "A" * 43 + "=")
    await counter.hospital("inbox.ack", AckInbox(receipts=(receipt,)))


async def test_every_other_command_takes_at_most_15_calls(office: Office) -> None:
    counter = Counter(office)
    await about_the_case(office, counter)
    await about_mappings(office, counter)
    await about_the_stay(office, counter)
    await about_the_settlement(office, counter)
    await about_the_day(office, counter)
    assert set(COMMANDS) - set(counter.taken) == BY_LINES
    assert {name: count for name, count in counter.taken.items() if count > MOST} == {}


async def test_an_acknowledgement_of_many_messages_is_as_few_calls(office: Office) -> None:
    """Ten refused registrations leave ten messages in the hospital's inbox."""
    for serial in range(10):
        stay = (await office.register("H001", f"V{serial}", serial)).result.admission_id
        refusal = CheckAdmission(
            admission_id=stay, by="审核", reason="否", refusal=AdmissionRefusal.OTHER
        )
        await office.say(AGENCY, "admission.check", refusal)
    await number_lanes(office.desk.database, office.desk.clock)
    pulled = (await office.say("H001", "inbox.pull", PullInbox(limit=100))).result.messages
    receipts = tuple((one.message_id, digest_of(one.sealed)) for one in pulled)
    with counted(office.desk.database) as calls:
        heard = await office.say("H001", "inbox.ack", AckInbox(receipts=receipts))
    assert heard.result.acknowledged == len(pulled) == 10
    assert len(calls) <= MOST
