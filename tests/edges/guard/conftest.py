"""The conversations with the guard, which tests share."""

from collections.abc import Iterator

import pytest

from tests.edges.guard.talking import end_kept


@pytest.fixture(autouse=True, scope="session")
def conversations() -> Iterator[None]:
    """End what is kept for the next test."""
    yield
    end_kept()
