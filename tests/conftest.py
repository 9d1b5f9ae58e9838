"""What holds for every test.

Property tests have no time limit for one example: many run beside each other on few cores,
and speed has measurements of its own.
"""

import pytest
from hypothesis import settings

from tests import postgres

settings.register_profile("beside_others", deadline=None)
settings.load_profile("beside_others")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.announce()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.retire()
