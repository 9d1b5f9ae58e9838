"""What both interfaces promise of every message, written once."""

from lxml import etree

from adapters.shape.dialect import Dialect, Exchange
from adapters.shape.fields import Shape
from gateway.domain.message import Binding

from .envelopes import canonical, heading


def requests(dialect: Dialect) -> list[Exchange]:
    return [exchange for exchange in dialect.exchanges if not exchange.notice]


def answers(dialect: Dialect) -> list[tuple[str, Shape, bool]]:
    """Each reply with its command, and each notice, which is bound to nothing."""
    replies = {
        body.name: (exchange.command, body, True)
        for exchange in dialect.exchanges
        for body in exchange.replies
    }
    notices = [(each.command, each.request, False) for each in dialect.exchanges if each.notice]
    return [*replies.values(), *notices]


def request_comes_back(codec, command: str, record) -> None:
    content = codec.command_message(heading(command), record)
    root = etree.fromstring(content)
    assert content == canonical(content)
    assert codec.schema_faults(root) == ()
    assert codec.command(command, root[1][0]) == record


def answer_comes_back(codec, command: str, record, bound: Binding | None) -> None:
    content = codec.message(heading(command), record, bound)
    root = etree.fromstring(content)
    assert content == canonical(content)
    assert codec.reply_faults(root) == ()
    assert codec.reply(root[1][0], root[0]) == (bound, record)
