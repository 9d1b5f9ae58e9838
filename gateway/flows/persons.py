"""A person as the agency names them: found by identity number, made when new."""

from gateway.domain.commands import Identity
from gateway.flows.desk import new_id
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.unit import Insert, Write


def new_person(reader: Reader, identity: Identity) -> tuple[str, tuple[Write, ...]]:
    """The rows of a person not seen before: the record and a tag under each look-up key."""
    person_id = new_id("P")
    row = {
        "person_id": person_id,
        "version": 1,
        "card_lost": 0,
        "id_no": identity.id_no,
        "name": identity.name,
        "card_no": identity.card_no or None,
        "phone": identity.phone or None,
    }
    tags = [
        {"key_id": key_id, "tag": tag, "person_id": person_id}
        for key_id, tag in reader.vault.ring.tags("id_no", identity.id_no).items()
    ]
    return person_id, (Insert(tables.person, [row]), Insert(tables.person_index, tags))
