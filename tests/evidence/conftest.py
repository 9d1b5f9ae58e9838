"""The office of the flows: every kind of transaction without the wire."""

from tests.flows.conftest import data, office, preparations, store

__all__ = ["data", "office", "preparations", "store"]
