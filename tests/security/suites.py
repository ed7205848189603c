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
    on_hosts: tuple[str, ...] = ()  # tried last: with the mistake in the guard of a host

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
            "bot/core/cards/form_words.py",
            "bot/core/people/identity.py",
            "bot/core/people/same_person.py",
        ),
        (
            "tests/core/cards/test_shown.py",
            "tests/core/cards/test_form_words.py",
            "tests/core/cards/test_sealed.py",
            "tests/core/people",
            "tests/core/policy/rules/test_same_person.py",
            "tests/handlers/test_payload.py",
            "tests/handlers/test_origin_check.py",
            "tests/handlers/test_notes.py",
            "tests/handlers/test_edited_cards.py",
            "tests/handlers/test_form_options.py",
            "tests/handlers/test_home.py",
            "tests/handlers/test_step_up.py",
        ),
    ),
    "proof": Suite(("bot/core/requests/proof.py",), ("tests/core/requests", "tests/core")),
    "guard": Suite(
        (
            "bot/edges/guard/requests.py",
            "bot/edges/guard/frame.py",
            "bot/edges/guard/memory.py",
            "bot/edges/guard/settings.py",
            "bot/edges/guard/links.py",
            "bot/core/systemd/host_rules.py",
        ),
        (
            "tests/edges/guard/test_requests.py",
            "tests/edges/guard/test_memory.py",
            "tests/edges/guard/test_settings.py",
            "tests/edges/guard/test_links.py",
            "tests/core/systemd/test_host_rules.py",
            "tests/edges/guard/test_parse.py",
            "tests/core/systemd",
            "tests/edges/guard/test_judge_alone.py",
            "tests/edges/guard/test_changes_alone.py",
            "tests/edges/guard/test_changes_undone.py",
        ),
        (
            "tests/edges/guard/test_attacks.py",
            "tests/edges/guard/test_judge.py",
            "tests/edges/guard/test_conversation.py",
        ),
    ),
}
_ON_HOSTS = ("judge", "neighbours", "changes", "attacks", "conversation", "own_login", "bus", "own_route")
BY_NIGHT = {
    "guard-script": Suite(
        ("bot/edges/guard/install.py", "bot/edges/guard/text.py"),
        ("tests/edges/guard/test_install_options.py", "tests/edges/guard/test_text.py"),
    ),
    "guard-on-hosts": Suite(
        tuple(f"bot/edges/guard/{names}.py" for names in ("[abcdjopuw]*", "lo*", "ma*", "ri*", "ro*", "ru*", "serv*")),
        (
            "tests/edges/guard/test_private_bus.py",
            "tests/edges/guard/test_judge_alone.py",
            "tests/edges/guard/test_units_alone.py",
            "tests/edges/guard/test_own_login_alone.py",
            "tests/edges/guard/test_own_route_alone.py",
            "tests/edges/guard/test_process.py",
            "tests/edges/guard/test_serving.py",
            "tests/edges/guard/test_root_client.py",
            "tests/edges/guard/test_rights.py",
            "tests/edges/guard/test_looks.py",
            "tests/edges/guard/test_journal.py",
            "tests/edges/guard/test_logins.py",
            "tests/edges/guard/test_main.py",
            "tests/edges/guard/test_root_alone.py",
            "tests/edges/guard/test_rules.py",
            "tests/edges/guard/test_changes_alone.py",
            "tests/edges/guard/test_changes_undone.py",
            "tests/edges/guard/test_parse.py",
        ),
        tuple(f"tests/edges/guard/test_{name}.py" for name in _ON_HOSTS),
    ),
}
"""Not tried unless they are named. The first lacks the tests that run the script on a host; the other takes some hours
the first time, on one host that is booted for all of them.
"""
