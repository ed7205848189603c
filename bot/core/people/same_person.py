"""Accounts of one person: whoever has two of them makes one vote, as the policy file says."""

from dataclasses import dataclass

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class SamePerson:
    """Lists of accounts. The accounts of a list belong to one person, and no account is in two lists."""

    lists: tuple[frozenset[PersonId], ...] = ()

    def are_one(self, one: PersonId, other: PersonId) -> bool:
        """Whether two accounts belong to one person: they may be one account, or stand in one list."""
        return one.is_same_as(other) or any(listed.is_same_as(other) for listed in self._list_of(one))

    def key(self, account: PersonId) -> tuple[str, str]:
        """A key that is equal for all accounts of one person."""
        return min((one.key for one in self._list_of(account)), default=account.key)

    def _list_of(self, account: PersonId) -> frozenset[PersonId]:
        listed = (accounts for accounts in self.lists if any(one.is_same_as(account) for one in accounts))
        return next(listed, frozenset())
