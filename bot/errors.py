"""The exceptions of maskbot, split by who must act."""


class MaskbotError(Exception):
    """Any error that maskbot can explain to a person; its text is a sentence for that person."""


class UsageError(MaskbotError):
    """The caller typed something invalid; the text says what would have been right."""


class NotOnRecord(UsageError):
    """The request of a button is not on record."""


class CodeRefused(UsageError):
    """A code from somebody's authenticator is missing or does not count; the text says why, and never the code."""


class ConfigError(MaskbotError):
    """The operator must fix a file or a setting; the text names file and line if there is one."""


class HostError(MaskbotError):
    """A host could not be asked, and nothing was sent to it; `code` is for programs (`ssh_refused`, ...).

    `passing` says whether a retry can help without anybody acting. `hop` names the host on the way to it that failed,
    if it was one of those.
    """

    def __init__(self, text: str, *, code: str, passing: bool = False, hop: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.passing = passing
        self.hop = hop


class OutcomeUnknown(MaskbotError):
    """A command was sent and no answer came back: only another look can tell its effect.

    `address` is where it was sent to, if that is known.
    """

    def __init__(self, text: str, *, address: str = "") -> None:
        super().__init__(text)
        self.address = address


class HostileOutput(HostError):
    """A host's output has a form that the fixed script cannot have printed."""

    def __init__(self, text: str) -> None:
        super().__init__(text, code="hostile_output")


class SlackError(MaskbotError):
    """Slack did not do what was asked. `code` is Slack's error code; `retry_after` is in seconds.

    `passing` says whether the same call may succeed later.
    """

    def __init__(self, text: str, *, code: str, passing: bool = False, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after


class PagerError(MaskbotError):
    """An alert was not delivered.

    It is retried, at the earliest after `retry_after` seconds if the receiver said so.
    """

    def __init__(self, text: str, *, code: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class SinkError(MaskbotError):
    """Audit records were not shipped, or it is not known whether they were; they are sent again."""


class Unverified(MaskbotError):
    """Somebody's identity or group membership could not be verified, which counts as a refusal."""


class StoreBusy(MaskbotError):
    """The database did not answer in time; nothing was recorded."""


class MaybeRecorded(StoreBusy):
    """The connection to the database was lost during a commit: only a read can tell whether it was recorded."""


class NoSuchRequest(MaskbotError):
    """No request has this id."""


class WrittenByNewerVersion(MaskbotError):
    """A newer version wrote this with values that this one does not know: it is left to that version."""


class NotSealed(MaskbotError):
    """The database holds something that no bot of ours recorded. The bot does nothing because of it."""


class Stale(MaskbotError):
    """Somebody else changed the request first: read it again."""


class LostClaim(Stale):
    """The claim on a target has passed to another owner; nothing more may be sent under it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"The claim on request {request_id} has passed to another owner.")


class NotYet(MaskbotError):
    """The request may run, but not now: it is retried after `again_in` seconds, while its approval is good."""

    def __init__(self, text: str, *, again_in: float = 0.5) -> None:
        super().__init__(text)
        self.again_in = again_in


class HostBusy(NotYet):
    """Another change is running on this host; one at a time."""
