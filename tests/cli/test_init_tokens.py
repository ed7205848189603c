"""The tokens that `maskbot init` takes are those with which the bot starts."""

from pathlib import Path

import pytest

from bot.cli.init_slack import take_tokens
from config.start import TOKENS_BEGIN


@pytest.mark.parametrize(
    ("bot", "app", "is_taken"),
    [
        ("xoxb-1-test", "xapp-1-A1-2-test", True),
        ("xoxe.xoxb-1-test\n", "xapp-1-A1-2-test", True),
        ("xoxp-1-test", "xapp-1-A1-2-test", False),
        ("xoxe-1-test", "xapp-1-A1-2-test", False),
        ("xoxb-1-test", "xoxb-1-test", False),
    ],
)
def test_a_token_of_another_kind_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: str, app: str, *, is_taken: bool
) -> None:
    for name, token in zip(TOKENS_BEGIN, (bot, app), strict=True):
        monkeypatch.setenv(name, token)
    assert take_tokens(tmp_path, tmp_path) is is_taken
    written = [path.read_text().strip() for path in sorted(tmp_path.iterdir())]
    assert set(written) <= {bot.strip(), app}
    assert all((tmp_path / name.lower()).exists() for name in TOKENS_BEGIN) is is_taken
