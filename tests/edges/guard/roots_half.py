"""A stand-in for root's half: a script of the shell in place of sudo, which says in frames what it is told to say."""

import shlex
from pathlib import Path

_WORDS = """\
#!/bin/sh
here=${0%/*}
greet() { echo 'maskbot-guard 1 9 is ready'; }
take() { read -r line && printf '%s\\n' "$line" >> "$here/asked"; }
answer() { printf 'maskbot-guard 1 9 a1 %s %s 0 0\\n%s' "$1" "${#2}" "$2"; }
echo "$$ $*" >> "$here/begun"
"""


class StandIn:
    """What stands at the place of sudo, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def does(self, *lines: str) -> None:
        """In words of the shell, with `greet`, `take` and `answer CODE TEXT` among them."""
        program = self.folder / "sudo.new"
        program.write_text(_WORDS + "\n".join(lines) + "\n")
        program.chmod(0o755)
        program.rename(self.folder / "sudo")  # which a process may just be about to run

    def serves(self, text: str = "done") -> None:
        """As root's half does."""
        self.does("greet", f"while take; do answer 0 {shlex.quote(text)}; done")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    @property
    def asked(self) -> list[str]:
        """The requests that it has taken."""
        return self._lines("asked")

    @property
    def begun(self) -> list[str]:
        """The arguments of each start."""
        return [line.partition(" ")[2] for line in self._lines("begun")]

    @property
    def pids(self) -> list[int]:
        """The process of each start."""
        return [int(line.partition(" ")[0]) for line in self._lines("begun")]
