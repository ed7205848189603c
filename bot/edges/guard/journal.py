"""One line in the host's journal for each change, so that whoever meets a masked unit there reads why it is masked."""

import _socket

SOCKET = "/run/systemd/journal/socket"
_NOTICE = "5"
_LONGEST = 300
_WORDS = ("request", "asked_by", "approved_by", "reason", "until")


def cleaned(value: str) -> str:
    """Text for one line: no control characters and none that turn or hide others."""
    signs = "".join(sign if sign.isprintable() else " " for sign in value)
    return " ".join(signs.split())[:_LONGEST]


class Note:
    """What a request says of itself, for people."""

    def __init__(self, said: "dict[str, str]") -> None:
        self.said = {word: cleaned(said.get(word, "")) for word in _WORDS}

    @property
    def request(self) -> str:
        """The request's id, as one word."""
        return self.said["request"].replace(" ", "") or "-"

    def sentence(self, what: str) -> str:
        """One line for the journal."""
        parts = [
            f"{lead} {self.said[word]}"
            for word, lead in (("asked_by", "asked by"), ("approved_by", "approved by"), ("until", "until"))
            if self.said[word]
        ]
        reason = f": {self.said['reason']}" if self.said["reason"] else ""
        return f"{what}, request {self.request}{''.join(f', {part}' for part in parts)}{reason}"


def log(message: str, unit: str, user: str, said: "dict[str, str]") -> None:
    """Send it with this process's own credentials; without a journal, the change goes on. `said` is cleaned already."""
    fields = {
        "MESSAGE": message,
        "PRIORITY": _NOTICE,
        "SYSLOG_IDENTIFIER": "maskbot-guard",
        ("OBJECT_SYSTEMD_USER_UNIT" if user else "OBJECT_SYSTEMD_UNIT"): unit,
        "MASKBOT_USER": user,
    }
    fields.update((f"MASKBOT_{word.upper()}", value) for word, value in said.items())
    text = "".join(f"{key}={value}\n" for key, value in fields.items() if value)
    try:
        end = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        try:
            end.sendto(text.encode("utf-8", "replace"), SOCKET)
        finally:
            end.close()
    except OSError:
        pass
