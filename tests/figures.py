"""Figures are files: one flat object each, beside it what made them; docs/figures.md tells them.

`python -m tests.figures` writes the page anew; whoever writes a figure does so too, and a test
compares the page with the files.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.tidy.source import PROJECT

DOCS: Final = PROJECT / "docs"
_CODE: Final = ("gateway", "adapters", "schemas", "tests")
_ABOUT: Final = ("command", "source", "commit", "machine", "made_at")
_HEAD: Final = (
    "# 实测数字 Figures\n"
    "\n"
    "<!-- 由 `python -m tests.figures` 生成，请勿手改。 Generated; do not edit. -->\n"
    "\n"
    "每个数字都是文件（`docs/figures/`），旁边写明命令、代码、机器和时间。"
    "比值与同一次运行里的基线相比，机器忙时也作数；毫秒和秒只在那台机器上作数。\n"
    "Every figure is a file in `docs/figures/` with its command, code, machine and time. "
    "A ratio is to a floor of the same run and holds on a busy machine; milliseconds and "
    "seconds hold on that machine only.\n"
    "\n"
    "**基线 The floor** 是同一批报文手工处理，什么也省不掉：字节门、解析、验签、模式校验、"
    "逐行计价、每份报文一笔 `synchronous=FULL` "
    "的事务、签名答复。它是“解析一次再规范化一次”的几倍，分项列在 `floor_…_over_parse_c14n`："
    "验签要把正文和签名信息各规范化一次再算一次椭圆曲线；"
    "模式校验逐个元素走一遍；`rest` 是逐行读出、计价、两次落盘和签名。账单越短，"
    "两次落盘与签名所占越多，倍数越大。\n"
    "The floor handles the same messages by hand with nothing that could be left out: "
    "byte gate, parse, signature, schema, pricing of each line, one transaction with "
    "`synchronous=FULL` for each message, a signed answer. As a multiple of one parse "
    "and one canonical form it is told by stage in `floor_…_over_parse_c14n`: verifying "
    "canonicalises body and SignedInfo once more and computes one elliptic curve; the "
    "schema walks every element; `rest` reads and prices the lines, goes to the disk "
    "twice and signs. The shorter the bill, the more of it are disk and signatures, and "
    "the higher the multiple.\n"
    "\n"
    "**热与冷 Warm and cold** 规则记住目录条目的解读，也记住同一依据下一种收费的判定："
    "医院按同一价目表收费，下一张账单的多数行已有答案。`rules_300_…` 为热："
    "账单从未见过，但可用此前账单留下的答案，是日常运行的样子；"
    "`rules_300_cold_…` 为冷：每张账单之前清空全部记忆（不计时），每一行都重新判定，"
    "是启动后、换目录后第一张账单的样子。\n"
    "The rules keep what they read of a catalogue row, and what they decided about a charge on "
    "one ground: a hospital charges from one list, so that most lines of the next bill are "
    "answered already. `rules_300_…` is warm: bills never seen before, with what earlier bills "
    "left, as on an ordinary day. `rules_300_cold_…` is cold: all of it is emptied before each "
    "bill (outside the time), and every line is worked out, as of the first bill after a "
    "start or a new catalogue.\n"
)
_MEANINGS: Final = (
    (r"mutants", "规则中植入的小错 faults planted in the rules, one at a time"),
    (r"killed|survived", "被规则自己的测试发现、未发现的 found by the rules' own tests, or not"),
    (r"score", "发现的比例 the part that was found"),
    (r"bare_loop_300_ms", "300 行在字典和整数上裸算 300 lines in dictionaries and integers"),
    (r"rules_300_ms", "同样的行过规则（热），带理由和依据 the same by the rules, warm"),
    (r"rules_300_over_bare_loop", "热时两者之比，目标 ≤ 5 their ratio when warm, wanted ≤ 5"),
    (r"rules_300_cold_ms", "同上，记忆清空后（冷） the same, cold: all caches emptied"),
    (r"rules_300_cold_over_bare_loop", "冷时与裸算之比 the ratio when cold"),
    (r"replay_lines|replay_cores", "重算的行数、用的核数 lines replayed, and cores"),
    (r"replay_(one_core|all_cores)_s", "一个核、所有核所用的秒 seconds on one core and on all"),
    (r"replay_all_cores_over_one", "所有核快几倍，两核目标 ≥ 1.8 faster by, wanted ≥ 1.8 on two"),
    (
        r"bill_(\d+)_(sqlite|postgresql)_cpu_over_floor",
        "{0} 行账单在 {1} 上的 CPU 与基线之比 CPU of a bill of {0} lines on {1} over the floor",
    ),
    (r"bill_(\d+)_(sqlite|postgresql)_cpu_ms", "其 CPU 毫秒 its milliseconds of CPU"),
    (
        r"bill_(\d+)_(sqlite|postgresql)_p(\d+)_over_floor",
        "{2}% 的账单在此倍数之内得到答复 {2} % of the bills were answered within this multiple of"
        " the floor's wall clock",
    ),
    (r"floor_(\d+)_over_parse_c14n", "基线与解析加规范化之比 over parse and canonical form"),
    (r"floor_(\d+)_(\w+)_over_parse_c14n", "其中 {1} of which {1}"),
    (r"floor_(\d+)_cpu_ms", "基线的 CPU 毫秒 milliseconds of CPU of the floor"),
    (r"two_process_throughput_ratio", "两个进程的吞吐与一个之比，目标 ≥ 1.3 wanted ≥ 1.3"),
    (r"two_process_cpu_ratio", "每张账单的 CPU 之比，目标 ≤ 1.1 CPU of a bill, wanted ≤ 1.1"),
    (r"memory_messages", "测内存时的报文数 messages while memory was watched"),
    (r"memory_drift", "内存增长的比例，目标 ≤ 0.05 growth of memory, wanted ≤ 0.05"),
    (
        r"stored_(\d+[km]?)_over_1k",
        "库中有 {0} 笔时与只有 1,000 笔时的 CPU 之比，目标 ≤ 1.1"
        " CPU beside {0} stored settlements over that beside 1,000, wanted ≤ 1.1",
    ),
    (
        r"overload_goodput",
        "五倍于能力的报文到来时仍答复的比例，目标 ≥ 0.9"
        " what is left of capacity when five times as much arrives, wanted ≥ 0.9",
    ),
    (
        r"overload_goodput_by_cpu",
        "同上，按 CPU 时间折算，目标 ≥ 0.9 the same by CPU time of the gateway, wanted ≥ 0.9",
    ),
    (r"random_kills", "随机时刻 kill -9 的次数 kills at random"),
    (r"syscall_kill_points", "在各写盘系统调用处杀死 kills at a system call that writes"),
    (r"power_loss_images", "断电后重放的磁盘映像 images of the disk after a power loss"),
    (r"simulation_seeds|simulated_messages", "模拟的种子、报文 seeds and messages simulated"),
    (r"race_rounds", "竞争的轮数 rounds of races"),
    (r"acknowledged", "得到确认的报文 messages acknowledged"),
    (r"acknowledged_lost|settled_twice|fen_imbalance", "须为 0 must be 0"),
    (r"controls_(caught|total)", "植入的缺陷：被发现的、全部的 faults built in: seen, and all"),
    (r"restart_\w+", "重启到可用的秒数 seconds from restart to ready"),
    (r"log_entries|log_export_bytes", "日志条数、导出字节 entries and bytes of the exported log"),
    (r"log_verified_(cpu_)?s", "离线核验的秒，目标 ≤ 10 seconds to verify offline, wanted ≤ 10"),
    (r"log_tamperings(_located)?", "改动一个字节的次数、找到位置的次数 bytes changed, and located"),
    (r"log_tampering_seed", "改动的种子 the seed of the changes"),
    (r"people|seed", "虚构的人数、种子 generated people, and the seed"),
    (r"(sqlite|postgresql)_(files|bytes|rows)", "搜过的 {1} {1} searched"),
    (r"(sqlite|postgresql)_hits", "找到的身份号码，须为 0 identity numbers found, must be 0"),
)  # fmt: skip
"""What a figure means, by its name; `{0}` is the first part of the name in brackets."""


def source() -> str:
    """The digest of tracked code and tests: what a figure is a figure of."""
    whole = sha256()
    for name in filter(None, _git("ls-files", "-z", "--", *_CODE).split("\0")):
        path = PROJECT / name
        content = path.read_bytes() if path.exists() else b""
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def write(name: str, figures: Mapping[str, Any], command: str, source: str) -> Path:
    """docs/figures/NAME.json, with what made it, of what, where and when; and the page."""
    about = {
        "command": command,
        "source": source,
        "commit": _git("rev-parse", "HEAD").strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**figures, **about}, indent=2) + "\n", "utf-8")
    (DOCS / "figures.md").write_text(rendered(), "utf-8")
    return path


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout


def path_of(name: str) -> Path:
    """Where the figures of this name are."""
    return DOCS / "figures" / f"{name}.json"


def kept(name: str) -> dict[str, Any]:
    """The figures of the file, without what made them; none where it is not there."""
    return {key: value for key, value in told(name).items() if key not in _ABOUT}


def told(name: str) -> dict[str, Any]:
    """All that the file says; nothing where it is not there."""
    path = path_of(name)
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def rendered() -> str:
    """The page as the files are now."""
    return "\n".join([_HEAD, *_tables()])


def _tables() -> Iterator[str]:
    for path in sorted((DOCS / "figures").rglob("*.json")):
        file = json.loads(path.read_text("utf-8"))
        yield f"## {path.relative_to(DOCS / 'figures')}\n"
        yield f"`{file['command']}`, {file['machine']}, {file['made_at'][:10]}\n"
        yield "| 数字 figure | 值 value | 含义 meaning |\n|---|---:|---|"
        for name, value in file.items():
            if name not in _ABOUT:
                yield f"| `{name}` | {value:,} | {meaning(name)} |"
        yield ""


def meaning(name: str) -> str:
    """In Chinese and English. Raises LookupError for a figure that nobody explains."""
    for pattern, words in _MEANINGS:
        if found := re.fullmatch(pattern, name):
            return words.format(*found.groups())
    raise LookupError(name)


if __name__ == "__main__":
    sys.exit(not (DOCS / "figures.md").write_text(rendered(), "utf-8"))
