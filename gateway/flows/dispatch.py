"""Which flow answers which command, and which commands change anything."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from gateway.flows.apply_approval import apply_approval, cancel_approval, query_approvals
from gateway.flows.cancel_admission import cancel_admission, modify_admission
from gateway.flows.cancel_settlement import cancel_settlement
from gateway.flows.case_facts import (
    decide_paid_leave,
    name_employer,
    report_card,
    stop_benefit,
    update_employer,
)
from gateway.flows.check_admission import check_admission
from gateway.flows.commit_settlement import commit_settlement
from gateway.flows.decide_approval import decide_approval
from gateway.flows.decide_case import decide_case
from gateway.flows.decide_cut import decide_cut
from gateway.flows.decide_lines import decide_lines
from gateway.flows.desk import Caller, Desk
from gateway.flows.discharge import cancel_discharge, register_discharge
from gateway.flows.download_catalogue import download_catalogue
from gateway.flows.hear_cuts import answer_cut, query_cuts
from gateway.flows.inbox import ack_inbox, pull_inbox
from gateway.flows.map_catalogue import decide_mappings, map_catalogue, query_mappings
from gateway.flows.plan import Plan
from gateway.flows.preview_settlement import preview_settlement
from gateway.flows.query_transaction import query_transaction
from gateway.flows.read_person import query_case, read_person
from gateway.flows.reconcile import reconcile_details, reconcile_totals
from gateway.flows.register_admission import register_admission
from gateway.flows.report_case import report_case
from gateway.flows.report_payment import report_payment
from gateway.flows.reverse_transaction import reverse_transaction
from gateway.flows.upload_fees import upload_fees
from gateway.flows.void_fees import query_fees, void_fees

Flow = Callable[[Desk, Caller, Any], Awaitable[Plan]]

COMMANDS: Final[dict[str, Flow]] = {
    "person.read": read_person,
    "case.query": query_case,
    "admission.register": register_admission,
    "admission.modify": modify_admission,
    "admission.cancel": cancel_admission,
    "fees.upload": upload_fees,
    "fees.void": void_fees,
    "fees.query": query_fees,
    "settlement.preview": preview_settlement,
    "settlement.commit": commit_settlement,
    "settlement.cancel": cancel_settlement,
    "discharge.register": register_discharge,
    "discharge.cancel": cancel_discharge,
    "transaction.query": query_transaction,
    "transaction.reverse": reverse_transaction,
    "reconcile.totals": reconcile_totals,
    "reconcile.details": reconcile_details,
    "inbox.pull": pull_inbox,
    "inbox.ack": ack_inbox,
    "catalog.download": download_catalogue,
    "catalog.map": map_catalogue,
    "mapping.query": query_mappings,
    "approval.apply": apply_approval,
    "approval.query": query_approvals,
    "approval.cancel": cancel_approval,
    "case.report": report_case,
    "case.decide": decide_case,
    "case.employer": name_employer,
    "case.leave": decide_paid_leave,
    "admission.check": check_admission,
    "lines.decide": decide_lines,
    "payment.report": report_payment,
    "cut.answer": answer_cut,
    "cut.query": query_cuts,
    "cut.decide": decide_cut,
    "approval.decide": decide_approval,
    "mapping.decide": decide_mappings,
    "employer.update": update_employer,
    "person.card": report_card,
    "benefit.stop": stop_benefit,
}
"""Every command of both listeners with its flow."""

READS: Final = frozenset(
    {
        "person.read",
        "case.query",
        "fees.query",
        "settlement.preview",
        "cut.query",
        "transaction.query",
        "reconcile.totals",
        "reconcile.details",
        "inbox.pull",
        "catalog.download",
        "mapping.query",
        "approval.query",
    }
)
"""Commands answered afresh each time; only who read what is kept."""

_WAITS: Final = frozenset({"transaction.query", "transaction.reverse"})


def changes(command: str) -> bool:
    """Whether the command's outcome is stored for ever under its message id."""
    return command not in READS


def waits(command: str) -> bool:
    """Whether its flow may wait for another message, beside asking the store."""
    return command in _WAITS
