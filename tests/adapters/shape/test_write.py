"""Records are written directly in canonical form."""

import pytest

from adapters.agency_xml import AgencyXml
from adapters.shape.fields import Shape, many, may, need, shape
from adapters.shape.kinds import FEN, TEXT_200
from adapters.shape.names import ACKNOWLEDGED, REFUSED
from adapters.shape.write import write
from gateway.domain.commands import CheckAdmission
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged, Refused

from .envelopes import canonical, heading


def test_markup_in_a_value_is_escaped() -> None:
    written = write(ACKNOWLEDGED, Acknowledged(subject="<A&B>", state="OK"))
    assert written == (
        "<Acknowledged><Subject>&lt;A&amp;B&gt;</Subject><State>OK</State></Acknowledged>"
    )


def test_what_is_left_out_is_not_written_and_an_empty_record_has_both_tags() -> None:
    assert write(ACKNOWLEDGED, Acknowledged()) == "<Acknowledged></Acknowledged>"


def test_a_message_with_every_kind_of_markup_is_its_own_canonical_form() -> None:
    check = CheckAdmission(
        admission_id="A1", by="甲<乙>", reason="a & b > c \" ' \u2028 \U00020000"
    )
    content = AgencyXml().command_message(heading("admission.check"), check)
    assert content == canonical(content)
    assert b"/>" not in content
    assert not content.startswith(b"<?")


def test_more_findings_than_the_schema_allows_are_not_written() -> None:
    finding = Finding("EXPIRED")
    assert write(REFUSED, Refused(findings=(finding,) * 1000)).count("<Finding>") == 1000
    with pytest.raises(ValueError, match="1001"):
        write(REFUSED, Refused(findings=(finding,) * 1001))


def test_a_finding_tells_who_must_act_and_what_to_call_next() -> None:
    written = write(REFUSED, Refused(findings=(Finding("NO_LINES"),)))
    assert "<TextZh>没有费用明细</TextZh>" in written
    assert "<TextEn>The bill has no lines</TextEn>" in written
    assert "<Who>hospital</Who><Retry>new_message</Retry><Next>fees.upload</Next>" in written


def test_a_shape_names_each_field_once() -> None:
    twice = (need("A", "a", TEXT_200, "甲", "a"), may("A", "b", FEN, "乙", "b"))
    with pytest.raises(ValueError, match="twice"):
        Shape("X", dict, twice, "", "", dict)


def test_a_value_is_required_unless_it_may_be_left_out() -> None:
    pair = shape("Pair", dict, "对", "pair", many("A", "a", FEN, "甲", "a", most=2))
    assert write(pair, type("Record", (), {"a": (1, 2)})) == "<Pair><A>0.01</A><A>0.02</A></Pair>"
