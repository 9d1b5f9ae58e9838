"""The first schema: messages, parties, cases, stays, settlements, evidence and editions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BLOB = sa.LargeBinary()

# Frozen copies: this file never changes once released.
TRIGGERS = (
    "CREATE TRIGGER leaf_no_update BEFORE UPDATE OF "
    "tx_id, kind, sender, receiver, message_id, received_us, assurance, signer, "
    "request_commitment, reply_commitment, effect_commitment, leaf_hash, salts, "
    "effect "
    "ON leaf "
    "BEGIN SELECT RAISE(ABORT, 'leaf is append-only'); END",
    "CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf "
    "BEGIN SELECT RAISE(ABORT, 'leaf is append-only'); END",
    "CREATE TRIGGER audit_no_update BEFORE UPDATE OF "
    "tx_id, seq, at_us, actor, action, subject, from_state, to_state, code, decided_on, reason "
    "ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER transfer_no_update BEFORE UPDATE OF "
    "tx_id, seq, subject, debit, credit, amount_fen, business_day "
    "ON transfer "
    "BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END",
    "CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer "
    "BEGIN SELECT RAISE(ABORT, 'transfer is append-only'); END",
    "CREATE TRIGGER undo_no_update BEFORE UPDATE OF "
    "effect, sender, message_id, by_sender, by_message_id, command, at_us "
    "ON undo "
    "BEGIN SELECT RAISE(ABORT, 'undo is append-only'); END",
    "CREATE TRIGGER undo_no_delete BEFORE DELETE ON undo "
    "BEGIN SELECT RAISE(ABORT, 'undo is append-only'); END",
    "CREATE TRIGGER mapping_history_no_update BEFORE UPDATE OF "
    "hospital, hospital_code, valid_from, version, content, cause, at_us "
    "ON mapping_history "
    "BEGIN SELECT RAISE(ABORT, 'mapping_history is append-only'); END",
    "CREATE TRIGGER mapping_history_no_delete BEFORE DELETE ON mapping_history "
    "BEGIN SELECT RAISE(ABORT, 'mapping_history is append-only'); END",
    "CREATE TRIGGER application_no_update BEFORE UPDATE OF "
    "application_id, hospital, case_no, admission_id, kind, applied_on, wanted_from, wanted_to, "
    "transferred_on, message_id, detail "
    "ON application "
    "BEGIN SELECT RAISE(ABORT, 'application is append-only'); END",
    "CREATE TRIGGER application_no_delete BEFORE DELETE ON application "
    "BEGIN SELECT RAISE(ABORT, 'application is append-only'); END",
    "CREATE TRIGGER application_answer_no_update BEFORE UPDATE OF "
    "application_id, state, granted, approval_no, answered_on, reason "
    "ON application_answer "
    "BEGIN SELECT RAISE(ABORT, 'application_answer is append-only'); END",
    "CREATE TRIGGER application_answer_no_delete BEFORE DELETE ON application_answer "
    "BEGIN SELECT RAISE(ABORT, 'application_answer is append-only'); END",
    "CREATE TRIGGER log_origin_no_update BEFORE UPDATE OF "
    "log, origin, public_key, first_index, follows, opened_us, opened_by "
    "ON log_origin "
    "BEGIN SELECT RAISE(ABORT, 'log_origin is append-only'); END",
    "CREATE TRIGGER log_origin_no_delete BEFORE DELETE ON log_origin "
    "BEGIN SELECT RAISE(ABORT, 'log_origin is append-only'); END",
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE OF "
    "log, size, note "
    "ON checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END",
    "CREATE TRIGGER cosignature_no_update BEFORE UPDATE OF "
    "log, size, witness, line, at_us "
    "ON cosignature "
    "BEGIN SELECT RAISE(ABORT, 'cosignature is append-only'); END",
    "CREATE TRIGGER cosignature_no_delete BEFORE DELETE ON cosignature "
    "BEGIN SELECT RAISE(ABORT, 'cosignature is append-only'); END",
)

POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
    "ALTER TABLE outbox ADD COLUMN entry bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE leaf ADD COLUMN entry bigint GENERATED ALWAYS AS IDENTITY",
    "CREATE TRIGGER leaf_no_update BEFORE UPDATE OF "
    "tx_id, kind, sender, receiver, message_id, received_us, assurance, signer, "
    "request_commitment, reply_commitment, effect_commitment, leaf_hash, salts, "
    "effect "
    "OR DELETE ON leaf FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER leaf_no_truncate BEFORE TRUNCATE "
    "ON leaf FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER audit_no_update BEFORE UPDATE OF "
    "tx_id, seq, at_us, actor, action, subject, from_state, to_state, code, decided_on, reason "
    "OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE "
    "ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER transfer_no_update BEFORE UPDATE OF "
    "tx_id, seq, subject, debit, credit, amount_fen, business_day "
    "OR DELETE ON transfer FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER transfer_no_truncate BEFORE TRUNCATE "
    "ON transfer FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER undo_no_update BEFORE UPDATE OF "
    "effect, sender, message_id, by_sender, by_message_id, command, at_us "
    "OR DELETE ON undo FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER undo_no_truncate BEFORE TRUNCATE "
    "ON undo FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER mapping_history_no_update BEFORE UPDATE OF "
    "hospital, hospital_code, valid_from, version, content, cause, at_us "
    "OR DELETE ON mapping_history FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER mapping_history_no_truncate BEFORE TRUNCATE "
    "ON mapping_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER application_no_update BEFORE UPDATE OF "
    "application_id, hospital, case_no, admission_id, kind, applied_on, wanted_from, wanted_to, "
    "transferred_on, message_id, detail "
    "OR DELETE ON application FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER application_no_truncate BEFORE TRUNCATE "
    "ON application FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER application_answer_no_update BEFORE UPDATE OF "
    "application_id, state, granted, approval_no, answered_on, reason "
    "OR DELETE ON application_answer FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER application_answer_no_truncate BEFORE TRUNCATE "
    "ON application_answer FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER log_origin_no_update BEFORE UPDATE OF "
    "log, origin, public_key, first_index, follows, opened_us, opened_by "
    "OR DELETE ON log_origin FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER log_origin_no_truncate BEFORE TRUNCATE "
    "ON log_origin FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE OF "
    "log, size, note "
    "OR DELETE ON checkpoint FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE "
    "ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER cosignature_no_update BEFORE UPDATE OF "
    "log, size, witness, line, at_us "
    "OR DELETE ON cosignature FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
    "CREATE TRIGGER cosignature_no_truncate BEFORE TRUNCATE "
    "ON cosignature FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
)


def upgrade() -> None:
    _admission()
    _application()
    _application_answer()
    _audit()
    _bill_line()
    _case_fact()
    _catalogue_edition()
    _commit_probe()
    _cut()
    _lane()
    _lane_lock()
    _leaf()
    _log()
    _mandate()
    _mapping()
    _mapping_book()
    _mapping_history()
    _message()
    _outbox()
    _party()
    _party_key()
    _person()
    _person_index()
    _purge()
    _policy_edition()
    _readjudication()
    _reconcile_run()
    _release_job()
    _settlement()
    _transfer()
    _undo()
    _work_case()
    embedded = op.get_bind().dialect.name == "sqlite"
    for statement in TRIGGERS if embedded else POSTGRESQL:
        op.execute(statement)


def _admission() -> None:
    op.create_table(
        "admission",
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("visit_no", TEXT, nullable=False),
        sa.Column("live", INTEGER, nullable=True),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("case_no", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("refusal", TEXT, nullable=False),
        sa.Column("treatment", TEXT, nullable=False),
        sa.Column("emergency", INTEGER, nullable=False),
        sa.Column("approval_no", TEXT, nullable=False),
        sa.Column("admitted_us", INTEGER, nullable=False),
        sa.Column("discharged_us", INTEGER, nullable=True),
        sa.Column("registered_us", INTEGER, nullable=False),
        sa.Column("late", INTEGER, nullable=False),
        sa.Column("confirmed_by_agency", INTEGER, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("discharge_message_id", TEXT, nullable=False),
        sa.Column("bill_state", TEXT, nullable=False),
        sa.Column("line_count", INTEGER, nullable=False),
        sa.Column("amount_fen", INTEGER, nullable=False),
        sa.Column("bill_no", TEXT, nullable=False),
        sa.Column("hold_reason", TEXT, nullable=False),
        sa.Column("hold_key", TEXT, nullable=False),
        sa.Column("hold_day", TEXT, nullable=True),
        sa.Column("ever_held", INTEGER, nullable=False),
        sa.Column("commit_message_id", TEXT, nullable=False),
        sa.Column("paid_by", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("unseen", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("admission_id", name=op.f("pk_admission")),
        sa.UniqueConstraint(
            "hospital", "visit_no", "live", name=op.f("uq_admission_hospital_visit_no_live")
        ),
        info={"personal": ("detail",), "row_key": ("admission_id",)},
        sqlite_strict=True,
    )
    op.create_index("ix_admission_bill_state", "admission", ["bill_state"], unique=False)
    op.create_index("ix_admission_case_no", "admission", ["case_no"], unique=False)
    op.create_index("ix_admission_person_id", "admission", ["person_id"], unique=False)
    op.create_index("ix_admission_state", "admission", ["state"], unique=False)
    op.create_index("ix_admission_unseen", "admission", ["unseen"], unique=False)


def _application() -> None:
    op.create_table(
        "application",
        sa.Column("application_id", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("case_no", TEXT, nullable=False),
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("applied_on", TEXT, nullable=False),
        sa.Column("wanted_from", TEXT, nullable=False),
        sa.Column("wanted_to", TEXT, nullable=False),
        sa.Column("transferred_on", TEXT, nullable=True),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_application")),
        info={"personal": ("detail",), "row_key": ("application_id",)},
        sqlite_strict=True,
    )
    op.create_index(
        "ix_application_hospital_case_no", "application", ["hospital", "case_no"], unique=False
    )


def _application_answer() -> None:
    op.create_table(
        "application_answer",
        sa.Column("application_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("granted", INTEGER, nullable=True),
        sa.Column("approval_no", TEXT, nullable=False),
        sa.Column("answered_on", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("reason", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_application_answer")),
        info={"personal": ("reason",), "row_key": ("application_id",)},
        sqlite_strict=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("tx_id", TEXT, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("from_state", TEXT, nullable=False),
        sa.Column("to_state", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("decided_on", TEXT, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("reason", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("tx_id", "seq", name=op.f("pk_audit")),
        info={"personal": ("reason",), "row_key": ("tx_id", "seq")},
        sqlite_strict=True,
    )


def _bill_line() -> None:
    op.create_table(
        "bill_line",
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("line_id", TEXT, nullable=False),
        sa.Column("occurred_us", INTEGER, nullable=False),
        sa.Column("service_day", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("quantity", INTEGER, nullable=False),
        sa.Column("price", INTEGER, nullable=False),
        sa.Column("amount_fen", INTEGER, nullable=False),
        sa.Column("refund_of", TEXT, nullable=False),
        sa.Column("relation", TEXT, nullable=False),
        sa.Column("consent", TEXT, nullable=False),
        sa.Column("consent_on", TEXT, nullable=True),
        sa.Column("violation", TEXT, nullable=False),
        sa.Column("reviewed", INTEGER, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("admission_id", "line_id", name=op.f("pk_bill_line")),
        info={"personal": (), "row_key": ("admission_id", "line_id")},
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_bill_line_refund_of",
        "bill_line",
        ["admission_id", "refund_of"],
        unique=False,
        sqlite_where=sa.text("refund_of > ''"),
        postgresql_where=sa.text("refund_of > ''"),
    )


def _case_fact() -> None:
    op.create_table(
        "case_fact",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fact_no", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("subject", "kind", "fact_no", name=op.f("pk_case_fact")),
        info={"personal": (), "row_key": ("subject", "kind", "fact_no")},
        sqlite_strict=True,
    )
    op.create_index("ix_case_fact_kind_fact_no", "case_fact", ["kind", "fact_no"])


def _catalogue_edition() -> None:
    op.create_table(
        "catalogue_edition",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("region", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("valid_from", TEXT, nullable=False),
        sa.Column("valid_to", TEXT, nullable=True),
        sa.Column("imported_us", INTEGER, nullable=False),
        sa.Column("content", BLOB, nullable=False),
        sa.Column("live", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_catalogue_edition")),
        sa.UniqueConstraint(
            "region",
            "kind",
            "valid_from",
            "live",
            name=op.f("uq_catalogue_edition_region_kind_valid_from_live"),
        ),
        info={"personal": (), "row_key": ("digest",)},
        sqlite_strict=True,
    )


def _commit_probe() -> None:
    op.create_table(
        "commit_probe",
        sa.Column("probe", INTEGER, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("probe", name=op.f("pk_commit_probe")),
        info={"personal": (), "row_key": ("probe",)},
        sqlite_strict=True,
    )


def _cut() -> None:
    op.create_table(
        "cut",
        sa.Column("cut_no", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("settlement_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("violation", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("amount_fen", INTEGER, nullable=False),
        sa.Column("upheld_fen", INTEGER, nullable=False),
        sa.Column("posted_fen", INTEGER, nullable=False),
        sa.Column("raised_us", INTEGER, nullable=False),
        sa.Column("noticed_on", TEXT, nullable=True),
        sa.Column("answer_by", TEXT, nullable=True),
        sa.Column("heard_on", TEXT, nullable=True),
        sa.Column("decided_us", INTEGER, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.CheckConstraint("upheld_fen <= amount_fen", name=op.f("ck_cut_upheld_of_amount")),
        sa.PrimaryKeyConstraint("cut_no", name=op.f("pk_cut")),
        info={"personal": ("detail",), "row_key": ("cut_no",)},
        sqlite_strict=True,
    )
    op.create_index("ix_cut_admission_id", "cut", ["admission_id"], unique=False)
    op.create_index("ix_cut_hospital_raised_us", "cut", ["hospital", "raised_us"], unique=False)
    op.create_index("ix_cut_state", "cut", ["state"], unique=False)


def _lane() -> None:
    op.create_table(
        "lane",
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("last_seq", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_lane")),
        info={"personal": (), "row_key": ("receiver",)},
        sqlite_strict=True,
    )


def _lane_lock() -> None:
    op.create_table(
        "lane_lock",
        sa.Column("receiver", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_lane_lock")),
        info={"personal": (), "row_key": ("receiver",)},
        sqlite_strict=True,
    )


def _purge() -> None:
    op.create_table(
        "purge",
        sa.Column("purge_id", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("asked_us", INTEGER, nullable=False),
        sa.Column("confirmed_by", TEXT, nullable=False),
        sa.Column("confirmed_us", INTEGER, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("reason", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("purge_id", name=op.f("pk_purge")),
        info={"personal": ("reason",), "row_key": ("purge_id",)},
        sqlite_strict=True,
    )


def _leaf() -> None:
    op.create_table(
        "leaf",
        sa.Column("tx_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("received_us", INTEGER, nullable=False),
        sa.Column("assurance", TEXT, nullable=False),
        sa.Column("signer", TEXT, nullable=False),
        sa.Column("request_commitment", BLOB, nullable=False),
        sa.Column("reply_commitment", BLOB, nullable=False),
        sa.Column("effect_commitment", BLOB, nullable=False),
        sa.Column("leaf_hash", BLOB, nullable=False),
        sa.Column("leaf_index", INTEGER, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("salts", BLOB, nullable=True),
        sa.Column("effect", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("tx_id", name=op.f("pk_leaf")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_leaf_leaf_index")),
        info={"personal": ("salts", "effect"), "row_key": ("tx_id",)},
        sqlite_strict=True,
    )


def _log() -> None:
    op.create_table(
        "log_origin",
        sa.Column("log", INTEGER, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("public_key", BLOB, nullable=False),
        sa.Column("first_index", INTEGER, nullable=False),
        sa.Column("follows", TEXT, nullable=False),
        sa.Column("opened_us", INTEGER, nullable=False),
        sa.Column("opened_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_log_origin")),
        info={"personal": (), "row_key": ("log",)},
        sqlite_strict=True,
    )
    op.create_table(
        "log_head",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("log", INTEGER, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("stopped", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_log_head")),
        info={"personal": (), "row_key": ("name",)},
        sqlite_strict=True,
    )
    op.create_table(
        "tile",
        sa.Column("log", INTEGER, nullable=False),
        sa.Column("level", INTEGER, nullable=False),
        sa.Column("place", INTEGER, nullable=False),
        sa.Column("hashes", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("log", "level", "place", name=op.f("pk_tile")),
        info={"personal": (), "row_key": ("log", "level", "place")},
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoint",
        sa.Column("log", INTEGER, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("log", "size", name=op.f("pk_checkpoint")),
        info={"personal": (), "row_key": ("log", "size")},
        sqlite_strict=True,
    )
    op.create_table(
        "cosignature",
        sa.Column("log", INTEGER, nullable=False),
        sa.Column("size", INTEGER, nullable=False),
        sa.Column("witness", TEXT, nullable=False),
        sa.Column("line", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("log", "size", "witness", name=op.f("pk_cosignature")),
        info={"personal": (), "row_key": ("log", "size", "witness")},
        sqlite_strict=True,
    )


def _mandate() -> None:
    op.create_table(
        "mandate",
        sa.Column("mandate_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("commands", TEXT, nullable=False),
        sa.Column("valid_from", TEXT, nullable=False),
        sa.Column("valid_to", TEXT, nullable=False),
        sa.Column("revoked_from", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("mandate_id", name=op.f("pk_mandate")),
        info={"personal": (), "row_key": ("mandate_id",)},
        sqlite_strict=True,
    )
    op.create_index("ix_mandate_carrier_hospital", "mandate", ["carrier", "hospital"], unique=False)


def _mapping() -> None:
    op.create_table(
        "mapping",
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("hospital_code", TEXT, nullable=False),
        sa.Column("valid_from", TEXT, nullable=False),
        sa.Column("valid_to", TEXT, nullable=True),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("hospital_name", TEXT, nullable=False),
        sa.Column("spec", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("price", INTEGER, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("hospital", "hospital_code", "valid_from", name=op.f("pk_mapping")),
        info={"personal": (), "row_key": ("hospital", "hospital_code", "valid_from")},
        sqlite_strict=True,
    )
    op.create_index("ix_mapping_state", "mapping", ["state"], unique=False)


def _mapping_book() -> None:
    op.create_table(
        "mapping_book",
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("hospital", name=op.f("pk_mapping_book")),
        info={"personal": (), "row_key": ("hospital",)},
        sqlite_strict=True,
    )


def _mapping_history() -> None:
    op.create_table(
        "mapping_history",
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("hospital_code", TEXT, nullable=False),
        sa.Column("valid_from", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint(
            "hospital",
            "hospital_code",
            "valid_from",
            "version",
            name=op.f("pk_mapping_history"),
        ),
        info={
            "personal": (),
            "row_key": ("hospital", "hospital_code", "valid_from", "version"),
        },
        sqlite_strict=True,
    )


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("effect", TEXT, nullable=False),
        sa.Column("undone_by", TEXT, nullable=False),
        sa.Column("tx_id", TEXT, nullable=False),
        sa.Column("received_us", INTEGER, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("request", BLOB, nullable=True),
        sa.Column("reply", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("sender", "message_id", name=op.f("pk_message")),
        info={"personal": ("request", "reply"), "row_key": ("sender", "message_id")},
        sqlite_strict=True,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("lane_seq", INTEGER, nullable=True),
        sa.Column("created_us", INTEGER, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.Column("next_us", INTEGER, nullable=False),
        sa.Column("done_us", INTEGER, nullable=True),
        sa.Column("last_error", TEXT, nullable=False),
        sa.Column("tx_id", TEXT, nullable=False),
        sa.Column("in_reply_to", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("sealed", BLOB, nullable=True),
        sa.Column("receipt", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("receiver", "lane_seq", name=op.f("uq_outbox_receiver_lane_seq")),
        info={"personal": ("sealed", "receipt"), "row_key": ("message_id",)},
        sqlite_strict=True,
    )
    op.create_index(
        "ix_outbox_receiver_in_reply_to", "outbox", ["receiver", "in_reply_to"], unique=False
    )
    op.create_index(
        "ix_outbox_receiver_subject_lane_seq",
        "outbox",
        ["receiver", "subject", "lane_seq"],
        unique=False,
    )
    op.create_index(
        "ix_outbox_state_receiver_lane_seq",
        "outbox",
        ["state", "receiver", "lane_seq"],
        unique=False,
    )


def _party() -> None:
    op.create_table(
        "party",
        sa.Column("party_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("region", TEXT, nullable=False),
        sa.Column("county", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("agreement_from", TEXT, nullable=True),
        sa.Column("agreement_to", TEXT, nullable=True),
        sa.Column("suspended_from", TEXT, nullable=True),
        sa.Column("capabilities", TEXT, nullable=False),
        sa.Column("callback_url", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_party")),
        info={"personal": (), "row_key": ("party_id",)},
        sqlite_strict=True,
    )


def _party_key() -> None:
    op.create_table(
        "party_key",
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("party_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("certificate_pem", TEXT, nullable=False),
        sa.Column("valid_from_us", INTEGER, nullable=False),
        sa.Column("valid_to_us", INTEGER, nullable=False),
        sa.Column("changed_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_party_key")),
        info={"personal": (), "row_key": ("fingerprint",)},
        sqlite_strict=True,
    )
    op.create_index("ix_party_key_party_id", "party_key", ["party_id"], unique=False)


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("card_lost", INTEGER, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("id_no", BLOB, nullable=True),
        sa.Column("name", BLOB, nullable=True),
        sa.Column("card_no", BLOB, nullable=True),
        sa.Column("phone", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        info={"personal": ("id_no", "name", "card_no", "phone"), "row_key": ("person_id",)},
        sqlite_strict=True,
    )


def _person_index() -> None:
    op.create_table(
        "person_index",
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("tag", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "tag", name=op.f("pk_person_index")),
        info={"personal": (), "row_key": ("key_id", "tag")},
        sqlite_strict=True,
    )
    op.create_index("ix_person_index_person_id", "person_index", ["person_id"], unique=False)


def _policy_edition() -> None:
    op.create_table(
        "policy_edition",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("region", TEXT, nullable=False),
        sa.Column("stored_us", INTEGER, nullable=False),
        sa.Column("content", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy_edition")),
        info={"personal": (), "row_key": ("digest",)},
        sqlite_strict=True,
    )


def _readjudication() -> None:
    op.create_table(
        "readjudication",
        sa.Column("proposal_id", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("open", INTEGER, nullable=True),
        sa.Column("kept", INTEGER, nullable=True),
        sa.Column("settlement_id", TEXT, nullable=False),
        sa.Column("follows", TEXT, nullable=False),
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("case_no", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("correction", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("untold", TEXT, nullable=False),
        sa.Column("acts", TEXT, nullable=False),
        sa.Column("cuts_hospital", INTEGER, nullable=False),
        sa.Column("needs_ground", INTEGER, nullable=False),
        sa.Column("line_count", INTEGER, nullable=False),
        sa.Column("fund_fen", INTEGER, nullable=False),
        sa.Column("employer_fen", INTEGER, nullable=False),
        sa.Column("individual_fen", INTEGER, nullable=False),
        sa.Column("hospital_fen", INTEGER, nullable=False),
        sa.Column("other_fen", INTEGER, nullable=False),
        sa.Column("meal_fen", INTEGER, nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("proposed_us", INTEGER, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("decided_us", INTEGER, nullable=True),
        sa.Column("delta_id", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.Column("reason", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_readjudication")),
        sa.UniqueConstraint(
            "settlement_id",
            "cause",
            "open",
            name=op.f("uq_readjudication_settlement_id_cause_open"),
        ),
        sa.UniqueConstraint(
            "follows",
            "cause",
            "outcome",
            "kept",
            name=op.f("uq_readjudication_follows_cause_outcome_kept"),
        ),
        info={"personal": ("detail", "reason"), "row_key": ("proposal_id",)},
        sqlite_strict=True,
    )
    op.create_index(
        "ix_readjudication_admission_id", "readjudication", ["admission_id"], unique=False
    )
    op.create_index("ix_readjudication_state", "readjudication", ["state"], unique=False)


def _reconcile_run() -> None:
    op.create_table(
        "reconcile_run",
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.Column("matched", INTEGER, nullable=False),
        sa.Column("differences", INTEGER, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_reconcile_run")),
        info={"personal": ("detail",), "row_key": ("run_id",)},
        sqlite_strict=True,
    )
    op.create_index(
        "ix_reconcile_run_hospital_day", "reconcile_run", ["hospital", "day"], unique=False
    )


def _release_job() -> None:
    op.create_table(
        "release_job",
        sa.Column("job_id", TEXT, nullable=False),
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_us", INTEGER, nullable=False),
        sa.Column("done_us", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_release_job")),
        info={"personal": (), "row_key": ("job_id",)},
        sqlite_strict=True,
    )
    op.create_index("ix_release_job_state", "release_job", ["state"], unique=False)


def _settlement() -> None:
    op.create_table(
        "settlement",
        sa.Column("settlement_id", TEXT, nullable=False),
        sa.Column("admission_id", TEXT, nullable=False),
        sa.Column("hospital", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("live", INTEGER, nullable=True),
        sa.Column("reverses", TEXT, nullable=True),
        sa.Column("reinstates", TEXT, nullable=True),
        sa.Column("adjusts", TEXT, nullable=True),
        sa.Column("follows", TEXT, nullable=True),
        sa.Column("bill_no", TEXT, nullable=False),
        sa.Column("case_no", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("settled_us", INTEGER, nullable=False),
        sa.Column("business_day", TEXT, nullable=False),
        sa.Column("line_count", INTEGER, nullable=False),
        sa.Column("total_fen", INTEGER, nullable=False),
        sa.Column("fund_fen", INTEGER, nullable=False),
        sa.Column("employer_fen", INTEGER, nullable=False),
        sa.Column("individual_fen", INTEGER, nullable=False),
        sa.Column("hospital_fen", INTEGER, nullable=False),
        sa.Column("other_fen", INTEGER, nullable=False),
        sa.Column("meal_fen", INTEGER, nullable=False),
        sa.Column("rules_version", TEXT, nullable=False),
        sa.Column("policy_digest", TEXT, nullable=False),
        sa.Column("edition_digests", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("meal_days", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.CheckConstraint(
            "total_fen = fund_fen + employer_fen + individual_fen + hospital_fen + other_fen",
            name=op.f("ck_settlement_payers_sum"),
        ),
        sa.PrimaryKeyConstraint("settlement_id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("admission_id", "live", name=op.f("uq_settlement_admission_id_live")),
        sa.UniqueConstraint("reverses", name=op.f("uq_settlement_reverses")),
        sa.UniqueConstraint("follows", name=op.f("uq_settlement_follows")),
        info={"personal": ("detail",), "row_key": ("settlement_id",)},
        sqlite_strict=True,
    )
    op.create_index("ix_settlement_adjusts", "settlement", ["adjusts"], unique=False)
    op.create_index(
        "ix_settlement_hospital_business_day",
        "settlement",
        ["hospital", "business_day"],
        unique=False,
    )


def _transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("tx_id", TEXT, nullable=False),
        sa.Column("seq", INTEGER, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("debit", TEXT, nullable=False),
        sa.Column("credit", TEXT, nullable=False),
        sa.Column("amount_fen", INTEGER, nullable=False),
        sa.Column("business_day", TEXT, nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfer_two_accounts")),
        sa.PrimaryKeyConstraint("tx_id", "seq", name=op.f("pk_transfer")),
        info={"personal": (), "row_key": ("tx_id", "seq")},
        sqlite_strict=True,
    )
    op.create_index("ix_transfer_subject", "transfer", ["subject"], unique=False)


def _undo() -> None:
    op.create_table(
        "undo",
        sa.Column("effect", TEXT, nullable=False),
        sa.Column("sender", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("by_sender", TEXT, nullable=False),
        sa.Column("by_message_id", TEXT, nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("at_us", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("effect", name=op.f("pk_undo")),
        sa.UniqueConstraint("sender", "message_id", name=op.f("uq_undo_sender_message_id")),
        info={"personal": (), "row_key": ("effect",)},
        sqlite_strict=True,
    )


def _work_case() -> None:
    op.create_table(
        "work_case",
        sa.Column("case_no", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("employer_no", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("injured_on", TEXT, nullable=False),
        sa.Column("reported_us", INTEGER, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("insured_at_injury", INTEGER, nullable=True),
        sa.Column("third_party", TEXT, nullable=False),
        sa.Column("traffic_accident", INTEGER, nullable=False),
        sa.Column("litigation", INTEGER, nullable=False),
        sa.Column("disputed", INTEGER, nullable=False),
        sa.Column("relation_ended_on", TEXT, nullable=True),
        sa.Column("applied_on", TEXT, nullable=True),
        sa.Column("applied_by", TEXT, nullable=True),
        sa.Column("accepted_on", TEXT, nullable=True),
        sa.Column("decided_on", TEXT, nullable=True),
        sa.Column("decision_no", TEXT, nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("diagnosed_on", TEXT, nullable=True),
        sa.Column("application_extended_to", TEXT, nullable=True),
        sa.Column("supplement_by", TEXT, nullable=True),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("record_key", BLOB, nullable=True),
        sa.Column("detail", BLOB, nullable=True),
        sa.PrimaryKeyConstraint("case_no", name=op.f("pk_work_case")),
        info={"personal": ("detail",), "row_key": ("case_no",)},
        sqlite_strict=True,
    )
    op.create_index("ix_work_case_employer_no", "work_case", ["employer_no"], unique=False)
    op.create_index("ix_work_case_person_id", "work_case", ["person_id"], unique=False)
