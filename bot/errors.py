"""What can go wrong, split by who must act."""


class MaskbotError(Exception):
    """Anything maskbot can tell a person about; its text is a sentence for that person."""


class UsageError(MaskbotError):
    """The caller typed something that makes no sense; the text says what would have been right."""


class ConfigError(MaskbotError):
    """The operator must mend a file or a setting; the text names file and line where there is one."""


class HostError(MaskbotError):
    """A host could not be asked, and nothing was sent to it; `code` is for programs (`ssh_refused`, ...).

    `passing` says whether trying again can help without anybody acting.
    """

    def __init__(self, text: str, *, code: str, passing: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.passing = passing


class OutcomeUnknown(MaskbotError):
    """A command was sent and no answer came back: only another look can tell what it did."""


class HostileOutput(HostError):
    """A host answered what the fixed script cannot have printed."""

    def __init__(self, text: str) -> None:
        super().__init__(text, code="hostile_output")


class SlackError(MaskbotError):
    """Slack did not do what was asked. `code` is Slack's own word; `retry_after` is in seconds.

    `passing` says whether the same call may succeed later.
    """

    def __init__(self, text: str, *, code: str, passing: bool = False, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after


class PagerError(MaskbotError):
    """Nobody was paged; it is tried again, at the earliest `retry_after` seconds later where the receiver said so."""

    def __init__(self, text: str, *, code: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class SinkError(MaskbotError):
    """A copy of the record was not taken, or nobody knows whether it was; it is sent again."""


class Unverified(MaskbotError):
    """It could not be established who somebody is, or whether a group holds them: so the answer is no."""


class StoreBusy(MaskbotError):
    """The database did not answer in time; nothing was recorded."""


class MaybeRecorded(StoreBusy):
    """The database went away while it was told to keep something: only a look can tell whether it did."""


class NoSuchRequest(MaskbotError):
    """No request has this id."""


class NotOurs(MaskbotError):
    """A newer version wrote this in words that this one does not know: it is left to that one."""


class Stale(MaskbotError):
    """Somebody else moved the request first: read it again."""


class LostClaim(Stale):
    """The claim on a target has passed to another owner; nothing more may be sent under it."""


class NotYet(MaskbotError):
    """It may run, but not at this moment: it is tried again `again_in` seconds later, while its approval is good."""

    def __init__(self, text: str, *, again_in: float = 0.5) -> None:
        super().__init__(text)
        self.again_in = again_in


class HostTaken(NotYet):
    """Another change is being carried out on this host; one at a time."""
