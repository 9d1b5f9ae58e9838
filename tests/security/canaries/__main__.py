"""`python -m tests.security.canaries [--people N] [--seed S]`: settle the bills of N made-up people
on each store, search everything for their identity numbers, write docs/figures/canaries.json."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.figures import write
from tests.security.canaries.deployed import Searched, searched
from tests.store.conftest import STORES


def main() -> int:
    """0 when nobody was found anywhere."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.canaries")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    figures = {"people": given.people, "seed": given.seed}
    shown: list[str] = []
    for store in STORES:
        with tempfile.TemporaryDirectory() as folder:
            found = searched(store, given.people, given.seed, Path(folder))
        figures |= _figures(store, found)
        shown += [f"{store}: {name}" for name in found.shown]
    write("canaries", figures, "make canaries", "tests/security/canaries")
    sys.stdout.writelines(f"{name:24} {value}\n" for name, value in figures.items())
    sys.stdout.writelines(f"{line}\n" for line in shown)
    return 1 if shown else 0


def _figures(store: str, found: Searched) -> dict[str, int]:
    return {
        f"{store}_files": len(found.files),
        f"{store}_bytes": found.size,
        f"{store}_rows": found.rows,
        f"{store}_hits": len(found.shown),
    }


if __name__ == "__main__":
    sys.exit(main())
