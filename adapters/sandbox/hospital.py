"""医院信息系统 A hospital's HIS: registers stays, uploads bills, settles, and keeps its book.

Each step expects what a right gateway answers; anything else breaks the story.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from adapters.sandbox.book import Book
from adapters.sandbox.client import Answer, Client
from adapters.sandbox.expect import expect
from adapters.sandbox.shelf import Shelf
from gateway.domain.admission import AdmissionState, BillState, PaidAtDischargeBy
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow, Kind, Level
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    AnswerCut,
    CancelSettlement,
    Command,
    CommitSettlement,
    DownloadCatalogue,
    Identity,
    PreviewSettlement,
    PullInbox,
    QueryTransaction,
    RegisterAdmission,
    RegisterDischarge,
    ReverseTransaction,
    UploadFees,
    VoidFees,
)
from gateway.domain.cut import Cut
from gateway.domain.results import AdmissionChanged, Settlement, TransactionFound

BATCH: Final = 500
"""Lines that one upload holds at most."""
_PAGE: Final = 20
_OPERATOR: Final = "op1"


@dataclass(slots=True, kw_only=True)
class Stay:
    """One stay as the HIS knows it."""

    visit_no: str
    person: Identity
    registration: Answer
    lines: tuple[BillLine, ...] = ()
    committed: Answer | None = None
    state: str = ""
    refusal: str = ""
    ever_held: bool = False
    cuts: dict[str, Cut] = field(default_factory=dict)

    @property
    def admission_id(self) -> str:
        return str(self.registration.result.admission_id)

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def commit_id(self) -> str:
        """The message that committed the bill, or ""."""
        return self.committed.message_id if self.committed else ""


@dataclass(slots=True, kw_only=True)
class Hospital:
    """One hospital. Every method that sends raises Unknown without a believable answer."""

    client: Client
    level: Level
    book: Book = field(default_factory=Book)
    stays: dict[str, Stay] = field(default_factory=dict)
    _shelf: Shelf | None = None

    @property
    def shelf(self) -> Shelf:
        """The price list. Raises ValueError before the catalogue was downloaded."""
        if self._shelf is None:
            raise ValueError("download the catalogue first")
        return self._shelf

    async def download_catalogue(self, day: date) -> int:
        """Fetch all four catalogues in force on the day; the number of goods."""
        rows = [row for kind in Kind for row in await self._catalogue(kind, day)]
        self._shelf = Shelf(rows, self.level)
        return len(self._shelf)

    async def _catalogue(self, kind: Kind, day: date) -> list[CatalogueRow]:
        rows: list[CatalogueRow] = []
        while True:
            after = rows[-1].code if rows else ""
            command = DownloadCatalogue(kind=kind, day=day, after_code=after)
            page = (await self.ask("catalog.download", command)).result
            rows += page.rows
            if not page.more:
                return rows

    async def register(self, command: RegisterAdmission, state: AdmissionState) -> Stay:
        """Register a stay and expect this state; a refusal is a state too."""
        answer = await self.client.send("admission.register", command)
        expect(
            getattr(answer.result, "state", "") == state,
            f"{command.visit_no} 应登记为 {state}，实为 {answer.code}",
            f"{command.visit_no} should be registered as {state}, not {answer.code}",
        )
        stay = Stay(
            visit_no=command.visit_no,
            person=command.person,
            registration=answer,
            state=state,
            refusal=answer.result.refusal,
        )
        self.stays[command.visit_no] = stay
        return stay

    async def upload(self, stay: Stay, lines: Sequence[BillLine]) -> None:
        """Upload the bill in batches; every line must be taken."""
        for start in range(0, len(lines), BATCH):
            command = UploadFees(
                admission_id=stay.admission_id, lines=tuple(lines[start : start + BATCH])
            )
            answer = await self.change("fees.upload", command)
            rejected = [one for one in answer.result.answers if one.status == "rejected"]
            expect(
                not rejected,
                f"{stay.visit_no} 有明细被拒收：{rejected[:3]}",
                f"lines of {stay.visit_no} were rejected: {rejected[:3]}",
            )
        stay.lines = (*stay.lines, *lines)

    async def void(self, stay: Stay, line_id: str) -> None:
        """Take one line back."""
        command = VoidFees(
            admission_id=stay.admission_id, line_ids=(line_id,), reason="多记一次，更正"
        )
        await self.change("fees.void", command)
        stay.lines = tuple(line for line in stay.lines if line.line_id != line_id)

    async def discharge(self, stay: Stay, at: datetime) -> None:
        """Register the discharge."""
        command = RegisterDischarge(
            admission_id=stay.admission_id, discharged_at=at, way="医嘱离院"
        )
        await self.change("discharge.register", command)

    async def preview(self, stay: Stay) -> Settlement:
        """The settlement as it would be."""
        command = PreviewSettlement(
            admission_id=stay.admission_id,
            expected_count=len(stay.lines),
            expected_amount_fen=stay.amount_fen,
        )
        result: Settlement = (await self.ask("settlement.preview", command)).result
        return result

    async def commit(self, stay: Stay, message_id: str = "") -> Answer:
        """Commit the bill; whatever the gateway answers is for the caller to judge."""
        stay.committed = await self.client.send(
            "settlement.commit", self.commitment(stay), message_id
        )
        return stay.committed

    def commitment(self, stay: Stay) -> CommitSettlement:
        """The command that commits the bill as uploaded."""
        return CommitSettlement(
            admission_id=stay.admission_id,
            bill_no=f"B-{stay.visit_no}",
            expected_count=len(stay.lines),
            expected_amount_fen=stay.amount_fen,
            paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
            operator=_OPERATOR,
        )

    async def settle(self, stay: Stay, booked_on: date | None = None) -> Settlement:
        """Preview, commit, expect the same split to the fen, and book it."""
        preview = await self.preview(stay)
        answer = await self.commit(stay)
        return self.book_settled(stay, answer, preview, booked_on)

    def book_settled(
        self,
        stay: Stay,
        answer: Answer,
        preview: Settlement | None = None,
        booked_on: date | None = None,
    ) -> Settlement:
        """Expect a settlement of the whole bill, equal to its preview, and book it."""
        settlement: Settlement = answer.result
        settled = answer.outcome is Outcome.APPLIED and answer.code == "OK"
        expect(
            settled and settlement.bill_state is BillState.SETTLED,
            f"{stay.visit_no} 应结算，实为 {answer.code}",
            f"{stay.visit_no} should be settled, not {answer.code}",
        )
        expect(
            settlement.total_fen == stay.amount_fen and len(settlement.lines) == len(stay.lines),
            f"{stay.visit_no} 五方合计应等于账单",
            f"the payers of {stay.visit_no} must add up to its bill",
        )
        expect(
            preview is None or preview.split == settlement.split,
            f"{stay.visit_no} 预结与结算不同",
            f"{stay.visit_no} was previewed otherwise than settled",
        )
        self.book.settled(settlement, stay.person.id_no, booked_on)
        return settlement

    async def accept_cut(self, cut_no: str) -> None:
        """Say that a cut is right."""
        command = AnswerCut(cut_no=cut_no, accepted=True, by=_OPERATOR)
        await self.change("cut.answer", command)

    async def cancel(self, stay: Stay) -> None:
        """Cancel the settlement of the stay and book its reversal."""
        command = CancelSettlement(
            settlement_id=self._committed(stay).result.settlement_id,
            reason="收费更正",
            operator=_OPERATOR,
        )
        answer = await self.change("settlement.cancel", command)
        self.book.reversed(answer.result, stay.person.id_no)

    async def reverse(self, target_message_id: str) -> Answer:
        """Reverse a settlement.commit by its message id, whether it arrived or not."""
        command = ReverseTransaction(
            target_message_id=target_message_id,
            target_command="settlement.commit",
            reason="结果不明，冲正",
        )
        return await self.change("transaction.reverse", command)

    async def query(self, target_message_id: str) -> TransactionFound:
        """What the gateway knows of one of our messages."""
        command = QueryTransaction(target_message_id=target_message_id)
        result: TransactionFound = (await self.ask("transaction.query", command)).result
        return result

    async def pull(self) -> int:
        """Take what waits in the inbox into the HIS and acknowledge it; the number taken."""
        taken, receipts = 0, []
        for message in (await self.ask("inbox.pull", PullInbox(limit=_PAGE))).result.messages:
            sealed, binding, told = self.client.opened(message.sealed)
            self.client.keep(message.message_id, "inbox", message.sealed)
            self._learn(told, binding.in_reply_to if binding else "")
            receipts.append((message.message_id, sealed.digest))
            taken += 1
        if receipts:
            await self.change("inbox.ack", AckInbox(receipts=tuple(receipts)))
        return taken

    def _learn(self, told: Any, in_reply_to: str) -> None:
        """What a notice changes here: a registration's state, a cut, or a held bill's outcome."""
        stay = self._stay(told.admission_id)
        if isinstance(told, AdmissionChanged):
            stay.state, stay.refusal = told.state, told.refusal
            return
        if isinstance(told, Cut):
            stay.cuts[told.cut_no] = told
            return
        expect(
            in_reply_to == stay.commit_id and told.bill_state is BillState.SETTLED,
            f"{stay.visit_no} 的挂账应以结算告终",
            f"the held bill of {stay.visit_no} should end settled",
        )
        self.book.settled(told, stay.person.id_no)

    def _stay(self, admission_id: str) -> Stay:
        found = [one for one in self.stays.values() if one.admission_id == admission_id]
        expect(
            len(found) == 1,
            f"收件箱里有陌生的登记 {admission_id}",
            f"the inbox tells of a stay that is not ours: {admission_id}",
        )
        return found[0]

    @staticmethod
    def _committed(stay: Stay) -> Answer:
        if stay.committed is None:
            raise ValueError(f"{stay.visit_no} was never committed")
        return stay.committed

    async def change(self, name: str, command: Command) -> Answer:
        """Send what changes something and expect it done."""
        return await self._sent(name, command, Outcome.APPLIED)

    async def ask(self, name: str, command: Command) -> Answer:
        """Send a question and expect an answer."""
        return await self._sent(name, command, Outcome.ANSWERED)

    async def _sent(self, name: str, command: Command, outcome: Outcome) -> Answer:
        answer = await self.client.send(name, command)
        expect(
            answer.outcome is outcome,
            f"{name} 应答 {outcome}，实为 {answer.outcome}/{answer.code}",
            f"{name} should answer {outcome}, not {answer.outcome}/{answer.code}",
        )
        return answer
