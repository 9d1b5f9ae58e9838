"""Persons: found only by identity number and name together."""

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from gateway.domain.commands import Identity
from gateway.store.database import Reader
from gateway.store.personal import normalised
from gateway.store.tables import person, person_index


@dataclass(frozen=True, slots=True)
class Person:
    """A known person in clear; lives no longer than the request."""

    person_id: str
    version: int
    id_no: str
    name: str
    card_no: str
    phone: str
    card_lost: bool


async def person_by_identity(reader: Reader, identity: Identity) -> Person | None:
    """The person of this identity number, whatever the name."""
    tags = reader.vault.ring.tags("id_no", identity.id_no)
    either = [
        and_(person_index.c.key_id == key_id, person_index.c.tag == tag)
        for key_id, tag in tags.items()
    ]
    query = (
        select(person)
        .join(person_index, person_index.c.person_id == person.c.person_id)
        .where(or_(*either))
    )
    found = await reader.opened(person, query)
    return _person(found[0]) if found else None


async def person_by_id(reader: Reader, person_id: str) -> Person | None:
    found = await reader.opened(person, select(person).where(person.c.person_id == person_id))
    return _person(found[0]) if found else None


def same_name(found: Person, identity: Identity) -> bool:
    """Whether the name given is the person's, blanks and width aside."""
    return normalised(found.name) == normalised(identity.name)


def _person(row: dict[str, object]) -> Person:
    def text(name: str) -> str:
        value = row[name]
        return value.decode() if isinstance(value, bytes) else ""

    return Person(
        str(row["person_id"]),
        int(str(row["version"])),
        text("id_no"),
        text("name"),
        text("card_no"),
        text("phone"),
        bool(row["card_lost"]),
    )
