"""Accounts of one person in `policy.yaml`: lists under `same_person`, and what is wrong in them."""

from collections.abc import Iterator, Mapping

from bot.core.people.identity import PersonId
from bot.core.people.same_person import SamePerson
from config.policy_file import PolicyFile
from config.strict_yaml import Document, Loc


def read_same_person(file: PolicyFile, people: Mapping[Loc, PersonId]) -> SamePerson:
    """The lists; `people` has everybody whom the file names, by their place in it."""
    lists = enumerate(len(accounts) for accounts in file.same_person)
    return SamePerson(tuple(frozenset(people["same_person", at, one] for one in range(size)) for at, size in lists))


def wrong_accounts(document: Document, people: Mapping[Loc, PersonId]) -> Iterator[str]:
    """Accounts that are named twice, and those that Slack would show with a team that the file leaves open."""
    known: list[tuple[Loc, PersonId]] = []
    for loc, account in people.items():
        if loc[0] != "same_person":
            continue
        if not account.team and not account.enterprise:
            text = "name its team, as in T0123ABCD:U0456EFGH (one of `teams`), unless `teams` names exactly one"
            yield document.complaint(loc, f"`{account.user}` could belong to any team; {text}")
        twin = next((where for where, one in known if one.is_same_as(account)), None)
        if twin:
            text = f"`{account.user}` is already listed in `same_person`, on line {document.line(twin)}"
            yield document.complaint(loc, text)
        known.append((loc, account))
