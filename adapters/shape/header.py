"""报文头 The Header on the wire: heading and binding in one record (protocol §1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.shape import vocabulary as word
from adapters.shape.fields import Field, may, need
from adapters.shape.kinds import CHECKPOINT, INSTANT, MESSAGE_ID, PARTY, REQUEST_DIGEST, WORD, coded
from gateway.domain.codes import Outcome
from gateway.domain.message import Binding, Heading

COMMAND: Final = coded(
    "CommandName",
    r"[a-z]+\.[a-z]+",
    "命令名，如 fees.upload",
    "the name of a command such as fees.upload",
    sample="fees.upload",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """报文头 A message's Header; the second half binds a reply to its request."""

    message_id: str
    command: str
    sender: str
    receiver: str
    sent_at: datetime
    expires_at: datetime
    known_checkpoint: str = ""
    in_reply_to: str = ""
    request_digest: str = ""
    outcome: Outcome | None = None
    code: str = ""
    received_at: datetime | None = None
    provable_by: datetime | None = None
    checkpoint: str = ""

    @property
    def binding(self) -> Binding | None:
        """What the message answers, if it answers anything."""
        if not self.in_reply_to:
            return None
        return Binding(
            in_reply_to=self.in_reply_to,
            request_digest=self.request_digest,
            outcome=self.outcome,
            code=self.code,
            received_at=self.received_at,
            provable_by=self.provable_by,
            checkpoint=self.checkpoint,
        )


def header(heading: Heading, binding: Binding | None) -> Header:
    """The Header of a message to write."""
    return Header(
        message_id=heading.message_id,
        command=heading.command,
        sender=heading.sender,
        receiver=heading.receiver,
        sent_at=heading.sent_at,
        expires_at=heading.expires_at,
        known_checkpoint=heading.known_checkpoint,
        in_reply_to=binding.in_reply_to if binding else "",
        request_digest=binding.request_digest if binding else "",
        outcome=binding.outcome if binding else None,
        code=binding.code if binding else "",
        received_at=binding.received_at if binding else None,
        provable_by=binding.provable_by if binding else None,
        checkpoint=binding.checkpoint if binding else "",
    )


HEADER_FIELDS: Final[tuple[Field, ...]] = (
    need(
        "MessageId",
        "message_id",
        MESSAGE_ID,
        "报文编号，由发送方生成，永久唯一",
        "Message id, made by the sender, kept for ever",
    ),
    need(
        "Command",
        "command",
        COMMAND,
        "命令名，须与 Body 中的元素相符",
        "Command; it must match the element in Body",
    ),
    need("Sender", "sender", PARTY, "发送方编号", "Sender"),
    need(
        "Receiver",
        "receiver",
        PARTY,
        "接收方：部署与环境",
        "Receiver: deployment and environment",
        sample="GS-999900-DEMO",
    ),
    need("SentAt", "sent_at", INSTANT, "发送时刻", "When it was sent"),
    need(
        "ExpiresAt",
        "expires_at",
        INSTANT,
        "失效时刻，至多晚于 SentAt 24 小时",
        "When it expires: at most 24 hours after SentAt",
        sample="2026-03-02T09:00:00+08:00",
    ),
    may(
        "KnownCheckpoint",
        "known_checkpoint",
        CHECKPOINT,
        "发送方已知的最近检查点",
        "The last checkpoint the sender knows",
    ),
    may(
        "InReplyTo", "in_reply_to", MESSAGE_ID, "所答复报文的编号", "Id of the message this answers"
    ),
    may(
        "RequestDigest",
        "request_digest",
        REQUEST_DIGEST,
        "请求签名中 Reference 的 DigestValue",
        "DigestValue of the request's Reference",
    ),
    may(
        "Outcome",
        "outcome",
        word.OUTCOME,
        "处理结果；不带签名的任何回应均为结果未知",
        "Outcome; anything unsigned means UNKNOWN",
    ),
    may("Code", "code", WORD, "结果代码", "Code of the outcome (docs/errors.md)"),
    may(
        "ReceivedAt",
        "received_at",
        INSTANT,
        "网关收到请求的时刻",
        "When the gateway received the request",
    ),
    may(
        "ProvableBy",
        "provable_by",
        INSTANT,
        "至迟可出具存证证明的时刻",
        "When a proof will be ready at the latest",
    ),
    may(
        "Checkpoint",
        "checkpoint",
        CHECKPOINT,
        "最近公布的检查点",
        "The last published checkpoint",
    ),
)
