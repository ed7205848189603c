"""How hard the promises of the core are tried: quickly while somebody waits, harder where nobody does."""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.register_profile("fuzz", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "1")), deadline=None)
settings.load_profile(
    "fuzz" if "HYPOTHESIS_EXAMPLES" in os.environ else "thorough" if os.environ.get("CI") == "true" else "quick"
)
