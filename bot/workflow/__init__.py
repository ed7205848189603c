"""The life of a request: asked, looked at, voted on, carried out, taken back."""

from bot.core.changes import Ask, Verdict
from bot.core.grammar import Question
from bot.core.people import PersonId, Place


class Workflow:
    """What a person may do, whichever surface they did it on.

    Nothing here waits for a host or for Slack: it checks what needs no look-up and records; the rest is done by
    the loop. Every method raises `UsageError` or another `MaskbotError` whose text is for the caller alone.
    """

    def submit(self, ask: Ask, *, key: str) -> None:
        """Record what somebody asked. A second delivery with the same key does nothing."""
        raise NotImplementedError

    def undo(self, request_id: str, *, by: PersonId, name: str, place: Place, key: str) -> None:
        """Record that somebody wants our mask of this request taken back."""
        raise NotImplementedError

    def mask_again(self, request_id: str, *, by: PersonId, name: str, place: Place, key: str) -> None:
        """Carry the same change out again, under the same approval while it is good."""
        raise NotImplementedError

    def start_again(self, request_id: str, *, by: PersonId, name: str, place: Place, key: str) -> None:
        """Bring back what ran before a change that stopped the unit without masking it."""
        raise NotImplementedError

    def vote(  # noqa: PLR0913 - a vote is all of this
        self,
        request_id: str,
        verdict: Verdict,
        *,
        by: PersonId,
        name: str,
        place: Place,
        digest: str,
        card: tuple[str, str] | None,
        reason: str = "",
        console_works: bool = False,
    ) -> None:
        """Record a vote on the plan with this digest (its first 12 signs suffice), given on the card at (channel, ts).

        `card` is None when the vote was not given on a message.
        """
        raise NotImplementedError

    def withdraw(self, request_id: str, *, by: PersonId) -> None:
        """The requester takes the request back before it runs."""
        raise NotImplementedError

    def look_now(self, request_id: str, *, by: PersonId) -> None:
        """Make a request whose outcome is not known due at once."""
        raise NotImplementedError

    def answer(self, question: Question, *, asker: PersonId, name: str, place: Place) -> None:
        """Find the answer in the background and tell the asker alone."""
        raise NotImplementedError

    def details(self, request_id: str, *, asker: PersonId, place: Place) -> None:
        """Tell the asker alone all there is about a request."""
        raise NotImplementedError

    def needs_console_tick(self, request_id: str) -> str:
        """Why an approver must say that console access works today; empty if nobody asks for it."""
        raise NotImplementedError

    def whisper(self, place: Place, to: str, text: str) -> None:
        """Say a sentence to one person alone."""
        raise NotImplementedError
