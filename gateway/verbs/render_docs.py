"""渲染文档 Write what documents take from the code: errors, settings and the picture.

`python -m gateway.verbs.render_docs`; a test compares every file with what this writes.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from gateway.domain.codes import CODES, Code
from gateway.domain.reasons import REASONS, VIOLATIONS, Reason
from gateway.rules.reconcile import DIFFERENCE_KINDS, DifferenceKind
from gateway.settings import Settings
from gateway.store.inventory import PERSONAL
from gateway.verbs import one_bill

PROJECT: Final = Path(__file__).parents[2]
_GENERATED: Final = (
    "<!-- 由 `python -m gateway.verbs.render_docs` 生成，请勿手改。 Generated; do not edit. -->"
)
_WHO: Final = {
    "nobody": "无须处理 nobody",
    "hospital": "医院 hospital",
    "his_vendor": "HIS 厂商 HIS vendor",
    "agency": "经办机构 agency",
    "operator": "运维 operator",
}
_RETRY: Final = {
    "never": "不要重发 never",
    "same_message": "可重发原报文 same message",
    "new_message": "改正后用新编号 new message id",
}

_UNKNOWN: Final = (
    "签名答复的 `Outcome` 与 `Code` 才是结果；其他一切（超时、202、未签名的 4xx/5xx、"
    "代理返回的 200）都是**结果未知**：查询、重发同一报文，或冲正。",
    "HTTP 状态码出自 `gateway/web/problems.py`，不能代替签名。",
    "",
    "Only `Outcome` and `Code` of a signed reply are an outcome. Everything else (a time-out, 202, "
    "an unsigned 4xx or 5xx, a proxy's 200) is **UNKNOWN**: query, resend the same message, or "
    "reverse it.",
    "HTTP statuses are made in `gateway/web/problems.py` and never replace the signature.",
)
_OF_A_LINE: Final = (
    "一行费用为何不全由基金支付；“违规”由经办机构以 `lines.decide` 确认，由医院承担。",
    "Why the fund does not bear a whole line; a violation is confirmed by the agency "
    "(`lines.decide`) and borne by the hospital.",
)
_OF_PERSONS: Final = (
    "由 `gateway/store/inventory.py` 生成；新增的列不在清单中，测试即失败。"
    "随机的内部编号 `person_id` 把各行与人相连，清除后不再指向任何人。",
    "做法见[运行说明](operations.md)：更换数据密钥、清除个人信息。",
    "",
    "A new column that the inventory does not name fails a test. The random internal id "
    "`person_id` ties rows to a person and leads to nobody after a purge. How to renew the keys "
    "and to purge: [operations.md](operations.md).",
)
_FROM_ENVIRONMENT: Final = (
    "全部来自环境变量；列表写成 JSON。名字拼错的变量不起作用。",
    "All come from the environment; lists are written as JSON. A misspelt name has no effect.",
)


def files() -> dict[str, str]:
    """The text of every rendered file by its path from the project's root."""
    return {
        "docs/errors.md": _page(_errors()),
        "docs/settings.md": _page(_settings()),
        "docs/personal-data.md": _page(_personal_data()),
        "docs/figures/one-bill.svg": one_bill.render(),
    }


def render(root: Path = PROJECT) -> int:
    """Write every rendered file below `root`; how many they are."""
    texts = files()
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return len(texts)


def _page(lines: Iterable[str]) -> str:
    return "\n".join((_GENERATED, "", *lines, ""))


def _errors() -> Iterator[str]:
    yield from ("# 结果代码 · Codes", "", *_UNKNOWN, "", "## 应答代码 Answers", "")
    yield from _table(
        ("代码 Code", "含义", "Meaning", "谁处理 Who", "重发 Retry", "接着可用 Next"),
        (_code_row(code) for code in CODES.values()),
    )
    yield from ("", "## 明细行原因 Reasons of a line", "", *_OF_A_LINE, "")
    yield from _table(
        ("代码 Code", "含义", "Meaning", "违规 Violation"),
        (_reason_row(name, reason) for name, reason in REASONS.items()),
    )
    yield from ("", "## 对账差异 Differences of a day", "")
    yield from _table(
        ("类别 Class", "含义 Meaning", "可能原因 Likely cause", "谁处理 Who acts"),
        (_difference_row(name, kind) for name, kind in DIFFERENCE_KINDS.items()),
    )


def _reason_row(name: str, reason: Reason) -> tuple[str, ...]:
    return f"`{name}`", reason.zh, reason.en, "✓" if name in VIOLATIONS else ""


def _difference_row(name: str, kind: DifferenceKind) -> tuple[str, ...]:
    return (
        f"`{name}`",
        f"{kind.zh} {kind.en}",
        f"{kind.cause_zh} {kind.cause_en}",
        f"{kind.who_zh} {kind.who_en}",
    )


def _code_row(code: Code) -> tuple[str, ...]:
    following = "、".join(f"`{name}`" for name in code.next)
    return (
        f"`{code.code}`",
        f"{code.zh}：{code.cause_zh}",
        f"{code.en}: {code.cause_en}",
        _WHO[code.who.value],
        _RETRY[code.retry.value],
        following,
    )


def _settings() -> Iterator[str]:
    yield from ("# 设置 · Settings", "", *_FROM_ENVIRONMENT, "")
    yield from _table(
        ("变量 Variable", "默认 Default", "含义 Meaning"),
        (
            _setting_row(name, one.default, one.description or "")
            for name, one in Settings.model_fields.items()
        ),
    )


def _personal_data() -> Iterator[str]:
    yield from ("# 个人信息清单 · Personal data", "", *_OF_PERSONS, "")
    yield from _table(
        ("列 Columns", "内容 What", "如何保存 How", "目的与依据 Purpose, ground", "保存 Retention"),
        (
            (
                ", ".join(f"`{one.table}.{name}`" for name in one.columns.split()),
                *(one.what, one.kept, one.ground, one.retention),
            )
            for one in PERSONAL
        ),
    )


def _setting_row(name: str, default: Any, description: str) -> tuple[str, str, str]:
    prefix = Settings.model_config["env_prefix"]
    return f"`{prefix}{name.upper()}`", _default(default), description


def _default(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        listed = ", ".join(f'"{each}"' for each in value)
        return f"`[{listed}]`"
    return f"`{value}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


if __name__ == "__main__":
    sys.stdout.write(f"已写出 wrote {render()} files\n")
