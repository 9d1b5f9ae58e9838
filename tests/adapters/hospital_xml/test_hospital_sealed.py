"""What was signed, sent and verified is what the reader reads."""

from dataclasses import replace

import pytest

from adapters.hospital_xml import HospitalXml
from adapters.shape.names import MOST_SUSPICIONS
from gateway.domain.admission import BillState
from gateway.domain.audit_rules import MOST_SUSPECT_LINES
from gateway.domain.bill import Citation, LineVerdict, MealVerdict, Steps, Suspicion
from gateway.domain.commands import CancelAdmission
from gateway.domain.message import Heading
from gateway.domain.reasons import REASONS
from gateway.domain.results import Result, Settlement
from gateway.domain.split import Split
from gateway.seal import gate
from gateway.seal.profile import Sealed, envelope

from ...seal.makers import hospital
from ..shape.envelopes import binding, heading

CODEC = HospitalXml()
CODES = sorted(REASONS)
LINES = 5_000


def received(content: bytes) -> Sealed:
    """What a receiver has after gate, profile and signature."""
    party = hospital()
    return envelope(party.signer.seal(content, "m1")).verify(party.certificate.public_key())


def citation(number: int) -> Citation:
    law = "《工伤保险条例》第三十条第三款"
    return Citation(f"catalogue/item/Z{number:012}", "0123456789ab", "2025-01-01", law)


def line(number: int, reasons: int) -> LineVerdict:
    split = Split(123_456 + number, 0, 2_345 + number % 7, 1_234, 0)
    causes = tuple(CODES[(number + step) % len(CODES)] for step in range(reasons))
    sources = tuple(citation(number % 300 + step) for step in range(4))
    amount, eligible = split.total_fen, split.fund_fen + number % 3
    steps = Steps(amount, None, amount - number % 2, eligible, split.fund_fen, 0)
    return LineVerdict(f"{number:032}", amount, split, causes, sources, steps)


def settlement(lines: tuple[LineVerdict, ...]) -> Settlement:
    return Settlement(
        admission_id="A1",
        bill_state=BillState.SETTLED,
        settlement_id="S1",
        split=lines[0].split,
        meal=MealVerdict(30, 5_000, 150_000, "随结算支付", (citation(0), citation(9_000))),
        lines=lines,
    )


def test_a_sealed_request_is_read_from_the_tree_that_was_hashed() -> None:
    command = CancelAdmission(admission_id="A1", reason="甲&乙 <有误>")
    sealed = received(CODEC.command_message(heading("admission.cancel"), command))
    assert CODEC.schema_faults(sealed.root) == ()
    assert CODEC.command(sealed.header.command, sealed.body) == command


def reply(head: Heading, result: Result) -> bytes:
    return CODEC.message(head, result, binding())


def test_a_settlement_of_5000_lines_passes_gate_profile_and_signature() -> None:
    bill = settlement(tuple(line(number, 1 + number % 3) for number in range(LINES)))
    content = reply(heading("settlement.commit"), bill)
    sealed = received(content)
    assert len(sealed.raw) < gate.RECEIVED.size * 9 // 10
    assert CODEC.reply_faults(sealed.root) == ()
    assert CODEC.reply(sealed.body, sealed.root[0]) == (binding(), bill)


def test_no_settlement_the_schema_allows_has_more_tags_than_the_gate() -> None:
    full = settlement(tuple(line(number, 8) for number in range(LINES)))
    lines = tuple(f"{number:032}" for number in range(MOST_SUSPECT_LINES))
    bill = replace(full, suspicions=(Suspicion("A01", lines, "×"),) * MOST_SUSPICIONS)
    assert reply(heading("settlement.commit"), bill).count(b"<") < gate.RECEIVED.tags
    with pytest.raises(ValueError, match="Reason: 9"):
        reply(heading("settlement.commit"), settlement((line(0, 9),)))
