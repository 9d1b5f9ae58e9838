"""Who speaks, over which connection: looked up for every request, compared again at commit."""

from dataclasses import dataclass

from gateway.clock import machine_now, micros
from gateway.domain.party import KeyPurpose, Party, PartyKind, RegisteredKey
from gateway.flows.desk import Desk
from gateway.store.database import Reader
from gateway.store.registry import Mandate, Standing, key_by_fingerprint, standing


class NotIdentified(Exception):
    """The connection may not speak for the sender; `code` is registered."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identified:
    """A sender with a usable message key; the connection is judged with the command."""

    message_key: RegisteredKey
    found: Standing

    @property
    def party(self) -> Party:
        return self.found.party


async def identify(
    desk: Desk,
    kinds: frozenset[PartyKind],
    sender: str,
    message_fingerprint: str,
    tls_fingerprint: str,
) -> Identified:
    """The claimed sender's registered message key. Raises NotIdentified (KEY_UNKNOWN)."""
    async with desk.database.reading() as reader:
        found = await standing(reader, sender, message_fingerprint, tls_fingerprint)
    if found is None or found.party.kind not in kinds:
        raise NotIdentified("KEY_UNKNOWN")
    key = found.message_key
    if key is None or not _usable(key):
        raise NotIdentified("KEY_UNKNOWN")
    return Identified(key, found)


def connection(
    desk: Desk, identified: Identified, command: str
) -> tuple[RegisteredKey, Mandate | None]:
    """The sender's own connection, or a carrier's with a mandate for this command today.

    Raises NotIdentified (CONNECTION_UNKNOWN, NOT_MANDATED).
    """
    tls_key = identified.found.tls_key
    if tls_key is None or not _usable(tls_key):
        raise NotIdentified("CONNECTION_UNKNOWN")
    if tls_key.party_id == identified.party.party_id:
        return tls_key, None
    for mandate in identified.found.mandates:
        if mandate.allows(command, desk.today):
            return tls_key, mandate
    raise NotIdentified("NOT_MANDATED")


async def connected(reader: Reader, tls_fingerprint: str) -> RegisteredKey | None:
    """The connection's key where no message is said; None when it may not connect now."""
    key = await key_by_fingerprint(reader, tls_fingerprint)
    if key is None or key.purpose is not KeyPurpose.TLS or not _usable(key):
        return None
    return key


def _usable(key: RegisteredKey) -> bool:
    """ACTIVE and within its validity on the machine's clock, which TLS uses as well."""
    return key.usable_at(micros(machine_now()))
