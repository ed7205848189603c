"""Explain at a terminal the error that ended a command, and say what mends it."""

import os
import sys

from bot.edges.cli_socket.client import login_of
from bot.errors import MaskbotError, StoreBusy


def explained(error: Exception) -> str:
    """The error in words."""
    match error:
        case StoreBusy():  # of a command that opens the database itself
            return f"{error}\n{_no_answer(error)}"
        case MaskbotError():
            return str(error)
        case ImportError():
            return _not_imported(error)
        case PermissionError(filename=str(path)):
            return f"{login_of(os.geteuid())} may not use {path}. Run this as the bot's own user, or as root."
    return f"Something unexpected went wrong ({type(error).__name__}). Set MASKBOT_DEBUG=1 to see where."


def _no_answer(error: StoreBusy) -> str:
    from config.settings import load_settings
    from config.stored import no_answer

    return str(no_answer(load_settings(), error))


def _not_imported(error: ImportError) -> str:
    """Name the package that Python cannot import, and what installs it; only a virtual environment is ever cleared."""
    name = (error.name or "a package").partition(".")[0]
    pip = f"{sys.executable} -m pip install --require-hashes -r requirements.lock"
    clear = f"python3 -m venv --clear {sys.prefix} && " if sys.prefix != sys.base_prefix else ""
    why = f"The Python environment in {sys.prefix} is broken: {name} cannot be imported ({error})."
    return f"{why} Recreate it, in a clone: {clear}{pip} && {sys.executable} -m pip install --no-deps ."
