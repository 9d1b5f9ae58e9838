"""`python -m tests.replay.record`: settle generated bills by today's rules and keep them.

Run once for every release: what is kept under `tests/replay/<rules version>/` is never written
again, and `make test` computes all of it anew, bit for bit, for as long as the rules live.
The bills are those of the rules' own case table; persons are generated. Kept are
frozen facts and verdict as the store keeps them, the policy archive and
every catalogue edition under its digest.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from adapters.catalog_file.write import edition_bytes
from gateway.domain.bill import BillVerdict
from gateway.policy.load import archive
from gateway.rules import RULES_VERSION
from gateway.rules.settle import Bill, settle
from gateway.store.frozen import Facts, frozen
from tests.rules.facts import REGION, example_policy
from tests.rules.tables import bill_of, rows
from tests.verbs.ledger import real_editions

FOLDER = Path(__file__).parent
POLICY, SETTLEMENTS, EDITIONS = "policy.archive", "settlements.jsonl", "editions"


def main() -> int:
    """Keep what these rules decide; a version that is kept already stays as it is."""
    folder = FOLDER / RULES_VERSION
    if folder.exists():
        sys.stderr.write(f"{folder.name} is kept already: a release is recorded once\n")
        return 1
    record(folder)
    return 0


def record(folder: Path) -> None:
    """Settle every bill and write what a replay needs."""
    (folder / EDITIONS).mkdir(parents=True)
    (folder / POLICY).write_bytes(archive(REGION))
    details = []
    for bill in _bills():
        verdict = settle(bill, example_policy())
        if isinstance(verdict, BillVerdict):
            known = (bill.stay, bill.case, bill.hospital, bill.lines, bill.others)
            facts = Facts(*known, bill.devices, bill.paid_by)
            details.append(frozen(facts, verdict))
            for one in bill.editions:
                (folder / EDITIONS / one.digest).write_bytes(edition_bytes(one))
    (folder / SETTLEMENTS).write_text("".join(f"{one}\n" for one in details), "utf-8")


def _bills() -> Iterator[Bill]:
    """The bills of the table that need no other policy than the shipped one."""
    editions = real_editions()
    for row in (param.values[0] for param in rows("bill.toml")):
        if "policy" not in row and "silent" not in row:
            yield replace(bill_of(row), editions=editions)


if __name__ == "__main__":
    sys.exit(main())
