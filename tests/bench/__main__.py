"""`python -m tests.bench [--lines N]`: measure, print one table, write docs/figures/bench.json."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.replays import all_cores_over_one
from tests.bench.rules import rules_over_bare_loop
from tests.tidy.source import PROJECT

FIGURES = PROJECT / "docs" / "figures" / "bench.json"
_PLACES = 3


def main() -> int:
    """Measure everything in one run; what other figures the file has stays."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines to replay")
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        measured = {**rules_over_bare_loop(), **all_cores_over_one(Path(folder), lines)}
    kept = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    figures = {name: round(value, _PLACES) for name, value in measured.items()}
    FIGURES.write_text(
        json.dumps({**kept, **figures, **beside("make bench", "tests/bench")}, indent=2) + "\n",
        "utf-8",
    )
    sys.stdout.writelines(f"{name:32} {value}\n" for name, value in figures.items())
    return 0


def beside(command: str, source: str) -> dict[str, str]:
    """What the figures were made by, of what, where and when."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    python = f"Python {platform.python_version()}"
    return {
        "command": command,
        "source": source,
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {python}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    sys.exit(main())
