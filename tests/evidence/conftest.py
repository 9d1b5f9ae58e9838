"""The office of the flows: every kind of transaction without the wire."""

from tests.flows.conftest import office, prepared, prepared_postgresql

__all__ = ["office", "prepared", "prepared_postgresql"]
