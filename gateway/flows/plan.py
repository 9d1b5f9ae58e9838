"""What a flow decides, as data: the answer, the rows to write and what others must learn."""

from dataclasses import dataclass, field
from datetime import date

from gateway.domain.codes import Outcome
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged, Refused, Result
from gateway.store.unit import Guard, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One audit row: what was done to which subject, from which state to which, and why; of a
    step of the department the day on which it was decided."""

    action: str
    subject: str
    from_state: str = ""
    to_state: str = ""
    code: str = ""
    reason: str = ""
    decided_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message another party must get, in order within its subject."""

    receiver: str
    subject: str
    command: str
    result: Result
    in_reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A ledger row: an amount above zero from one account to another."""

    subject: str
    debit: str
    credit: str
    amount_fen: int
    business_day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The outcome of one message before it is signed and committed.

    `effect` names what a reversal of this message would undo. A tombstone is kept
    under another message id than the reply's own. `receipt_of` is an earlier message of the
    sender that the reply tells of, when a receipt of that may be ready.
    """

    outcome: Outcome
    code: str
    result: Result
    subject: str = ""
    effect: str = ""
    guards: tuple[Guard, ...] = ()
    writes: tuple[Write, ...] = ()
    acts: tuple[Act, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    notices: tuple[Notice, ...] = field(default=())
    receipt_of: str = ""


def refused(
    *findings: Finding, code: str = "", subject: str = "", guards: tuple[Guard, ...] = ()
) -> Plan:
    """A stored refusal with every finding; its code is the only finding's, else FINDINGS."""
    own = code or (findings[0].code if len({one.code for one in findings}) == 1 else "FINDINGS")
    return Plan(
        outcome=Outcome.REFUSED,
        code=own,
        result=Refused(findings=findings),
        subject=subject,
        guards=guards,
        acts=(Act(action="refused", subject=subject, code=own),),
    )


def answered(
    result: Result,
    *,
    subject: str = "",
    code: str = "OK",
    action: str = "read",
    reason: str = "",
) -> Plan:
    """The answer of a read; nothing is stored but who read what, and why."""
    act = Act(action=action, subject=subject, code=code, reason=reason)
    return Plan(outcome=Outcome.ANSWERED, code=code, result=result, subject=subject, acts=(act,))


def applied(
    result: Result | None = None,
    *,
    subject: str,
    effect: str = "",
    code: str = "OK",
    guards: tuple[Guard, ...] = (),
    writes: tuple[Write, ...] = (),
    acts: tuple[Act, ...] = (),
    transfers: tuple[Transfer, ...] = (),
    notices: tuple[Notice, ...] = (),
) -> Plan:
    """An effect to commit together with its reply."""
    return Plan(
        outcome=Outcome.APPLIED,
        code=code,
        result=result or Acknowledged(subject=subject),
        subject=subject,
        effect=effect,
        guards=guards,
        writes=writes,
        acts=acts,
        transfers=transfers,
        notices=notices,
    )
