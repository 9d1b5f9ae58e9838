"""Checkpoints are signed notes as others read and write them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.evidence.note import (
    COSIGNED,
    BadNote,
    Checkpoint,
    NoteSigner,
    Verifier,
    base64,
    stamped,
    tlog_proof,
)

# The example of the signed-note documentation (golang.org/x/mod/sumdb/note).
KEY_ID = "c74f20a3"
PUBLIC = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6"
SAID = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    KEY_ID
    + "f64992e052f541bf49f7dcbc8010c5506d885ba92cbafca40704959227348b86"
    + "52060dd451580b6a5948d5e02afa9fa9d9e0a2da5165be8a13a472c81c099c03"
)
PETER = f"PeterNeumann+{KEY_ID}+{base64(bytes.fromhex('01' + PUBLIC))}"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = NoteSigner("GATEWAY.999900.test/1", KEY)
AT = Checkpoint(LOG.name, 7, bytes(32))


def test_a_published_key_reads_back_to_the_letter() -> None:
    assert Verifier.read(PETER).text == PETER


def test_a_published_signature_is_verified_though_its_note_is_no_checkpoint() -> None:
    note = f"{SAID}\n\u2014 PeterNeumann {base64(bytes.fromhex(SIGNED))}\n"
    with pytest.raises(BadNote, match="no checkpoint"):
        Verifier.read(PETER).checkpoint(note)
    with pytest.raises(BadNote, match="not signed by this key"):
        Verifier.read(PETER).checkpoint(note.replace("answer", "Answer"))


def test_a_checkpoint_has_the_form_of_a_transparency_logs() -> None:
    body, signature = LOG.note(AT).split("\n\n")
    assert body == f"GATEWAY.999900.test/1\n7\n{'A' * 43}="
    assert signature.startswith("\u2014 GATEWAY.999900.test/1 ")
    assert signature.endswith("\n")


def test_a_checkpoint_reads_back() -> None:
    assert LOG.verifier.checkpoint(LOG.note(AT)) == AT


def test_signatures_of_others_stand_beside_ours() -> None:
    other = NoteSigner("AGENCY", Ed25519PrivateKey.generate(), COSIGNED)
    line = other.cosignature(AT, 1_772_409_600)
    note = LOG.note(AT) + line
    assert LOG.verifier.checkpoint(note) == other.verifier.checkpoint(note) == AT
    assert stamped(line) == 1_772_409_600


def test_a_cosignature_at_another_time_is_none() -> None:
    other = NoteSigner("AGENCY", Ed25519PrivateKey.generate(), COSIGNED)
    note = LOG.note(AT) + other.cosignature(AT, 1_772_409_600)
    flipped = note.replace(other.cosignature(AT, 1_772_409_600)[-30:], "A" * 28 + "=\n")
    with pytest.raises(BadNote):
        other.verifier.checkpoint(flipped)


def test_no_byte_of_a_note_can_be_another() -> None:
    note = LOG.note(AT).encode()
    for at in range(len(note)):
        changed = bytes([*note[:at], note[at] ^ 1, *note[at + 1 :]])
        with pytest.raises(ValueError, match=r".+"):
            LOG.verifier.checkpoint(changed.decode())


@pytest.mark.parametrize(
    "body", ["log\n07\nAAAA\n", "log\n7\n", "log\n-7\nAAAA\n", "log\n7\nAAAB\n", "log\n7\nAA=A\n"]
)
def test_what_is_no_checkpoint_is_not_read_as_one(body: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.read(body)


def test_a_key_under_another_name_is_another_key() -> None:
    other = NoteSigner("GATEWAY.999900.test/2", KEY)
    with pytest.raises(BadNote, match="not signed by this key"):
        other.verifier.checkpoint(LOG.note(AT))


def test_a_proof_is_told_in_the_form_others_read() -> None:
    told = tlog_proof(3, [b"\x01" * 32], LOG.note(AT)).split("\n")
    assert told[:3] == [
        "c2sp.org/tlog-proof@v1",
        "index 3",
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    ]
    assert told[3] == ""
    assert told[4] == LOG.name
