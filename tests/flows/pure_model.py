"""Protocol §2 and §3 as a pure model: stays, bills, and what becomes of each message.

It knows nothing of the gateway. `reverse` is the second table, the rest is the first one.
"""

from dataclasses import dataclass, field

APPLIED, REFUSED, TOMBSTONE = "APPLIED", "REFUSED", "TOMBSTONE"
OPEN, SETTLED, HELD = "OPEN", "SETTLED", "HELD"


@dataclass(slots=True)
class Said:
    """A message of the hospital and what became of it; `undone_by` once its effect is gone."""

    message_id: str
    name: str
    stay: int
    state: str
    undone_by: str = ""
    before: tuple[object, ...] = ()


@dataclass(slots=True)
class Stay:
    """One stay: `discharge` names the instant, `discharger` and `committer` the messages whose
    effect is in force."""

    live: bool = False
    decided: bool = True
    lines: set[str] = field(default_factory=set)
    discharge: str = ""
    discharger: str = ""
    bill: str = OPEN
    committer: str = ""

    @property
    def charged(self) -> tuple[object, ...]:
        """What a settlement is computed from."""
        return frozenset(self.lines), self.discharge


class Model:
    """What one hospital may expect."""

    def __init__(self, stays: int) -> None:
        self.stays = [Stay() for _ in range(stays)]
        self.said: dict[str, Said] = {}

    def say(self, message_id: str, name: str, number: int, line: str = "") -> str:
        """A new message of a command that changes something: its outcome."""
        stay = self.stays[number]
        said = Said(message_id, name, number, APPLIED if self._may(name, stay, line) else REFUSED)
        self.said[message_id] = said
        if said.state == APPLIED:
            self._act(said, stay, line)
        return said.state

    def _may(self, name: str, stay: Stay, line: str) -> bool:
        opened = stay.live and stay.bill == OPEN
        return {
            "admission.register": not stay.live,
            "fees.upload": opened,
            "fees.void": opened and line in stay.lines,
            "discharge.register": opened and not stay.discharge,
            "discharge.cancel": opened and bool(stay.discharge),
            "settlement.commit": opened and bool(stay.discharge and stay.lines),
            "settlement.cancel": stay.bill == SETTLED,
        }[name]

    def _act(self, said: Said, stay: Stay, line: str) -> None:
        match said.name:
            case "admission.register":
                self.stays[said.stay] = Stay(live=True, decided=stay.decided)
            case "fees.upload":
                stay.lines.add(line)
            case "fees.void":
                stay.lines.discard(line)
            case "discharge.register":
                stay.discharge = stay.discharger = said.message_id
            case "discharge.cancel":
                said.before = (stay.discharge,)
                self._undone(stay.discharger, said.message_id)
                stay.discharge, stay.discharger = "", said.message_id
            case "settlement.commit":
                stay.bill = SETTLED if stay.decided else HELD
                stay.committer = said.message_id
            case "settlement.cancel":
                said.before = stay.charged
                self._undone(stay.committer, said.message_id)
                stay.bill, stay.committer = OPEN, ""

    def _undone(self, message_id: str, by: str) -> None:
        if message_id:
            self.said[message_id].undone_by = by

    def arrive_again(self, message_id: str) -> str:
        """The code of the same message once more, "" for the bytes stored."""
        said = self.said[message_id]
        if said.state == TOMBSTONE:
            return "REVERSED_BEFORE_ARRIVAL"
        return "SUPERSEDED" if said.undone_by else ""

    def arrive_changed(self, message_id: str) -> str:
        """The code of other content under the same id."""
        fenced = self.said[message_id].state == TOMBSTONE
        return "REVERSED_BEFORE_ARRIVAL" if fenced else "MESSAGE_ID_REUSED"

    def query(self, message_id: str) -> str:
        """The state that a query tells."""
        said = self.said.get(message_id)
        if said is None:
            return "NOT_SEEN"
        if said.state == TOMBSTONE:
            return "TOMBSTONED"
        return "UNDONE" if said.undone_by else said.state

    def reverse(self, message_id: str, target: str) -> str:
        """The code of a reversal, and what it does."""
        said = self.said.get(target)
        number = said.stay if said else 0
        code = self._fence(message_id, target) if said is None else self._undo(message_id, said)
        state = APPLIED if code in ("OK", "TOMBSTONED") else REFUSED
        self.said[message_id] = Said(message_id, "transaction.reverse", number, state)
        return code

    def _fence(self, message_id: str, target: str) -> str:
        self.said[target] = Said(target, "", 0, TOMBSTONE, message_id)
        return "TOMBSTONED"

    def _undo(self, message_id: str, said: Said) -> str:
        if said.state == REFUSED:
            return "NOTHING_TO_REVERSE"
        if said.undone_by:
            return "ALREADY_REVERSED"
        stay = self.stays[said.stay]
        refusal = self._refusal(said, stay)
        if not refusal:
            said.undone_by = message_id
            self._take_back(message_id, said, stay)
        return refusal or "OK"

    def _refusal(self, said: Said, stay: Stay) -> str:
        same = stay.bill == OPEN and said.before == stay.charged
        free = stay.bill == OPEN and stay.discharger == said.message_id
        refusals = {
            "admission.register": (not stay.lines and stay.bill == OPEN) or "HAS_DEPENDENTS",
            "settlement.commit": stay.committer == said.message_id or "REVERSE_TOO_LATE",
            "settlement.cancel": same or "REVERSE_TOO_LATE",
            "discharge.register": free or "HAS_DEPENDENTS",
            "discharge.cancel": free or "HAS_DEPENDENTS",
        }
        refusal = refusals.get(said.name, "NOT_REVERSIBLE")
        return "" if refusal is True else str(refusal)

    def _take_back(self, message_id: str, said: Said, stay: Stay) -> None:
        match said.name:
            case "admission.register":
                stay.live = False
            case "settlement.commit":
                stay.bill, stay.committer = OPEN, ""
            case "settlement.cancel":
                stay.bill, stay.committer = SETTLED, message_id
            case "discharge.register":
                stay.discharge = stay.discharger = ""
            case "discharge.cancel":
                stay.discharge, stay.discharger = str(said.before[0]), ""

    def decide(self, number: int) -> None:
        """The case is recognised: its held bill is settled."""
        stay = self.stays[number]
        stay.decided = True
        stay.bill = SETTLED if stay.bill == HELD else stay.bill
