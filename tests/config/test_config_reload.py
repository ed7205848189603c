"""A configuration is read again only when nobody is writing it any more, so that half of one is never in force."""

from collections.abc import Callable, Iterator

import pytest

from bot.app.reload import read_settled
from bot.errors import ConfigError
from tests.config.folder import POLICY, Folder

STAGE = "  - {name: stage, ask: [eng], approve: [sre]}\n"


def writing(folder: Folder, *texts: str) -> Callable[[float], None]:
    """Somebody who writes while we wait: this, then that; then no more."""
    written: Iterator[str] = iter(texts)

    def pause(_: float) -> None:
        folder.policy = next(written, folder.policy)
        folder.write()

    return pause


def test_what_stays_the_same_for_a_moment_is_taken(folder: Folder) -> None:
    folder.write()
    assert read_settled(folder.settings, pause=writing(folder)).policy.rules[0].name == "prod"


@pytest.mark.fault(
    "F72",
    how="policy.yaml written while it is read, at each step wrong or right as it stands",
    saw="nothing: the whole file is loaded once nobody writes it any more",
)
@pytest.mark.parametrize("half", [POLICY + STAGE[: len(STAGE) // 2], POLICY], ids=["is wrong", "is right as it stands"])
def test_a_half_written_file_is_waited_for_where_it(half: str, folder: Folder) -> None:
    folder.policy = half
    folder.write()
    found = read_settled(folder.settings, pause=writing(folder, POLICY + STAGE))
    assert [rule.name for rule in found.policy.rules] == ["prod", "stage"]


def test_what_is_wrong_and_stays_so_is_refused_with_its_line(folder: Folder) -> None:
    folder.policy = POLICY.replace("ask:", "aks:")
    folder.write()
    with pytest.raises(ConfigError, match=r"policy.yaml:9: rules\[0\].aks"):
        read_settled(folder.settings, pause=writing(folder))


def test_what_is_left_of_the_example_locks_nobody_out(folder: Folder) -> None:
    folder.policy = POLICY.replace("T0TEAM", "T0123ABCD")
    folder.write()
    with pytest.raises(ConfigError, match="policy.yaml:1: T0123ABCD is a placeholder"):
        read_settled(folder.settings, pause=writing(folder))


def test_what_never_stays_the_same_is_not_taken(folder: Folder) -> None:
    folder.write()
    with pytest.raises(ConfigError, match="changed while they were read"):
        read_settled(folder.settings, pause=writing(folder, *(f"{POLICY}# {number}\n" for number in range(99))))
