"""A login that runs nothing is told from a host whose answer was cut off."""

import pytest

from bot.core.systemd.login_shell import login_complaint


@pytest.mark.parametrize(
    ("stdout", "said"),
    [
        ("", "and says nothing (exit 1)"),
        ("This account is currently not available.\n", "and says: This account is currently not available."),
        ("This service allows sftp connections only.\r\n", "and says: This service allows sftp connections only."),
    ],
)
def test_a_login_without_a_shell_is_named_with_what_it_says(stdout: str, said: str) -> None:
    error = login_complaint("web-01", 1, stdout)
    assert error is not None
    assert (error.code, error.passing) == ("no_shell", False)
    assert str(error).startswith(f"web-01: the bot's login runs nothing there, {said}")
    assert "nologin" in str(error)


@pytest.mark.parametrize(
    ("exit_code", "stdout"), [(0, "@maskbot-look 1\n"), (1, "hello\n@maskbot-scan 1\n"), (127, ""), (137, "")]
)
def test_what_a_script_of_ours_began_to_say_and_what_was_killed_is_no_matter_of_the_login(
    exit_code: int, stdout: str
) -> None:
    assert login_complaint("web-01", exit_code, stdout) is None
