"""Measure the verifier: how long a million entries take, and how many changed bytes are located.

    python -m tests.evidence.measure [ENTRIES [TAMPERINGS]]

Writes docs/figures/parts/evidence.json. The script runs as an auditor runs it, a process of its
own with the standard library alone; the tamperings are of a smaller export, one byte anywhere,
and count as located when the line that is named is the line of the byte.
"""

import random
import resource
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.evidence import verify_log
from tests.evidence import exports
from tests.figures import write

ENTRIES, TAMPERINGS = 1_000_000, 1_000
SEED = 20260302
_APART = 10_000  # leaves between checkpoints
_SMALL, _SMALL_APART = 2_000, 400
ROOT = Path(__file__).parents[2]


def seconds(path: Path) -> tuple[float, float]:
    """How long the script takes for an export that is good, by the clock and of all processors."""
    command = [sys.executable, "-I", "-S", verify_log.__file__, str(path)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, spent


def located(folder: Path, count: int, seed: int) -> int:
    """How many of so many changed bytes the script finds in their line."""
    chance, path, found = random.Random(seed), folder / "tampered", 0  # noqa: S311
    exports.write(folder / "small", _SMALL, _SMALL_APART)
    original = (folder / "small").read_bytes()
    for _ in range(count):
        content = bytearray(original)
        done = exports.tampered(content, chance)
        path.write_bytes(content)
        try:
            verify_log.verify(str(path), processes=1)
        except verify_log.Bad as bad:
            found += bad.line == done.line
    return found


def source() -> str:
    """The digest of what was measured and of what measures it."""
    files = sorted(
        [*(ROOT / "gateway" / "evidence").glob("*.py"), *Path(__file__).parent.glob("*")]
    )
    whole = sha256()
    for file in files:
        if file.suffix == ".py":
            whole.update(file.name.encode() + b"\x00" + file.read_bytes())
    return whole.hexdigest()


def figures(entries: int, tamperings: int) -> dict[str, object]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        exports.write(folder / "large", entries, _APART)
        bytes_ = (folder / "large").stat().st_size
        took, spent = seconds(folder / "large")
        caught = located(folder, tamperings, SEED)
    return {
        "log_entries": entries,
        "log_export_bytes": bytes_,
        "log_verified_s": round(took, 2),
        "log_verified_cpu_s": round(spent, 2),
        "log_tamperings": tamperings,
        "log_tamperings_located": caught,
        "log_tampering_seed": SEED,
    }


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    entries, tamperings = [*given, *(ENTRIES, TAMPERINGS)[len(given) :]]
    command = f"python -m tests.evidence.measure {entries} {tamperings}"
    path = write("parts/evidence", figures(entries, tamperings), command, source())
    sys.stdout.write(path.read_text("utf-8"))


if __name__ == "__main__":
    main()
