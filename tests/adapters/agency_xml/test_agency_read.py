"""The agency's commands are read into our words."""

from datetime import date

from adapters.agency_xml import AgencyXml
from gateway.domain.admission import AdmissionRefusal
from gateway.domain.case import CaseState, ThirdParty
from gateway.domain.codes import Outcome
from gateway.domain.commands import CheckAdmission, DecideCase
from gateway.domain.results import Acknowledged

from ..shape.envelopes import DIGEST, HEADER, envelope

CODEC = AgencyXml()


def read(name: str, body: str):
    root = envelope(name, body)
    assert CODEC.schema_faults(root) == ()
    return CODEC.command(name, root[1][0])


def test_a_decision_says_nothing_about_what_it_leaves_out() -> None:
    decided = read(
        "case.decide",
        "<DecideCase><CaseNo>C1</CaseNo><State>RECOGNISED</State><DecidedOn>2026-03-02</DecidedOn>"
        "<Authority>示例市人社局</Authority><Reason>属实</Reason>"
        "<InsuredAtInjury>false</InsuredAtInjury><Litigation>false</Litigation></DecideCase>",
    )
    assert isinstance(decided, DecideCase)
    assert decided.state is CaseState.RECOGNISED
    assert decided.decided_on == date(2026, 3, 2)
    assert decided.insured_at_injury is False
    assert decided.litigation is False
    assert decided.disputed is None
    assert decided.third_party is None


def test_a_third_party_is_none_only_when_it_is_said() -> None:
    body = (
        "<DecideCase><CaseNo>C1</CaseNo><State>RECOGNISED</State><DecidedOn>2026-03-02</DecidedOn>"
        "<Authority>示例市人社局</Authority><Reason>属实</Reason><ThirdParty>NONE</ThirdParty>"
        "</DecideCase>"
    )
    assert read("case.decide", body).third_party is ThirdParty.NONE


def test_a_check_without_code_confirms_and_with_one_refuses() -> None:
    body = "<CheckAdmission><AdmissionId>A1</AdmissionId><By>丁测试</By><Reason>核对</Reason>"
    confirmed = read("admission.check", body + "</CheckAdmission>")
    assert isinstance(confirmed, CheckAdmission)
    assert confirmed.refusal is None
    refused = read("admission.check", body + "<Refusal>THIRD_PARTY</Refusal></CheckAdmission>")
    assert refused.refusal is AdmissionRefusal.THIRD_PARTY


def test_the_agencys_receipt_is_read_with_what_it_answers() -> None:
    header = (
        HEADER
        + f"<InReplyTo>S-1</InReplyTo><RequestDigest>{DIGEST}</RequestDigest>"
        + "<Outcome>APPLIED</Outcome><Code>OK</Code>"
    )
    root = envelope("settlement.result", "<Acknowledged></Acknowledged>", header)
    assert CODEC.reply_faults(root) == ()
    bound, result = CODEC.reply(root[1][0], root[0])
    assert bound is not None
    assert (bound.in_reply_to, bound.request_digest) == ("S-1", DIGEST)
    assert bound.outcome is Outcome.APPLIED
    assert result == Acknowledged()
