"""Code that operations.md shows to people who receive records or alerts, as they would run it."""

import hashlib
import hmac
import json
import re
import textwrap
import time
from typing import Any

from tests.lab.installation import ROOT

OPERATIONS = (ROOT / "docs/operations.md").read_text()


def documented(begin: str, **given: object) -> dict[str, Any]:
    """The names after the one block of code that begins so was run."""
    (block,) = re.findall(rf"```python\n({re.escape(begin)}.*?)```", OPERATIONS, re.DOTALL)
    names: dict[str, Any] = {"hashlib": hashlib, "hmac": hmac, "json": json, "time": time, **given}
    exec(textwrap.dedent(block), names)  # noqa: S102
    return names
