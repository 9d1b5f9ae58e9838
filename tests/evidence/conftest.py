"""Evidence is gathered from a gateway of the test's own."""

from tests.flows.conftest import office, prepared

__all__ = ["office", "prepared"]
