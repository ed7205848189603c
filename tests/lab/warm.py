"""The command line in processes that need not import the bot anew: a server has it, and forks one for each command.

A process of its own all the same, with its own environment, streams, signals and exit code (multiprocessing,
`forkserver`); only what the imports cost is paid once. How long a cold start takes is tested with a cold one.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LOADED = ["bot.__main__", "bot.running", "bot.doctor.hosts", "bot.doctor.slack", "bot.terminal.check"]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LOADED)


def maskbot(
    words: Sequence[str], environment: Mapping[str, str], *, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `maskbot` with these words to its end. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryDirectory(prefix="maskbot-said-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _context.Process(target=_become, args=(tuple(words), dict(environment), str(out), str(err)))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), seconds)
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(list(words), code, out.read_text(), err.read_text())


def _become(words: Sequence[str], environment: Mapping[str, str], out: str, err: str) -> None:
    """Be `maskbot`, from its arguments to its exit code."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["maskbot", *words]
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.dup2(nothing, 0)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
    from bot.__main__ import main  # noqa: PLC0415 - the server has it; whoever starts the server need not

    main()
