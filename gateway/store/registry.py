"""Who may speak: parties, keys and mandates, looked up for every request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import and_, bindparam, select

from gateway.domain.party import Party, RegisteredKey
from gateway.store.database import Reader
from gateway.store.rows import cut, key_of, labelled, party_of
from gateway.store.tables import mandate, party, party_key
from gateway.store.unit import Guard


@dataclass(frozen=True, slots=True)
class Mandate:
    """A carrier's dated authority to deliver a hospital's messages."""

    mandate_id: str
    version: int
    commands: frozenset[str]
    valid_from: date
    valid_to: date
    revoked_from: date | None

    def allows(self, command: str, day: date) -> bool:
        """Whether it is in force on the day for the command ("*" is every command)."""
        revoked = self.revoked_from is not None and self.revoked_from <= day
        inside = self.valid_from <= day <= self.valid_to
        return inside and not revoked and bool({"*", command} & self.commands)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the registry says of a claimed sender, its message key and the connection."""

    party: Party
    message_key: RegisteredKey | None
    tls_key: RegisteredKey | None
    mandates: tuple[Mandate, ...]


_MINE: Final = party_key.alias("mine")
_THEIRS: Final = party_key.alias("theirs")
_STANDING: Final = (
    select(
        *labelled(party, "p"),
        *[column.label(f"m_{column.name}") for column in _MINE.columns],
        *[column.label(f"t_{column.name}") for column in _THEIRS.columns],
        *labelled(mandate, "d"),
    )
    .select_from(party)
    .outerjoin(
        _MINE,
        and_(
            _MINE.c.fingerprint == bindparam("message_fingerprint"),
            _MINE.c.party_id == party.c.party_id,
            _MINE.c.purpose == "message",
        ),
    )
    .outerjoin(
        _THEIRS,
        and_(_THEIRS.c.fingerprint == bindparam("tls_fingerprint"), _THEIRS.c.purpose == "tls"),
    )
    .outerjoin(
        mandate,
        and_(mandate.c.carrier == _THEIRS.c.party_id, mandate.c.hospital == party.c.party_id),
    )
    .where(party.c.party_id == bindparam("sender"))
)


async def standing(
    reader: Reader, sender: str, message_fingerprint: str, tls_fingerprint: str
) -> Standing | None:
    """The standing of a sender, in one query; None for an unknown party."""
    given = {
        "sender": sender,
        "message_fingerprint": message_fingerprint,
        "tls_fingerprint": tls_fingerprint,
    }
    rows = await reader.rows(_STANDING, given)
    return _standing(rows) if rows else None


def _standing(rows: Sequence[Any]) -> Standing:
    own, mine, theirs = (cut(rows[0], party, "p"), _key(rows[0], "m"), _key(rows[0], "t"))
    if own is None:
        raise AssertionError("a row without its party")
    mandates = [found for row in rows if (found := cut(row, mandate, "d")) is not None]
    return Standing(party_of(own), mine, theirs, tuple(_mandate(one) for one in mandates))


def _key(row: Any, prefix: str) -> RegisteredKey | None:
    found = cut(row, party_key, prefix)
    return None if found is None else key_of(found)


def _mandate(row: dict[str, Any]) -> Mandate:
    return Mandate(
        row["mandate_id"],
        row["version"],
        frozenset(msgspec.json.decode(row["commands"])),
        date.fromisoformat(row["valid_from"]),
        date.fromisoformat(row["valid_to"]),
        date.fromisoformat(row["revoked_from"]) if row["revoked_from"] else None,
    )


def key_guard(key: RegisteredKey) -> Guard:
    """The key must still be as it was when the signature was believed."""
    values = {"version": key.version, "state": key.state.value}
    return Guard(party_key, {"fingerprint": key.fingerprint}, values)


def party_guard(found: Party) -> Guard:
    return Guard(party, {"party_id": found.party_id}, {"version": found.version})


def mandate_guard(found: Mandate) -> Guard:
    return Guard(mandate, {"mandate_id": found.mandate_id}, {"version": found.version})


_PARTY: Final = select(party).where(party.c.party_id == bindparam("party_id"))
_KEYS: Final = (
    select(party_key)
    .where(party_key.c.party_id == bindparam("party_id"))
    .order_by(party_key.c.changed_us, party_key.c.fingerprint)
)


async def party_by_id(reader: Reader, party_id: str) -> Party | None:
    rows = await reader.rows(_PARTY, {"party_id": party_id})
    return party_of(rows[0]) if rows else None


async def parties(reader: Reader) -> list[Party]:
    return [party_of(row) for row in await reader.rows(select(party).order_by(party.c.party_id))]


async def keys_of(reader: Reader, party_id: str) -> list[RegisteredKey]:
    return [key_of(row) for row in await reader.rows(_KEYS, {"party_id": party_id})]


async def key_by_fingerprint(reader: Reader, fingerprint: str) -> RegisteredKey | None:
    row = await reader.row(select(party_key).where(party_key.c.fingerprint == fingerprint))
    return None if row is None else key_of(row)


async def mandates_of(reader: Reader, carrier: str) -> list[tuple[str, Mandate]]:
    """Every mandate of a carrier with its hospital."""
    query = select(mandate).where(mandate.c.carrier == carrier)
    rows = await reader.rows(query.order_by(mandate.c.mandate_id))
    return [(row["hospital"], _mandate(row)) for row in rows]
