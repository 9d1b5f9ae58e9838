"""kill -9 while a message is still arriving: nobody has seen it, the query says so, and the
resend settles once."""

import socket
import sqlite3
import ssl
from pathlib import Path

from adapters.catalog_file import sample_path
from adapters.sandbox.keys import PartyKeys
from gateway.domain.commands import QueryTransaction
from gateway.web.messages import PATH
from tests.e2e.deployed import Deployed, deployed
from tests.e2e.test_kill import agency_keys, billed, client, commit_of, recognise

COMMIT = "COMMIT-1"


async def ready_to_commit(gateway: Deployed) -> tuple[PartyKeys, bytes]:
    """The hospital's keys, and the signed commit of its one bill, not yet sent."""
    keys = gateway.hospital("H001")
    gateway.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
    await recognise(gateway, agency_keys(gateway))
    async with client(gateway, keys, "hospital") as hospital:
        stay = await billed(hospital, "V1")
        return keys, hospital.sealed("settlement.commit", commit_of(stay), COMMIT)


def killed_half_way(gateway: Deployed, keys: PartyKeys, body: bytes) -> bytes:
    """Half of the body is sent once the server asks for it, then its process is killed; what
    came back after that."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    place = ("localhost", gateway.ports["hospital"])
    with (
        socket.create_connection(place, timeout=30) as plain,
        keys.tls(gateway.ca).wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 100")
        connection.sendall(body[: len(body) // 2])
        gateway.process.kill()
        gateway.process.wait()
        return what_came(connection)


def what_came(connection: ssl.SSLSocket) -> bytes:
    """What the other side still said; nothing when it was cut off."""
    try:
        return connection.recv(64)
    except (ssl.SSLError, ConnectionError):
        return b""


def settled(folder: Path) -> tuple[int, int]:
    """Settlements, and messages that asked for one."""
    with sqlite3.connect(f"file:{folder / 'data' / 'gateway.db'}?mode=ro", uri=True) as database:
        counted = database.execute("SELECT count(*) FROM settlement").fetchone()
        heard = database.execute(
            "SELECT count(*) FROM message WHERE command = 'settlement.commit'"
        ).fetchone()
    database.close()
    return counted[0], heard[0]


async def test_a_message_cut_off_by_a_kill_was_never_seen_and_its_resend_settles_once(
    tmp_path: Path,
) -> None:
    with deployed(tmp_path) as gateway:
        keys, sealed = await ready_to_commit(gateway)
        assert killed_half_way(gateway, keys, sealed) == b""
    assert settled(tmp_path) == (0, 0)
    asked = QueryTransaction(target_message_id=COMMIT)
    with deployed(tmp_path) as gateway:
        async with client(gateway, keys, "hospital") as hospital:
            assert (await hospital.send("transaction.query", asked)).result.state == "NOT_SEEN"
            done = await hospital.post(COMMIT, sealed)
            assert done.code == "OK"
            assert (await hospital.post(COMMIT, sealed)).received == done.received
            assert (await hospital.send("transaction.query", asked)).result.state == "APPLIED"
    assert settled(tmp_path) == (1, 1)
