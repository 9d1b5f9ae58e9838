"""Lines are typed one by one: a bad line is rejected alone, the good ones stay."""

import time
from datetime import date

import pytest
from lxml import etree

from adapters.hospital_xml import HospitalXml
from gateway.domain.commands import RegisterDischarge, UploadFees
from gateway.ports import Unreadable

from ..shape.envelopes import envelope, heading

CODEC = HospitalXml()


def line(line_id: str, **changed: str) -> str:
    values = {
        "OccurredAt": "2026-03-02T08:00:00+08:00",
        "Code": "Z0001",
        "Name": "换药",
        "Quantity": "2",
        "Price": "12.50",
        "Amount": "25.00",
        "Doctor": "丙测试",
        "Relation": "injury",
    } | changed
    inner = "".join(f"<{wire}>{text}</{wire}>" for wire, text in values.items())
    return f"<Line><LineId>{line_id}</LineId>{inner}</Line>"


def upload(*lines: str) -> UploadFees:
    body = f"<UploadFees><AdmissionId>A1</AdmissionId>{''.join(lines)}</UploadFees>"
    root = envelope("fees.upload", body)
    assert CODEC.schema_faults(root) == ()
    command = CODEC.command("fees.upload", root[1][0])
    assert isinstance(command, UploadFees)
    return command


@pytest.mark.parametrize("wire", ["Quantity", "Price", "Amount"])
@pytest.mark.parametrize("text", ["１２３", "NaN", "1e3000000", " 12 ", "", "9" * 200])
def test_a_malformed_number_rejects_its_line_alone(wire, text) -> None:
    command = upload(line("L1"), line("L2", **{wire: text}), line("L3"))
    assert [each.line_id for each in command.lines] == ["L1", "L3"]
    (fault,) = command.rejected
    assert (fault.code, fault.line_id, fault.field) == ("LINE_NUMBER_MALFORMED", "L2", wire)
    assert fault.got == (text if len(text) <= 40 else text[:40] + "…")
    assert "ASCII digits" in fault.expected


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("OccurredAt", "2026-03-02 08:00"),
        ("OccurredAt", "2026-02-30T08:00:00+08:00"),
        ("Relation", "maybe"),
        ("Consent", "fund"),
        ("Consent", "hospital"),
        ("Consent", "other"),
        ("Code", ""),
        ("Name", " 换药"),
    ],
)
def test_a_malformed_field_rejects_its_line_alone(wire, text) -> None:
    command = upload(line("L1", **{wire: text}), line("L2"))
    assert [each.line_id for each in command.lines] == ["L2"]
    (fault,) = command.rejected
    assert (fault.code, fault.line_id, fault.field) == ("LINE_FIELD_MALFORMED", "L1", wire)
    assert fault.got == text


def test_every_fault_of_a_line_is_told() -> None:
    command = upload(line("L1", Quantity="x", Price="y", Relation="z"))
    assert [fault.field for fault in command.rejected] == ["Quantity", "Price", "Relation"]


def test_a_doctor_is_a_person_and_not_repeated() -> None:
    command = upload(line("L1", Doctor=" 丙测试"))
    assert [(fault.field, fault.got) for fault in command.rejected] == [("Doctor", "")]


def test_a_repeated_line_id_rejects_the_later_lines() -> None:
    command = upload(line("L1"), line("L1", Amount="26.00"), line("L2"), line("L1"))
    assert [each.amount_fen for each in command.lines] == [2500, 2500]
    assert [each.line_id for each in command.lines] == ["L1", "L2"]
    assert [fault.code for fault in command.rejected] == ["LINE_ID_REPEATED"] * 2
    assert {fault.line_id for fault in command.rejected} == {"L1"}


def test_a_line_id_repeated_after_a_bad_line_is_rejected_too() -> None:
    command = upload(line("L1", Price="x"), line("L1"))
    assert command.lines == ()
    assert [fault.code for fault in command.rejected] == [
        "LINE_NUMBER_MALFORMED",
        "LINE_ID_REPEATED",
    ]


def test_every_bad_line_is_answered_however_many_faults_there_are() -> None:
    wrong = {"Quantity": "x", "Price": "x", "Amount": "x", "Code": "", "Relation": "x"}
    command = upload(*(line(f"L{number}", **wrong) for number in range(500)))
    assert len({fault.line_id for fault in command.rejected}) == 500
    assert len(command.rejected) < 2000


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-01T15:59:59Z", date(2026, 3, 1)),
        ("2026-03-01T16:00:00Z", date(2026, 3, 2)),
        ("2026-03-02T00:00:00+08:00", date(2026, 3, 2)),
        ("2026-03-01T23:59:59+08:00", date(2026, 3, 1)),
    ],
)
def test_the_service_day_is_the_day_in_shanghai(instant, day) -> None:
    assert upload(line("L1", OccurredAt=instant)).lines[0].service_day == day


def test_signs_and_amounts_are_left_to_the_rules() -> None:
    (kept,) = upload(line("L1", Quantity="-1", Amount="99.00")).lines
    assert (kept.quantity, kept.price, kept.amount_fen) == (-10000, 12_500_000, 9900)


def test_an_impossible_day_makes_the_message_unreadable_with_every_fault() -> None:
    body = (
        "<ReconcileTotals><Day>2026-02-30</Day><Count>1</Count><Split><Total>1.00</Total>"
        "<Fund>0.00</Fund><Employer>0.00</Employer><Individual>0.00</Individual>"
        "<Hospital>0.00</Hospital><Other>0.00</Other></Split><Meal>0.00</Meal>"
        "<DetailDigest>d</DetailDigest></ReconcileTotals>"
    )
    root = envelope("reconcile.totals", body)
    assert CODEC.schema_faults(root) == ()
    with pytest.raises(Unreadable) as caught:
        CODEC.command("reconcile.totals", root[1][0])
    assert [fault.field for fault in caught.value.findings] == [
        "Message/Body/ReconcileTotals/Day",
        "Message/Body/ReconcileTotals/Split/Total",
    ]
    assert {fault.code for fault in caught.value.findings} == {"FIELD_MALFORMED"}


def test_what_is_left_out_has_the_default_of_our_word() -> None:
    body = (
        "<RegisterDischarge><AdmissionId>A1</AdmissionId>"
        "<DischargedAt>2026-03-05T10:00:00+08:00</DischargedAt><Way>医嘱离院</Way></RegisterDischarge>"
    )
    command = CODEC.command("discharge.register", envelope("discharge.register", body)[1][0])
    assert isinstance(command, RegisterDischarge)
    assert command.diagnoses == ()


def least(work) -> float:
    """CPU seconds of six messages of 500 lines, the best of five tries."""
    tries = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(6):
            work()
        tries.append(time.process_time() - started)
    return min(tries)


def test_reading_and_writing_3000_lines_costs_a_few_times_their_parse() -> None:
    command = upload(*(line(f"L{number}", Amount=f"{number}.00") for number in range(500)))
    content = CODEC.command_message(heading("fees.upload"), command)
    body = etree.fromstring(content)[1][0]
    parse = least(lambda: etree.fromstring(content))
    assert least(lambda: CODEC.command("fees.upload", body)) < parse * 12
    assert least(lambda: CODEC.command_message(heading("fees.upload"), command)) < parse * 8
