"""What breaks the schema is said by place and expectation, cheaply, and never quotes a person."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from adapters.agency_xml import AgencyXml
from adapters.hospital_xml import HospitalXml
from adapters.hospital_xml.names import DIALECT
from adapters.shape import schema
from gateway.domain.findings import Finding

from .envelopes import HEADER, envelope

HOSPITAL = HospitalXml()
CANCEL = "<CancelAdmission><AdmissionId>A1</AdmissionId><Reason>有误</Reason></CancelAdmission>"
PERSON = "<Person><IdNo>999900199001010014</IdNo><Name>甲测试</Name></Person>"
MANY = 190_000


def faults(command: str, body: str, header: str = HEADER) -> tuple[Finding, ...]:
    return HOSPITAL.schema_faults(envelope(command, body, header))


def test_a_valid_request_has_no_faults_even_when_laid_out_over_lines() -> None:
    assert faults("admission.cancel", "\n  " + CANCEL.replace("><", ">\n    <") + "\n") == ()


def test_an_unknown_element_is_refused_by_name() -> None:
    body = CANCEL.replace("<Reason>", "<Motive>没有</Motive><Reason>")
    (fault,) = faults("admission.cancel", body)
    assert fault.code == "SCHEMA_INVALID"
    assert fault.field == "Message/Body/CancelAdmission/Motive"
    assert fault.got == ""
    assert fault.expected == "Reason"


def test_fields_in_another_order_are_refused() -> None:
    body = "<CancelAdmission><Reason>有误</Reason><AdmissionId>A1</AdmissionId></CancelAdmission>"
    (fault,) = faults("admission.cancel", body)
    assert (fault.field, fault.expected) == ("Message/Body/CancelAdmission/Reason", "AdmissionId")


def test_a_missing_field_is_named() -> None:
    (fault,) = faults("admission.cancel", "<CancelAdmission></CancelAdmission>")
    assert (fault.field, fault.expected) == ("Message/Body/CancelAdmission", "AdmissionId")


def test_every_malformed_value_is_listed_at_once_with_what_was_expected() -> None:
    body = (
        "<CommitSettlement><AdmissionId>住院1</AdmissionId><BillNo>B1</BillNo>"
        "<ExpectedCount>１２</ExpectedCount><ExpectedAmount> 12 </ExpectedAmount>"
        "<PaidAtDischargeBy>cash</PaidAtDischargeBy><Operator>OP1</Operator></CommitSettlement>"
    )
    found = faults("settlement.commit", body)
    assert [fault.field.rpartition("/")[2] for fault in found] == [
        "AdmissionId",
        "ExpectedCount",
        "ExpectedAmount",
        "PaidAtDischargeBy",
    ]
    assert [fault.got for fault in found] == ["住院1", "１２", " 12 ", "cash"]
    assert "nobody | employer | individual" in found[3].expected
    assert all("/" in fault.expected for fault in found)


def test_a_personal_value_is_never_repeated() -> None:
    body = f"<ReadPerson>{PERSON}</ReadPerson>".replace("999900199001010014", "９９99-0001")
    body = body.replace("甲测试", " 甲测试")
    found = faults("person.read", body)
    assert [fault.field.rpartition("/")[2] for fault in found] == ["IdNo", "Name"]
    assert [fault.got for fault in found] == ["", ""]
    assert not any("甲" in str(fault) or "9999" in str(fault) for fault in found)


def test_an_attribute_is_refused() -> None:
    body = CANCEL.replace("<Reason>", '<Reason Amount="1">')
    (fault,) = faults("admission.cancel", body)
    assert fault.field == "Message/Body/CancelAdmission/Reason"
    assert "attribute" in fault.expected


def test_text_between_elements_is_refused() -> None:
    (fault,) = faults("admission.cancel", CANCEL.replace("<Reason>", "文字<Reason>"))
    assert "no text" in fault.expected
    assert fault.got == ""


def test_the_command_must_match_the_body() -> None:
    (fault,) = faults("admission.modify", CANCEL)
    assert (fault.field, fault.expected) == ("Message/Body/CancelAdmission", "ModifyAdmission")


def test_a_body_holds_exactly_one_element() -> None:
    (second,) = faults("admission.cancel", CANCEL + CANCEL)
    assert second.field == "Message/Body/CancelAdmission[2]"
    (nothing,) = faults("admission.cancel", "")
    assert (nothing.field, nothing.expected) == ("Message/Body", "CancelAdmission")


def test_a_command_of_the_other_interface_is_unknown_here() -> None:
    assert not HOSPITAL.knows("case.report")
    assert AgencyXml().knows("case.report")
    (fault,) = faults("case.report", CANCEL)
    assert fault.field == "Message/Header/Command"


def test_a_notice_is_not_a_command() -> None:
    assert not HOSPITAL.knows("settlement.result")
    assert HOSPITAL.knows("settlement.commit")


def test_a_result_is_not_accepted_as_a_request() -> None:
    (fault,) = faults("settlement.commit", "<Settlement></Settlement>")
    assert fault.expected == "CommitSettlement"


def test_a_reply_is_not_accepted_as_a_request() -> None:
    (fault,) = faults("admission.cancel", CANCEL, HEADER + "<InReplyTo>m1</InReplyTo>")
    assert fault.field == "Message/Header/InReplyTo"


def test_a_message_without_header_fields_or_body_is_refused() -> None:
    root = envelope("admission.cancel", CANCEL)
    root.remove(root[1])
    (fault,) = HOSPITAL.schema_faults(root)
    assert (fault.field, fault.expected) == ("Message", "Body")


def test_a_receipt_must_answer_with_a_reply_of_the_notice() -> None:
    header = HEADER + "<InReplyTo>m1</InReplyTo><Outcome>APPLIED</Outcome>"
    receipt = envelope("settlement.result", "<Acknowledged></Acknowledged>", header)
    assert AgencyXml().reply_faults(receipt) == ()
    wrong = envelope("settlement.result", "<InboxPulled></InboxPulled>", header)
    (fault,) = AgencyXml().reply_faults(wrong)
    assert fault.expected == "Acknowledged | Refused"


def test_at_most_500_lines_are_taken_and_the_next_is_named() -> None:
    ids = [f"<LineId>L{number}</LineId>" for number in range(501)]
    body = "<VoidFees><AdmissionId>A1</AdmissionId>{}<Reason>重复</Reason></VoidFees>"
    assert faults("fees.void", body.format("".join(ids[:500]))) == ()
    (fault,) = faults("fees.void", body.format("".join(ids)))
    assert fault.field == "Message/Body/VoidFees/LineId[501]"


def test_at_most_a_thousand_faults_are_listed() -> None:
    line = "<Line><LineId>１</LineId><Name>换药</Name></Line>"
    body = f"<UploadFees><AdmissionId>A1</AdmissionId>{line * 500}</UploadFees>"
    assert len(faults("fees.upload", body)) == 1000


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("fees.upload", "<X/>" * MANY),
        ("fees.upload", f"<UploadFees>{'<X/>' * MANY}</UploadFees>"),
        (
            "fees.upload",
            f"<UploadFees><AdmissionId>A1</AdmissionId>{'<Line/>' * MANY}</UploadFees>",
        ),
        (
            "fees.upload",
            f"<UploadFees><AdmissionId>A1</AdmissionId><Line>{'<X/>' * MANY}</Line></UploadFees>",
        ),
        (
            "settlement.commit",
            f"<Settlement>{'<Line><Amount>x</Amount></Line>' * 50_000}</Settlement>",
        ),
        ("fees.void", f"<VoidFees>{'<LineId>１</LineId>' * 60_000}</VoidFees>"),
        ("admission.cancel", CANCEL.replace("有误", "a " * 1_000_000)),
        ("admission.cancel", CANCEL.replace("A1", "A" * 2_000_000)),
    ],
    ids=["body", "command", "lines", "line", "settlement", "ids", "text", "number"],
)
def test_hostile_siblings_and_texts_cost_less_than_half_a_second(command, body) -> None:
    root = envelope(command, body)
    started = time.process_time()
    found = HOSPITAL.schema_faults(root)
    assert time.process_time() - started < 0.5
    assert found


def test_many_threads_get_each_their_own_faults() -> None:
    bodies = [CANCEL.replace("A1", "单号" if number % 2 else "A1") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda body: faults("admission.cancel", body), bodies))
    assert [len(each) for each in found] == [number % 2 for number in range(40)]


def test_one_schema_is_compiled_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once crash a process in which none was compiled before."""
    entered, most = 0, 0

    def compiling(_: object) -> None:
        nonlocal entered, most
        entered += 1
        most = max(most, entered)
        time.sleep(0.02)
        entered -= 1

    monkeypatch.setattr(schema.etree, "XMLSchema", compiling)
    fresh, together = schema.Schema(DIALECT), Barrier(4)

    def first() -> None:
        together.wait()
        fresh._compiled()

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(first) for _ in range(4)]:
            done.result()
    assert most == 1
