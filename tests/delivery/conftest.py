"""The same empty stores as the store's own tests have."""

from tests.store.conftest import database, embedded, migrated, migrated_url

__all__ = ["database", "embedded", "migrated", "migrated_url"]
