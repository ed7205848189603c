"""What is mutated, and which tests have to find it; what is not mutated, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Suite:
    """Files in which mistakes are made, and the tests that must notice each of them, the likeliest first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    on_hosts: tuple[str, ...] = ()  # tried last: a host is booted for each mutant, with the mistake in its guard

    def names(self) -> Iterator[str]:
        """The files, in the order of their names."""
        for pattern in self.files:
            yield from (str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(pattern)))


SUITES = {
    "policy": Suite(("bot/core/policy/**/*.py",), ("tests/core/policy", "tests/core")),
    "steps": Suite(("bot/core/steps/*.py",), ("tests/core/steps", "tests/core")),
    "gate": Suite(
        (
            "handlers/origin_check.py",
            "handlers/payload.py",
            "handlers/notes.py",
            "bot/core/cards/sealed.py",
            "bot/core/cards/shown.py",
            "bot/core/people/identity.py",
            "bot/core/people/same_person.py",
        ),
        (
            "tests/core/cards/test_shown.py",
            "tests/core/cards/test_sealed.py",
            "tests/core/people",
            "tests/core/policy/rules/test_same_person.py",
            "tests/handlers/test_payload.py",
            "tests/handlers/test_origin_check.py",
            "tests/handlers/test_notes.py",
            "tests/handlers/test_edited_cards.py",
            "tests/handlers/test_form_options.py",
        ),
    ),
    "proof": Suite(("bot/core/requests/proof.py",), ("tests/core/requests", "tests/core")),
    "guard": Suite(
        ("bot/edges/guard/requests.py", "bot/edges/guard/frame.py", "bot/core/systemd/host_rules.py"),
        (
            "tests/edges/guard/test_requests.py",
            "tests/core/systemd/test_host_rules.py",
            "tests/edges/guard/test_parse.py",
            "tests/core/systemd",
        ),
        (
            "tests/edges/guard/test_attacks.py",
            "tests/edges/guard/test_judge.py",
            "tests/edges/guard/test_conversation.py",
        ),
    ),
}
BY_NIGHT = {
    "guard-on-hosts": Suite(
        ("bot/edges/guard/[!_rf]*.py", "bot/edges/guard/r[!e]*.py"),
        (),
        ("tests/edges/guard/test_attacks.py", "tests/edges/guard/test_judge.py", "tests/edges/guard/test_changes.py"),
    ),
}
"""Not tried unless they are named: each mutant needs a host of its own, some half a minute."""
