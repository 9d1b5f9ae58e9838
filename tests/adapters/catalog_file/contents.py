"""What two editions are compared by: each edition is itself alone."""

from typing import Any

from gateway.domain.catalogue import Edition


def said_by(edition: Edition) -> tuple[Any, ...]:
    """Everything that the edition says."""
    days = edition.valid_from, edition.valid_to
    return edition.digest, edition.region, edition.kind, days, dict(edition.rows)
