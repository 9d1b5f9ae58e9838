"""The picture of one bill's way through the gateway, drawn as SVG: docs/figures/one-bill.svg."""

from typing import Final, NamedTuple

_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 250, 96, 40, 44, 24
_PAPER, _INK, _SOFT, _LINE = "#ffffff", "#1f2328", "#57606a", "#0969da"
_FONT: Final = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"


class Step(NamedTuple):
    """One box: where it stands, what happens there, and the file that does it."""

    column: int
    row: int
    zh: str
    en: str
    path: str


_STORY: Final = "gateway/flows/commit_settlement.py"
STEPS: Final = {
    "his": Step(0, 0, "医院 HIS 或承办商", "hospital: signed XML", "docs/wire-hospital.md"),
    "limits": Step(1, 0, "双向 TLS 与限额", "mutual TLS, limits", "gateway/web/limits.py"),
    "seal": Step(2, 0, "验签：只信已签名的", "believe what is sealed", "gateway/seal/profile.py"),
    "read": Step(3, 0, "读成命令", "bytes → command", "adapters/hospital_xml/names.py"),
    "flow": Step(3, 1, "流程：取事实", "the story: load facts", _STORY),
    "rules": Step(2, 1, "规则：逐行分担", "who bears each line", "gateway/rules/settle.py"),
    "sign": Step(1, 1, "签名答复", "seal the reply", "gateway/flows/transaction.py"),
    "store": Step(0, 1, "一个事务全部落盘", "ONE transaction", "gateway/store/unit.py"),
    "policy": Step(2, 2, "政策与目录（按日期）", "law by date", "gateway/policy/README.md"),
    "lane": Step(1, 2, "外发队列", "outbox lanes, retries", "gateway/delivery/worker.py"),
    "answer": Step(0, 2, "答复医院；收件箱", "reply; inbox.pull", "gateway/flows/inbox.py"),
    "agency": Step(1, 3, "经办机构", "the agency: signed XML", "docs/wire-agency.md"),
}
ARROWS: Final = (
    ("his", "limits"),
    ("limits", "seal"),
    ("seal", "read"),
    ("read", "flow"),
    ("flow", "rules"),
    ("policy", "rules"),
    ("rules", "sign"),
    ("sign", "store"),
    ("store", "answer"),
    ("store", "lane"),
    ("lane", "agency"),
)


def render() -> str:
    """The whole picture as the text of an SVG file."""
    wide, high = _right(max(step.column for step in STEPS.values())) + _EDGE, _bottom(3) + _EDGE
    drawn = [_box(step) for step in STEPS.values()]
    drawn += [_arrow(STEPS[start], STEPS[end]) for start, end in ARROWS]
    return "\n".join((*_head(wide, high), *drawn, "</svg>", ""))


def _head(wide: int, high: int) -> tuple[str, ...]:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'font-family="{_FONT}" role="img" aria-label="one bill\'s way">',
        f'<rect width="{wide}" height="{high}" fill="{_PAPER}"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="{_LINE}"/></marker></defs>',
    )


def _box(step: Step) -> str:
    left, top = _left(step.column), _top(step.row)
    middle = left + _WIDE // 2
    return "\n".join(
        (
            f'<rect x="{left}" y="{top}" width="{_WIDE}" height="{_HIGH}" rx="8" '
            f'fill="none" stroke="{_SOFT}"/>',
            _text(middle, top + 32, 18, _INK, step.zh),
            _text(middle, top + 56, 14, _SOFT, step.en),
            _text(middle, top + 80, 12, _LINE, step.path),
        )
    )


def _text(x: int, y: int, size: int, colour: str, words: str) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="middle">'
        f"{words}</text>"
    )


def _arrow(start: Step, end: Step) -> str:
    """From edge to edge: sideways within a row, else down or up, or across a corner."""
    across, down = _towards(start.column, end.column), _towards(start.row, end.row)
    x1, y1 = _edge(start, across if not down else 0, down)
    x2, y2 = _edge(end, -across if not down else 0, -down)
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{_LINE}" stroke-width="2" '
        'marker-end="url(#tip)"/>'
    )


def _towards(start: int, end: int) -> int:
    return (end > start) - (end < start)


def _edge(step: Step, across: int, down: int) -> tuple[int, int]:
    """The middle of the side that faces (across, down)."""
    x = _left(step.column) + (1 + across) * _WIDE // 2
    return x, _top(step.row) + (1 + down) * _HIGH // 2


def _left(column: int) -> int:
    return _EDGE + column * (_WIDE + _GAP_X)


def _right(column: int) -> int:
    return _left(column) + _WIDE


def _top(row: int) -> int:
    return _EDGE + row * (_HIGH + _GAP_Y)


def _bottom(row: int) -> int:
    return _top(row) + _HIGH
