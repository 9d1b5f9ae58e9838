"""Messages in the outbox, a clock a test sets, and a channel that does as it is told."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from gateway.clock import micros
from gateway.delivery.worker import Worker
from gateway.ports import Channel, ChannelBusy, ChannelRefused
from gateway.store.database import Database
from gateway.store.deliveries import WAITING
from gateway.store.tables import outbox
from gateway.store.unit import Insert, Unit
from tests.store.rows import a_row

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
Answer = Callable[[], bytes]


class SetClock:
    """A business clock that stands still until it is moved."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)


def receipt() -> bytes:
    return b"<receipt/>"


def silence() -> bytes:
    raise ChannelBusy("no receipt: ReadTimeout")


def refusal() -> bytes:
    raise ChannelRefused("refused by the receiver")


class Post:
    """Every receiver's channel: keeps what was sent, and answers by message in turn."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self._answers: dict[bytes, list[Answer]] = {}
        self.down: set[str] = set()
        self.unreachable: set[str] = set()

    def answers(self, message_id: str, *answers: Answer) -> None:
        """What this message's tries hear, one after the other; a receipt after that."""
        self._answers[sealed(message_id)] = list(answers)

    async def channel_for(self, receiver: str) -> Channel | None:
        return None if receiver in self.unreachable else _Channel(self, receiver)

    def heard(self, receiver: str, message: bytes) -> bytes:
        self.sent.append((receiver, message))
        if receiver in self.down:
            return silence()
        waiting = self._answers.get(message)
        return (waiting.pop(0) if waiting else receipt)()

    @property
    def order(self) -> list[str]:
        """The ids in order of sending."""
        return [message.decode().split()[1] for _, message in self.sent]

    def by_receiver(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for receiver, message in self.sent:
            found[receiver].append(message.decode().split()[1])
        return dict(found)


class _Channel:
    def __init__(self, post: Post, receiver: str) -> None:
        self._post, self._receiver = post, receiver

    async def send(self, message: bytes) -> bytes:
        return self._post.heard(self._receiver, message)


def a_worker(database: Database, clock: SetClock, post: Post) -> Worker:
    return Worker(database, clock, post.channel_for, 0.01)


def sealed(message_id: str) -> bytes:
    return f"<sealed {message_id} />".encode()


def a_message(message_id: str, receiver: str = "AGENCY", subject: str = "A1", **more: Any) -> dict:
    """A message just committed, due at once, not yet numbered."""
    values = {
        "message_id": message_id,
        "receiver": receiver,
        "subject": subject,
        "channel": "push",
        "state": WAITING,
        "lane_seq": None,
        "created_us": micros(START),
        "position": 0,
        "next_us": micros(START),
        "sealed": sealed(message_id),
        "receipt": None,
        "last_error": "",
    }
    return a_row(outbox, **(values | more))


async def committed(database: Database, *messages: dict[str, Any]) -> None:
    """The messages of one transaction."""
    await database.commit(Unit("T1", 2026, writes=(Insert(outbox, messages),)))


async def committed_each(database: Database, names: Iterable[str], **values: Any) -> None:
    """Each message in a transaction of its own."""
    for name in names:
        await committed(database, a_message(name, **values))


async def kept(database: Database) -> dict[str, dict[str, Any]]:
    """Every outgoing message by id, personal columns in clear."""
    async with database.reading() as reader:
        rows = await reader.opened(outbox, select(outbox))
    return {row["message_id"]: row for row in rows}


async def states(database: Database) -> dict[str, str]:
    return {name: row["state"] for name, row in (await kept(database)).items()}


async def numbers(database: Database) -> dict[str, int | None]:
    return {name: row["lane_seq"] for name, row in (await kept(database)).items()}


def names(count: int, prefix: str = "M") -> list[str]:
    return [f"{prefix}{number:03d}" for number in range(1, count + 1)]
