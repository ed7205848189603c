"""Whether this process trusts the audit chain; kept in memory, so that nothing in the database can change it."""


class Integrity:
    """While the chain is broken, nothing is carried out."""

    def __init__(self) -> None:
        self._why = ""

    @property
    def why_broken(self) -> str:
        """Why the chain is not trusted; empty while it is."""
        return self._why

    def found(self, why: str) -> bool:
        """Note the result of a verification; return whether it is another one than before."""
        is_news, self._why = why != self._why, why
        return is_news
