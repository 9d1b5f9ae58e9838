"""A person as the agency names them: found by identity number, made when new."""

from gateway.domain.commands import Identity
from gateway.flows.desk import new_id
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.unit import Insert, Write


def new_person(reader: Reader, identity: Identity) -> tuple[str, tuple[Write, ...]]:
    """The rows of a person not seen before: the record and its look-up tag."""
    person_id = new_id("P")
    ring = reader.vault.ring
    row = {
        "person_id": person_id,
        "version": 1,
        "card_lost": 0,
        "id_no": identity.id_no,
        "name": identity.name,
        "card_no": identity.card_no or None,
        "phone": identity.phone or None,
    }
    tag = {
        "key_id": ring.index_id,
        "tag": ring.tag("id_no", identity.id_no),
        "person_id": person_id,
    }
    return person_id, (Insert(tables.person, [row]), Insert(tables.person_index, [tag]))
