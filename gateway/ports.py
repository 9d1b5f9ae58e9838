"""What the core asks of the outside: the shapes that adapters and channels fill."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from gateway.domain.commands import Command
from gateway.domain.findings import Finding
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Result


class Unreadable(Exception):
    """A schema-valid body whose values cannot be read; every fault at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} faults")
        self.findings = tuple(findings)


class Codec(Protocol):
    """One dialect: between the content of a signed message and the words of the domain.

    `root` and `body` are parsed elements without the signature, exactly as hashed.
    """

    def knows(self, command: str) -> bool:
        """Whether this listener's dialect has the command."""
        ...

    def schema_faults(self, root: Any) -> tuple[Finding, ...]:
        """What breaks the published schema; empty when valid."""
        ...

    def command(self, name: str, body: Any) -> Command:
        """The command in the body. Raises Unreadable."""
        ...

    def message(self, heading: Heading, result: Result, binding: Binding | None) -> bytes:
        """The exclusive-canonical bytes of a reply or notice, unsigned."""
        ...

    def reply(self, body: Any, head: Any) -> tuple[Binding | None, Result]:
        """A reply, notice or receipt with what it answers. Raises Unreadable."""
        ...


class Sealer(Protocol):
    """Signs canonical content; the bytes returned are final."""

    def seal(self, content: bytes) -> bytes: ...


class Channel(Protocol):
    """A way to a receiver that can be called.

    Returns the receiver's signed reply bytes. Raises ChannelBusy when it may work
    later, ChannelRefused when the receiver answered that it never will.
    """

    async def send(self, sealed: bytes) -> bytes: ...


class ChannelBusy(Exception):
    """No answer, or one that proves nothing: send the same bytes again later."""


class ChannelRefused(Exception):
    """A signed refusal: sending again cannot help; a person must look."""


class Clock(Protocol):
    """What time it is, for business and for the machine."""

    def now(self) -> datetime:
        """The business instant, UTC."""
        ...


class Meter(Protocol):
    """Where the core reports what it counts (gateway.metrics.Metrics)."""

    def answered(self, op: str, code: str, seconds: float) -> None: ...

    def not_believed(self, reason: str) -> None: ...

    def duplicate(self, content: Literal["same", "mismatch"]) -> None: ...

    def settled(self, result: str, fund_fen: int) -> None: ...

    def undone(self, cause: Literal["cancel", "reverse"]) -> None: ...

    def asked(self) -> None: ...
