"""The audit trail: rows that can only be added, and the number and hash of the newest."""

from __future__ import annotations

from sqlite_utils import Database as Schema

from storage.schema.statements import run


def m012_audit(schema: Schema) -> None:
    """The database itself refuses a change, a removal, and a row that is not the next one.

    A row put in place of another fires no DELETE trigger (https://www.sqlite.org/lang_conflict.html), hence those on
    INSERT. The head moves with each row, so that rows cut off at the end are missed.
    """
    run(
        schema,
        """
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            at_us INTEGER NOT NULL,
            actor TEXT NOT NULL,
            actor_id INTEGER,
            face TEXT NOT NULL,
            repository TEXT NOT NULL,
            environment TEXT,
            sha TEXT,
            command TEXT NOT NULL,
            raw TEXT NOT NULL,
            outcome TEXT NOT NULL,
            reason TEXT NOT NULL,
            rules TEXT NOT NULL,
            job_id TEXT,
            delivery TEXT,
            previous TEXT NOT NULL,
            hash TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX audit_of_job ON audit (job_id, number) WHERE job_id IS NOT NULL",
        "CREATE INDEX audit_of_repository ON audit (repository, number)",
        """
        CREATE TABLE audit_head (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            number INTEGER NOT NULL,
            hash TEXT NOT NULL
        )""",
        f"INSERT INTO audit_head (one, number, hash) VALUES (1, 0, '{'0' * 64}')",
        """
        CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """
        CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """
        CREATE TRIGGER audit_follows_its_head BEFORE INSERT ON audit
        WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE NEW.number = number + 1 AND NEW.previous = hash)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """
        CREATE TRIGGER audit_moves_its_head AFTER INSERT ON audit
        BEGIN UPDATE audit_head SET number = NEW.number, hash = NEW.hash; END""",
        """
        CREATE TRIGGER audit_head_is_not_changed BEFORE UPDATE ON audit_head
        WHEN NOT EXISTS (SELECT 1 FROM audit WHERE number = OLD.number + 1 AND number = NEW.number AND hash = NEW.hash)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """
        CREATE TRIGGER audit_head_is_not_replaced BEFORE INSERT ON audit_head
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """
        CREATE TRIGGER audit_head_is_not_removed BEFORE DELETE ON audit_head
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    )
