"""Every table. A table with personal columns says so in `info["personal"]`: those columns
hold ciphertext only (store/personal.py), under a record key of their own row."""

from functools import cache
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from gateway.store.types import blob, integer, optional_integer, optional_text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(
    name: str,
    *parts: Any,
    key: tuple[str, ...],
    personal: tuple[str, ...] = (),
    by_key: bool = False,
) -> Table:
    """A table; one that is kept `by_key` has no other order, and rows of one key's beginning lie
    side by side."""
    columns: list[Any] = list(parts)
    if personal:
        columns += [text("key_id"), blob("record_key", nullable=True)]
        columns += [_sealed(column) for column in personal]
    info = {"personal": personal, "row_key": key}
    return Table(
        name,
        metadata,
        *columns,
        PrimaryKeyConstraint(*key),
        sqlite_strict=True,
        sqlite_with_rowid=not by_key,
        info=info,
    )


@cache
def hides(table: Table) -> bool:
    """Whether the log tells anything of the table by digest: what is personal, or bytes. A bill's
    lines, many as they are, are told as they stand."""
    stored = any(isinstance(column.type, LargeBinary) for column in table.columns)
    return stored or bool(table.info["personal"])


def _sealed(name: str) -> Column[bytes]:
    return blob(name, nullable=True)


# --- messages and their effects ------------------------------------------------------------

message = _table(
    "message",
    text("sender"),
    text("message_id"),
    text("command"),
    text("digest"),
    text("state"),
    text("code"),
    text("subject"),
    text("effect"),
    text("undone_by"),
    text("tx_id"),
    integer("received_us"),
    key=("sender", "message_id"),
    personal=("request", "reply"),
)

undo = _table(
    "undo",
    text("effect"),
    text("sender"),
    text("message_id"),
    text("by_sender"),
    text("by_message_id"),
    text("command"),
    integer("at_us"),
    UniqueConstraint("sender", "message_id"),
    key=("effect",),
)

leaf = _table(
    "leaf",
    text("tx_id"),
    text("kind"),
    text("sender"),
    text("receiver"),
    text("message_id"),
    integer("received_us"),
    text("assurance"),
    text("signer"),
    blob("request_commitment"),
    blob("reply_commitment"),
    blob("effect_commitment"),
    blob("leaf_hash"),
    optional_integer("leaf_index"),
    UniqueConstraint("leaf_index"),
    key=("tx_id",),
    personal=("salts", "effect"),
)

# The log: its origins, its head, its tree in tiles, what was signed of it (protocol §5).

log_origin = _table(
    "log_origin",
    integer("log"),
    text("origin"),
    blob("public_key"),
    integer("first_index"),
    text("follows"),
    integer("opened_us"),
    text("opened_by"),
    key=("log",),
)

log_head = _table(
    "log_head",
    text("name"),
    integer("log"),
    integer("size"),
    text("stopped"),
    text("evidence"),
    text("proposed_by"),
    key=("name",),
)

tile = _table(
    "tile",
    integer("log"),
    integer("level"),
    integer("place"),
    blob("hashes"),
    key=("log", "level", "place"),
)

checkpoint = _table(
    "checkpoint",
    integer("log"),
    integer("size"),
    text("note"),
    key=("log", "size"),
)

cosignature = _table(
    "cosignature",
    integer("log"),
    integer("size"),
    text("witness"),
    text("line"),
    integer("at_us"),
    key=("log", "size", "witness"),
)

audit = _table(
    "audit",
    text("tx_id"),
    integer("seq"),
    integer("at_us"),
    text("actor"),
    text("action"),
    text("subject"),
    text("from_state"),
    text("to_state"),
    text("code"),
    optional_text("decided_on"),
    key=("tx_id", "seq"),
    personal=("reason",),
)

transfer = _table(
    "transfer",
    text("tx_id"),
    integer("seq"),
    text("subject"),
    text("debit"),
    text("credit"),
    integer("amount_fen"),
    text("business_day"),
    CheckConstraint("amount_fen > 0", name="positive"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    Index("ix_transfer_subject", "subject"),
    key=("tx_id", "seq"),
)

outbox = _table(
    "outbox",
    text("message_id"),
    text("receiver"),
    text("subject"),
    text("command"),
    text("digest"),
    text("channel"),
    text("state"),
    optional_integer("lane_seq"),
    integer("created_us"),
    integer("position"),
    integer("attempts"),
    integer("next_us"),
    optional_integer("done_us"),
    text("last_error"),
    text("tx_id"),
    text("in_reply_to"),
    UniqueConstraint("receiver", "lane_seq"),
    Index("ix_outbox_state_receiver_lane_seq", "state", "receiver", "lane_seq"),
    Index("ix_outbox_receiver_subject_lane_seq", "receiver", "subject", "lane_seq"),
    Index("ix_outbox_receiver_in_reply_to", "receiver", "in_reply_to"),
    key=("message_id",),
    personal=("sealed", "receipt"),
)

lane = _table("lane", text("receiver"), integer("last_seq"), key=("receiver",))

# Whoever delivers to the receiver holds its row; apart from the lane, so that numbers are given
# meanwhile.
lane_lock = _table("lane_lock", text("receiver"), key=("receiver",))

# --- parties ---------------------------------------------------------------------------------

party = _table(
    "party",
    text("party_id"),
    integer("version"),
    text("kind"),
    text("name"),
    text("region"),
    text("county"),
    text("level"),
    optional_text("agreement_from"),
    optional_text("agreement_to"),
    optional_text("suspended_from"),
    text("capabilities"),
    text("callback_url"),
    key=("party_id",),
)

party_key = _table(
    "party_key",
    text("fingerprint"),
    text("party_id"),
    integer("version"),
    text("purpose"),
    text("state"),
    text("certificate_pem"),
    integer("valid_from_us"),
    integer("valid_to_us"),
    integer("changed_us"),
    Index("ix_party_key_party_id", "party_id"),
    key=("fingerprint",),
)

mandate = _table(
    "mandate",
    text("mandate_id"),
    integer("version"),
    text("carrier"),
    text("hospital"),
    text("commands"),
    text("valid_from"),
    text("valid_to"),
    optional_text("revoked_from"),
    Index("ix_mandate_carrier_hospital", "carrier", "hospital"),
    key=("mandate_id",),
)

# --- persons and cases -------------------------------------------------------------------------

person = _table(
    "person",
    text("person_id"),
    integer("version"),
    integer("card_lost"),
    key=("person_id",),
    personal=("id_no", "name", "card_no", "phone"),
)

person_index = _table(
    "person_index",
    text("key_id"),
    text("tag"),
    text("person_id"),
    Index("ix_person_index_person_id", "person_id"),
    key=("key_id", "tag"),
)

purge = _table(
    "purge",
    text("purge_id"),
    text("person_id"),
    text("state"),
    text("asked_by"),
    integer("asked_us"),
    text("confirmed_by"),
    optional_integer("confirmed_us"),
    key=("purge_id",),
    personal=("reason",),
)

work_case = _table(
    "work_case",
    text("case_no"),
    integer("version"),
    text("person_id"),
    text("employer_no"),
    text("state"),
    text("injured_on"),
    integer("reported_us"),
    text("channel"),
    optional_integer("insured_at_injury"),
    text("third_party"),
    integer("traffic_accident"),
    integer("litigation"),
    integer("disputed"),
    optional_text("relation_ended_on"),
    optional_text("applied_on"),
    optional_text("applied_by"),
    optional_text("accepted_on"),
    optional_text("decided_on"),
    text("decision_no"),
    text("authority"),
    optional_text("diagnosed_on"),
    optional_text("application_extended_to"),
    optional_text("supplement_by"),
    Index("ix_work_case_person_id", "person_id"),
    Index("ix_work_case_employer_no", "employer_no"),
    key=("case_no",),
    personal=("detail",),
)

case_fact = _table(
    "case_fact",
    text("subject"),
    text("kind"),
    text("fact_no"),
    text("content"),
    integer("at_us"),
    Index("ix_case_fact_kind_fact_no", "kind", "fact_no"),
    key=("subject", "kind", "fact_no"),
)

# --- stays, lines, settlements -------------------------------------------------------------------

admission = _table(
    "admission",
    text("admission_id"),
    integer("version"),
    text("hospital"),
    text("visit_no"),
    optional_integer("live"),
    text("person_id"),
    text("case_no"),
    text("state"),
    text("refusal"),
    text("treatment"),
    integer("emergency"),
    text("approval_no"),
    integer("admitted_us"),
    optional_integer("discharged_us"),
    integer("registered_us"),
    integer("late"),
    integer("confirmed_by_agency"),
    text("message_id"),
    text("discharge_message_id"),
    text("bill_state"),
    integer("line_count"),
    integer("amount_fen"),
    text("bill_no"),
    text("hold_reason"),
    text("hold_key"),
    optional_text("hold_day"),
    integer("ever_held"),
    text("commit_message_id"),
    text("paid_by"),
    text("code"),
    text("unseen"),
    UniqueConstraint("hospital", "visit_no", "live"),
    Index("ix_admission_case_no", "case_no"),
    Index("ix_admission_person_id", "person_id"),
    Index("ix_admission_bill_state", "bill_state"),
    Index("ix_admission_state", "state"),
    Index("ix_admission_unseen", "unseen"),
    key=("admission_id",),
    personal=("detail",),
)

bill_line = _table(
    "bill_line",
    text("admission_id"),
    text("line_id"),
    integer("occurred_us"),
    text("service_day"),
    text("code"),
    text("name"),
    integer("quantity"),
    integer("price"),
    integer("amount_fen"),
    text("refund_of"),
    text("relation"),
    text("consent"),
    optional_text("consent_on"),
    text("violation"),
    integer("reviewed"),
    text("detail"),
    key=("admission_id", "line_id"),
    by_key=True,
)
Index(
    "ix_bill_line_refund_of",
    bill_line.c.admission_id,
    bill_line.c.refund_of,
    sqlite_where=bill_line.c.refund_of > "",
    postgresql_where=bill_line.c.refund_of > "",
)

settlement = _table(
    "settlement",
    text("settlement_id"),
    text("admission_id"),
    text("hospital"),
    text("kind"),
    text("state"),
    optional_integer("live"),
    optional_text("reverses"),
    optional_text("reinstates"),
    optional_text("adjusts"),
    optional_text("follows"),
    text("bill_no"),
    text("case_no"),
    text("person_id"),
    integer("settled_us"),
    text("business_day"),
    integer("line_count"),
    integer("total_fen"),
    integer("fund_fen"),
    integer("employer_fen"),
    integer("individual_fen"),
    integer("hospital_fen"),
    integer("other_fen"),
    integer("meal_fen"),
    text("rules_version"),
    text("policy_digest"),
    text("edition_digests"),
    text("message_id"),
    text("meal_days"),
    CheckConstraint(
        "total_fen = fund_fen + employer_fen + individual_fen + hospital_fen + other_fen",
        name="payers_sum",
    ),
    UniqueConstraint("admission_id", "live"),
    UniqueConstraint("reverses"),
    UniqueConstraint("follows"),
    Index("ix_settlement_adjusts", "adjusts"),
    Index("ix_settlement_hospital_business_day", "hospital", "business_day"),
    key=("settlement_id",),
    personal=("detail",),
)

cut = _table(
    "cut",
    text("cut_no"),
    integer("version"),
    text("admission_id"),
    text("hospital"),
    text("settlement_id"),
    text("state"),
    text("violation"),
    text("rule"),
    integer("amount_fen"),
    integer("upheld_fen"),
    integer("posted_fen"),
    integer("raised_us"),
    optional_text("noticed_on"),
    optional_text("answer_by"),
    optional_text("heard_on"),
    optional_integer("decided_us"),
    CheckConstraint("upheld_fen <= amount_fen", name="upheld_of_amount"),
    Index("ix_cut_admission_id", "admission_id"),
    Index("ix_cut_hospital_raised_us", "hospital", "raised_us"),
    Index("ix_cut_state", "state"),
    key=("cut_no",),
    personal=("detail",),
)

readjudication = _table(
    "readjudication",
    text("proposal_id"),
    integer("version"),
    text("state"),
    optional_integer("open"),
    optional_integer("kept"),
    text("settlement_id"),
    text("follows"),
    text("admission_id"),
    text("hospital"),
    text("case_no"),
    text("cause"),
    text("correction"),
    text("outcome"),
    text("untold"),
    text("acts"),
    integer("cuts_hospital"),
    integer("needs_ground"),
    integer("line_count"),
    integer("fund_fen"),
    integer("employer_fen"),
    integer("individual_fen"),
    integer("hospital_fen"),
    integer("other_fen"),
    integer("meal_fen"),
    text("proposed_by"),
    integer("proposed_us"),
    text("decided_by"),
    optional_integer("decided_us"),
    text("delta_id"),
    text("basis"),
    UniqueConstraint("settlement_id", "cause", "open"),
    UniqueConstraint("follows", "cause", "outcome", "kept"),
    Index("ix_readjudication_admission_id", "admission_id"),
    Index("ix_readjudication_state", "state"),
    key=("proposal_id",),
    personal=("detail", "reason"),
)

release_job = _table(
    "release_job",
    text("job_id"),
    text("admission_id"),
    text("cause"),
    text("state"),
    integer("created_us"),
    optional_integer("done_us"),
    Index("ix_release_job_state", "state"),
    key=("job_id",),
)

# --- applications and mappings ---------------------------------------------------------------

application = _table(
    "application",
    text("application_id"),
    text("hospital"),
    text("case_no"),
    text("admission_id"),
    text("kind"),
    text("applied_on"),
    text("wanted_from"),
    text("wanted_to"),
    optional_text("transferred_on"),
    text("message_id"),
    Index("ix_application_hospital_case_no", "hospital", "case_no"),
    key=("application_id",),
    personal=("detail",),
)

application_answer = _table(
    "application_answer",
    text("application_id"),
    text("state"),
    optional_integer("granted"),
    text("approval_no"),
    text("answered_on"),
    key=("application_id",),
    personal=("reason",),
)

mapping_book = _table("mapping_book", text("hospital"), integer("version"), key=("hospital",))

mapping = _table(
    "mapping",
    text("hospital"),
    text("hospital_code"),
    text("valid_from"),
    optional_text("valid_to"),
    integer("version"),
    text("state"),
    text("code"),
    text("kind"),
    text("hospital_name"),
    text("spec"),
    text("unit"),
    optional_integer("price"),
    text("reason"),
    Index("ix_mapping_state", "state"),
    key=("hospital", "hospital_code", "valid_from"),
)

mapping_history = _table(
    "mapping_history",
    text("hospital"),
    text("hospital_code"),
    text("valid_from"),
    integer("version"),
    text("content"),
    text("cause"),
    integer("at_us"),
    key=("hospital", "hospital_code", "valid_from", "version"),
)

# --- editions, reconciliation, health --------------------------------------------------------

catalogue_edition = _table(
    "catalogue_edition",
    text("digest"),
    text("region"),
    text("kind"),
    text("valid_from"),
    optional_text("valid_to"),
    integer("imported_us"),
    blob("content"),
    optional_integer("live"),
    UniqueConstraint("region", "kind", "valid_from", "live"),
    key=("digest",),
)

policy_edition = _table(
    "policy_edition",
    text("digest"),
    text("region"),
    integer("stored_us"),
    blob("content"),
    key=("digest",),
)

reconcile_run = _table(
    "reconcile_run",
    text("run_id"),
    text("hospital"),
    text("day"),
    text("kind"),
    integer("at_us"),
    integer("matched"),
    integer("differences"),
    Index("ix_reconcile_run_hospital_day", "hospital", "day"),
    key=("run_id",),
    personal=("detail",),
)

commit_probe = _table("commit_probe", integer("probe"), integer("at_us"), key=("probe",))

APPEND_ONLY = (
    *("leaf", "audit", "transfer", "undo"),
    *("mapping_history", "application", "application_answer"),
    *("log_origin", "checkpoint", "cosignature"),
)
"""Tables whose rows are never changed (but a leaf's number) nor deleted; triggers see to it."""
