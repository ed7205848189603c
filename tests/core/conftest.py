"""How hard the promises of the core are tried: quickly while somebody waits, harder where nobody does."""

import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import is_hypothesis_test, settings

settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.register_profile("fuzz", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "1")), deadline=None)
settings.load_profile(
    "fuzz" if "HYPOTHESIS_EXAMPLES" in os.environ else "thorough" if os.environ.get("CI") == "true" else "quick"
)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Count no line that only chance has reached: the next run may draw other examples. It is also quicker so."""
    measured = sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None
    if measured is None or not is_hypothesis_test(pyfuncitem.obj):
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()
