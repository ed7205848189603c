"""The guard as text, and what the bot makes of its answers."""

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Refuse
from bot.core.systemd.guard import PROBE, complaint, guard, token
from bot.core.systemd.sudo_rights_script import NEVER
from bot.core.systemd.systemctl import RIGHTS
from tests.core.situations import POLICY, looked, snapshot

OTHER = "0123456789ab"
MISSING = "sh: 1: /usr/local/libexec/maskbot-guard:"


def test_it_is_the_same_text_for_the_same_words_and_the_list_does_not_make_another_version() -> None:
    assert guard(["ssh*"]) == guard(["ssh*"])
    assert guard(["ssh*"]) != guard(["ssh*", "db*"])
    assert guard(["ssh*"], users=["deploy"]) != guard(["ssh*"])
    assert all(token() in text for text in (guard([]), guard(["ssh*"]), guard([], users=["deploy"])))


def test_patterns_of_the_list_are_patterns_for_sh_and_nothing_else() -> None:
    assert "    db.service | ssh* | x' '?) return 0 ;;" in guard(["ssh*", "x ?", "db.service"])
    assert "    '') return 0 ;;" in guard([])


@pytest.mark.parametrize(
    ("exit_code", "stderr", "says"),
    [
        (0, "", None),
        (64, "something else", None),
        (127, "sh: 1: other: not found", None),
        (64, f"maskbot-guard {token()}: not a look of the bot", "its guard refused the look (not a look of the bot)"),
        (64, f"maskbot-guard {OTHER}: no", f"of another version ({OTHER}) than this bot's ({token()})"),
        (127, f"{MISSING} not found", "is missing or cannot be run"),
        (126, f"{MISSING} Permission denied", "is missing or cannot be run"),
    ],
)
def test_a_guard_that_does_not_fit_is_told_from_any_other_failure(
    exit_code: int, stderr: str, says: str | None
) -> None:
    found = complaint("web-01", exit_code, stderr)
    assert (found is None) == (says is None)
    if found and says:
        assert says in str(found)
        assert (found.code, found.passing) == ("host_not_ready", False)


def test_a_unit_that_the_host_itself_spares_is_refused_with_that_reason() -> None:
    answer = decide(looked(snapshot(rights=frozenset({*RIGHTS, NEVER}))), POLICY)
    assert isinstance(answer, Refuse)
    assert answer.code == "host_policy"
    assert answer.reason == "web-01 itself refuses this unit (host policy); nothing was changed."


def test_what_the_doctor_tries_is_no_command_of_ours() -> None:
    assert PROBE[0] not in guard([])
