"""Divide the targets of a rollout into waves, by hosts: all units of one host belong to the same wave."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from math import ceil

from bot.core.requests.rollout import RolloutTarget, TargetStatus
from bot.errors import UsageError

REST = "rest"
_MOST_WAVES = 50


def read_waves(typed: str) -> tuple[str, ...]:
    """The sizes of waves as typed: `1,10%,rest`. Hosts beyond the last number are the rest. Raises `UsageError`."""
    sizes = tuple(part.strip().lower() for part in typed.split(","))
    if not all(map(_is_size, sizes)) or REST in sizes[:-1]:
        raise UsageError(f"`{typed[:80]}` are no waves; write them like `1,10%,rest`.")
    if len(sizes) > _MOST_WAVES:
        raise UsageError(f"At most {_MOST_WAVES} waves can be named; the last one takes the rest.")
    return sizes if sizes[-1] == REST else (*sizes, REST)


def share(size: str, whole: int) -> int:
    """How many of `whole` a number or a percentage stands for; at least one."""
    if size.endswith("%"):
        return max(1, ceil(whole * int(size[:-1]) / 100))
    return int(size)


def hosts_of(targets: Iterable[RolloutTarget]) -> list[str]:
    """The hosts of the planned targets, each once and in their order."""
    return list(dict.fromkeys(one.host for one in targets if one.status is not TargetStatus.LEFT_OUT))


def ends_of_waves(sizes: Sequence[str], hosts: int) -> list[int]:
    """After how many of these hosts each wave but the last ends; the last one takes whatever is left."""
    return list(accumulate(share(size, hosts) for size in sizes[:-1]))


def in_waves(targets: Sequence[RolloutTarget], sizes: Sequence[str]) -> tuple[RolloutTarget, ...]:
    """The targets, each with the number of its wave.

    A share is one of all hosts. The last wave takes whatever is left.
    """
    hosts = hosts_of(targets)
    wave_of, begin = dict[str, int](), 0
    for number, end in enumerate([*ends_of_waves(sizes, len(hosts)), len(hosts)], start=1):
        wave_of |= dict.fromkeys(hosts[begin:end], number)
        begin = end
    return tuple(replace(one, wave=wave_of.get(one.host, 0)) for one in targets)


def _is_size(size: str) -> bool:
    if size == REST:
        return True
    number, most = (size[:-1], 100) if size.endswith("%") else (size, 10_000)
    return number.isascii() and number.isdigit() and 1 <= int(number) <= most
