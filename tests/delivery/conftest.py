"""The same empty store as the store's own tests have."""

from tests.store.conftest import database, migrated

__all__ = ["database", "migrated"]
