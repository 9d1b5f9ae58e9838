"""报文文档 The wire reference of a dialect in Chinese and English, rendered from its shapes."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from adapters.shape.dialect import Dialect, Exchange
from adapters.shape.examples import Example, examples
from adapters.shape.fields import Field, Shape, records
from adapters.shape.kinds import Kind
from adapters.shape.names import HEADER
from adapters.shape.xsd import LOOSE_LONGEST

_INTRODUCTION: Final = """\
<!-- 由 `python -m adapters.shape.publish` 生成，请勿手改。 Generated; do not edit. -->

# {zh}报文 · {en}

命名空间 `urn:gongshang:settlement:v1`；结构定义 `schemas/{name}/v1/message.xsd`；\
示例 `schemas/examples/{name}/v1/`（未签名）。每份报文为一个 `Message`（属性 `Id`），依次为 \
`Header`、`Body`（恰好一个元素）、`ds:Signature`（最后一个子元素，规范见 \
`schemas/signature-profile.xsd`）。元素的顺序固定；除 `Message` 的 `Id` 外没有属性；\
值的首尾不得有空白；数字只用半角。`Command` 必须与 `Body` 中的元素相符。\
标明“逐行校验”的值在结构定义中只限 {longest} 个字符；值有误的行单独拒收，其余照收。

Namespace `urn:gongshang:settlement:v1`; schema `schemas/{name}/v1/message.xsd`; examples in \
`schemas/examples/{name}/v1/` (unsigned). A message is one `Message` (attribute `Id`) with \
`Header`, `Body` (exactly one element) and `ds:Signature` (the last child, see \
`schemas/signature-profile.xsd`). Order is fixed; nothing but `Message` has an attribute; no \
white space around a value; digits are ASCII. `Command` must match the element in `Body`. \
A value "judged by line" is any text of {longest} characters to the schema: its line alone is \
rejected when it is malformed.
"""
_BY_LINE: Final = "逐行校验 judged by line: "


def render(dialect: Dialect) -> str:
    """The whole page as Markdown."""
    shown = {each.shape.name: each for each in reversed(examples(dialect))}
    inner = records([HEADER, *dialect.bodies])
    own = [each for each in inner if each.name not in dialect.by_element and each is not HEADER]
    lines = [
        _INTRODUCTION.format(
            zh=dialect.zh, en=dialect.en, name=dialect.name, longest=LOOSE_LONGEST
        ),
        *_section("报文头 Header"),
        *_table(HEADER),
        *_section("命令一览 Commands"),
        *_commands([each for each in dialect.exchanges if not each.notice]),
        *_section("通知一览 Notices"),
        *_commands([each for each in dialect.exchanges if each.notice]),
        *_section("报文体 Bodies"),
        *[line for body in dialect.bodies for line in _body(dialect, body, shown[body.name])],
        *_section("记录 Records"),
        *[line for record in own for line in _record(record)],
        *_section("值的类型 Kinds of value"),
        *_kinds(inner),
        *_section("代码表 Code lists"),
        *_lists(inner),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str) -> list[str]:
    return [f"## {title}", ""]


def _commands(exchanges: Iterable[Exchange]) -> Iterator[str]:
    yield "| Command | Body | 说明 | Meaning | 答复 Replies |"
    yield "|---|---|---|---|---|"
    for each in exchanges:
        request = each.request
        replies = ", ".join(_link(reply) for reply in each.replies)
        cells = (f"`{each.command}`", _link(request), request.zh, request.en, replies)
        yield _row(*cells)
    yield ""


def _body(dialect: Dialect, body: Shape, example: Example) -> Iterator[str]:
    yield from _record(body)
    folder = f"../schemas/examples/{dialect.name}/v1"
    yield f"正确示例 Valid: [`{example.name}.valid.xml`]({folder}/{example.name}.valid.xml)"
    yield from ["", "```xml", example.valid.rstrip(), "```", ""]
    yield f"错误示例 Invalid: [`{example.name}.invalid.xml`]({folder}/{example.name}.invalid.xml)"
    yield from ["", "```xml", _broken(example), "```", ""]
    finding = example.finding
    yield f"`{finding.code}` · `{finding.field}` · 应为 expected: {_cell(finding.expected)}"
    yield ""


def _broken(example: Example) -> str:
    """The lines of the invalid message that differ from the valid one."""
    valid = example.valid.splitlines()
    return "\n".join(line for line in example.invalid.splitlines() if line not in valid)


def _record(record: Shape) -> Iterator[str]:
    yield f"### {record.name}"
    yield from ["", f"{record.zh}", "", f"{record.en}", ""]
    yield from _table(record)


def _table(record: Shape) -> Iterator[str]:
    yield "| 字段 Field | 次数 Occurs | 类型 Type | 说明 | Meaning |"
    yield "|---|---|---|---|---|"
    for part in record.fields:
        yield _row(f"`{part.wire}`", _occurs(record, part), _type(part), part.zh, part.en)
    yield ""


def _occurs(record: Shape, part: Field) -> str:
    times = str(part.least) if part.least == part.most else f"{part.least}–{part.most}"
    default = _default(part, record.blank.get(part.word))
    return f"{times}，缺省 default `{default}`" if default else times


def _default(part: Field, value: Any) -> str:
    if value in (None, "", ()) or isinstance(part.kind, Shape):
        return ""
    return part.kind.render(value)


def _type(part: Field) -> str:
    if isinstance(part.kind, Shape):
        name = _link(part.kind)
    else:
        name = f"[{part.kind.name}](#{part.kind.name.lower()})"
    loose = _BY_LINE if part.loose else ""
    return f"{loose}{name}" + ("，个人信息 personal" if part.personal else "")


def _kinds(shapes: Iterable[Shape]) -> Iterator[str]:
    for kind in _every_kind(shapes):
        if not kind.words:
            yield from [
                f"### {kind.name}",
                "",
                kind.zh,
                "",
                kind.en,
                "",
                f"例 e.g. `{kind.sample}`",
                "",
            ]


def _lists(shapes: Iterable[Shape]) -> Iterator[str]:
    for kind in _every_kind(shapes):
        if kind.words:
            yield from [f"### {kind.name}", "", "| 代码 Code | 含义 | Meaning |", "|---|---|---|"]
            yield from [_row(f"`{value}`", zh, en) for value, (zh, en) in kind.words.items()]
            yield ""


def _every_kind(shapes: Iterable[Shape]) -> list[Kind]:
    kinds = {
        part.kind.name: part.kind
        for each in shapes
        for part in each.fields
        if isinstance(part.kind, Kind)
    }
    return [kinds[name] for name in sorted(kinds)]


def _link(shape: Shape) -> str:
    return f"[{shape.name}](#{shape.name.lower()})"


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
