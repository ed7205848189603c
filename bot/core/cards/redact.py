"""Hide secrets that commands and units happen to print, before anybody reads them in a channel."""

import re

HIDDEN = "[hidden]"

# A host says how long a row is. So each pattern begins where a word does, goes through it once, and never back into it:
# otherwise a row of `token-token-...` would hold up the whole process.
_NAMED = re.compile(
    r"(?i)((?<![\w-])(?=[\w-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|private[_-]?key))[\w-]++"
    r"(?:\s*+[=:]\s*+|(?<=\w)\s++(?=\S*[\d/+=])))(?:bearer\s++)?(\"[^\"]*\"|'[^']*'|\S+)"
)
_BY_SHAPE = re.compile(
    r"\bxox[a-z]-[\w-]+|\bxapp-[\w-]+|\bAKIA[0-9A-Z]{12,}|\bgh[opsur]_\w{10,}"
    r"|(?<![\w-])(?=[\w-]*\beyJ[\w-])[\w-]++\.[\w-]++\.[\w-]*"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?i:(?<=bearer )\S+)|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
# `Process: 12 ExecStart=/usr/bin/worker --password x (code=exited)`: the command line is dropped.
_COMMAND_LINE = re.compile(r"^(\s*(?:Process|Cntrl PID|Main PID): \d+ Exec\w+=\S+).*?(?= \(code=|$)")


def redact(text: str) -> str:
    """The text without anything that looks like a secret. It hides too much rather than too little."""
    return "\n".join(_line(row) for row in text.split("\n"))


def _line(row: str) -> str:
    row = _COMMAND_LINE.sub(rf"\1 {HIDDEN}", row)
    return _BY_SHAPE.sub(HIDDEN, _NAMED.sub(rf"\1{HIDDEN}", row))
