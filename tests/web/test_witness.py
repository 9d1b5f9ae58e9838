"""The agency as witness: it verifies that the log only grew, and its signature is kept."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import micros
from gateway.domain.party import KeyPurpose
from gateway.evidence.note import COSIGNED, Checkpoint, NoteSigner
from gateway.evidence.verify_log import verify
from gateway.flows.keep_log import keep
from gateway.store import log as rows
from gateway.verbs import evidence
from gateway.verbs.evidence_verify import Examined
from gateway.web import witness
from gateway.web.agency import agency_app
from tests.evidence.proofs import is_consistent
from tests.flows.conftest import data, office, preparations, store
from tests.flows.office import Office

__all__ = ["data", "office", "preparations", "store"]
WITNESS = NoteSigner("AGENCY", Ed25519PrivateKey.generate(), COSIGNED)


class Agency:
    """The agency's side: what it saw last, and what it signs after a proof."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office, self.patch = office, monkeypatch
        office.desk.log.witness = WITNESS.verifier
        self.seen: Checkpoint | None = None
        self.connected("AGENCY")

    def connected(self, party_id: str) -> None:
        shown = sha256(f"{party_id} {KeyPurpose.TLS}".encode()).hexdigest()
        self.patch.setattr(witness, "fingerprint", lambda _: shown)

    async def ask(self, method: str, path: str, content: str = "") -> httpx.Response:
        transport = httpx.ASGITransport(app=agency_app(self.office.desk))
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway") as http:
            return await http.request(method, path, content=content.encode())

    async def verified(self) -> Checkpoint:
        """The head, once it is shown to continue what was seen last."""
        since = self.seen.size if self.seen else 0
        answer = await self.ask("GET", f"{witness.HEAD}?since={since}")
        proof, _, note = answer.text.partition("\n\n")
        first, *path = proof.split("\n")
        log = self.office.desk.log.signer.named("GATEWAY.999900.test/1").verifier
        now = log.checkpoint(note)
        assert (answer.status_code, first) == (200, f"old {since}")
        if self.seen:
            hashes = [b64decode(one) for one in path]
            before, after = self.seen.root, now.root
            assert is_consistent(self.seen.size, before, now.size, after, hashes)
        self.seen = now
        return now

    async def cosign(self, at: Checkpoint, late_s: int = 0) -> httpx.Response:
        seconds = micros(self.office.desk.clock.now()) // 1_000_000 + late_s
        note = f"{at.body}\n{WITNESS.cosignature(at, seconds)}"
        return await self.ask("POST", witness.COSIGNATURES, note)


@pytest.fixture
def agency(office: Office, monkeypatch: pytest.MonkeyPatch) -> Agency:
    return Agency(office, monkeypatch)


async def test_what_was_verified_is_cosigned_and_kept(office: Office, agency: Agency) -> None:
    for number in (1, 2):
        await office.report(f"C{number}", number)
        await keep(office.desk.log)
        at = await agency.verified()
        answer = await agency.cosign(at)
        assert (answer.status_code, answer.text) == (200, f"{at.size}\n")
    async with office.desk.database.reading() as reader:
        kept = await rows.cosignatures(reader, 1)
        faults = [one async for one in Examined(reader).all(office.desk.log.file)]
    assert len(kept) == 2
    assert {one["witness"] for one in kept} == {WITNESS.verifier.text}
    assert faults == []


async def test_a_cosignature_is_part_of_the_export(
    office: Office, agency: Agency, tmp_path: Path
) -> None:
    await keep(office.desk.log)
    await agency.cosign(await agency.verified())
    path = tmp_path / "log.export"
    async with office.desk.database.reading() as reader:
        await evidence.export_to(reader, path, 0)
    assert verify(str(path)).cosignatures == 1


async def test_the_same_checkpoint_twice_is_kept_once(office: Office, agency: Agency) -> None:
    await keep(office.desk.log)
    at = await agency.verified()
    answers = [(await agency.cosign(at)).status_code for _ in range(2)]
    assert answers == [200, 200]


async def test_what_we_never_signed_is_not_taken(office: Office, agency: Agency) -> None:
    await keep(office.desk.log)
    at = await agency.verified()
    for other in (
        Checkpoint(at.origin, at.size, bytes(32)),
        Checkpoint(at.origin, at.size + 1, at.root),
        Checkpoint("OTHER/1", at.size, at.root),
    ):
        assert (await agency.cosign(other)).status_code == 401
    assert (await agency.cosign(at, late_s=3600)).status_code == 401
    assert (await agency.ask("POST", witness.COSIGNATURES, "nonsense")).status_code == 401


async def test_only_the_agency_is_answered(office: Office, agency: Agency) -> None:
    await keep(office.desk.log)
    agency.connected("H001")
    assert (await agency.ask("GET", witness.HEAD)).status_code == 403
    assert (await agency.ask("POST", witness.COSIGNATURES)).status_code == 403


async def test_a_silent_witness_is_noticed(office: Office, agency: Agency) -> None:
    await keep(office.desk.log)
    await agency.cosign(await agency.verified())
    await office.desk.log.look()
    assert office.desk.log.uncosigned is not None
    assert office.desk.log.uncosigned.total_seconds() < 60
