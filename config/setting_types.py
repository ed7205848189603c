"""The value types of settings: durations, numbers, lists."""

import re
import shlex
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bot.core.audit.audit_shipping import read_address
from bot.core.audit.seal_keys import parse_keys
from bot.core.paging import why_not

_LONGEST_PAUSE = 300.0
_LATEST_LOOK = 86_400.0

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Days = Annotated[float, Field(gt=0, le=31 * 86_400)]
Threads = Annotated[int, Field(ge=1, le=256)]
Bytes = Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)]
Port = Annotated[int, Field(ge=0, le=65_535)]


def numbers(typed: str) -> list[float]:
    """Numbers with commas between them; an empty list if it is anything else."""
    try:
        return [float(word) for word in typed.split(",")]
    except ValueError:
        return []


def _are_pauses(typed: str) -> str:
    pauses = numbers(typed)
    if not pauses:
        raise ValueError("has to be seconds separated by commas, like 1,2,4")
    if not all(0 <= pause <= _LONGEST_PAUSE for pause in pauses):
        raise ValueError(f"has to be pauses of 0 to {_LONGEST_PAUSE:g} seconds")
    return typed


def _are_times(typed: str) -> str:
    if typed != "none":
        times = numbers(typed)
        if not times or times != sorted(set(times)) or not 0 < times[0] <= times[-1] <= _LATEST_LOOK:
            raise ValueError(f"has to be increasing seconds up to {_LATEST_LOOK:g}, like 60,300,900, or `none`")
    return typed


def _is_a_token(typed: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", typed.get_secret_value()):
        raise ValueError("has to be one word of letters, digits and dashes")
    return typed


def _may_go_there(typed: SecretStr) -> SecretStr:
    if wrong := why_not(typed.get_secret_value()):
        raise ValueError(wrong)
    return typed


def _is_a_command(typed: str) -> str:
    if not any(word.startswith("/") for word in command_words(typed)[:1]):
        raise ValueError("has to be a command line that begins with an absolute path, quoted as for a shell")
    return typed


def command_words(typed: str) -> tuple[str, ...]:
    """The words of a command line, which no shell ever sees; none if its quotes do not match."""
    try:
        return tuple(shlex.split(typed))
    except ValueError:
        return ()


def _is_syslog(typed: str) -> str:
    read_address(typed)
    return typed


def _are_seal_keys(typed: SecretStr) -> SecretStr:
    parse_keys(typed.get_secret_value())
    return typed


SealKeys = Annotated[SecretStr, AfterValidator(_are_seal_keys)]
SyslogPlace = Annotated[str, AfterValidator(_is_syslog)]
CommandLine = Annotated[str, AfterValidator(_is_a_command)]
Pauses = Annotated[str, AfterValidator(_are_pauses)]
Times = Annotated[str, AfterValidator(_are_times)]
Token = Annotated[SecretStr, AfterValidator(_is_a_token)]
Address = Annotated[SecretStr, AfterValidator(_may_go_there)]  # the URL of a receiver; it may contain a secret
