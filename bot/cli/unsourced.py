"""The settings that `maskbot init` wrote here, in a shell that has not read them: the likeliest mistake of all."""

import os
from collections.abc import Mapping
from pathlib import Path

from bot.errors import ConfigError

WITHOUT_SETTINGS = frozenset({"init", "manifest", "secret"})
_FILES = (Path("maskbot/maskbot.env"), Path("maskbot.env"))


def require_settings(environ: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` if there is a file of settings here, and this environment has none of them."""
    for path in _FILES:
        names = settings_in(path)
        if names and not any(name in environ for name in names):
            raise ConfigError(
                f"The settings in {path} are not exported in this shell. Run first: "
                f"set -a; . {'./' * (len(path.parts) == 1)}{path}; set +a"
            )


def settings_in(path: Path) -> dict[str, str]:
    """The settings in a file, `NAME=value` in each line; none if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in lines if line.startswith("MASKBOT_"))
    return {name: value for name, _, value in pairs}
