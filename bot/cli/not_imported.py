"""Say that the Python environment is broken, and how to make it anew: no fault of a setting, and none of the bot."""

import sys


def not_imported(error: ImportError) -> str:
    """Name the package that Python cannot import, and what installs it; only a virtual environment is ever cleared."""
    name = (error.name or "a package").partition(".")[0]
    pip = f"{sys.executable} -m pip install --require-hashes -r requirements.lock"
    clear = f"python3 -m venv --clear {sys.prefix} && " if sys.prefix != sys.base_prefix else ""
    why = f"The Python environment in {sys.prefix} is broken: {name} cannot be imported ({error})."
    return f"{why} Make it anew, in a clone: {clear}{pip} && {sys.executable} -m pip install --no-deps ."
