"""What was signed, sent and verified is what the reader reads."""

from adapters.hospital_xml import HospitalXml
from gateway.domain.commands import CancelAdmission
from gateway.seal.profile import envelope

from ...seal.makers import hospital
from ..shape.envelopes import heading


def test_a_sealed_request_is_read_from_the_tree_that_was_hashed() -> None:
    codec, command = HospitalXml(), CancelAdmission(admission_id="A1", reason="甲&乙 <有误>")
    content = codec.command_message(heading("admission.cancel"), command)
    party = hospital()
    raw = party.signer.seal(content, "m1")
    sealed = envelope(raw).verify(party.certificate.public_key())
    assert codec.schema_faults(sealed.root) == ()
    assert codec.command(sealed.header.command, sealed.body) == command
