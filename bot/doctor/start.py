"""Examine what `maskbot check` examines: the settings and files that the bot needs to start."""

from collections.abc import Iterable, Iterator

from bot.doctor.check_result import FILES, SETTINGS, CheckResult
from config.loading import ConfigProblem, Configuration


def examine_start(configuration: Configuration | None, found: Iterable[ConfigProblem]) -> Iterator[CheckResult]:
    """Every error and warning, and one line if there is nothing to say."""
    faults = {str(fault): fault for fault in (configuration.faults if configuration else ())}
    rest = [one for one in found if one.text not in faults]
    for one in rest:
        is_error = one.level == "error"
        yield CheckResult(SETTINGS, "", is_ok=not is_error, what=one.text, fix=one.fix, is_warning=not is_error)
    if configuration and not rest:
        yield CheckResult(SETTINGS, "", is_ok=True)
    said = "\n".join(one.text for one in rest)
    for fault in (fault for text, fault in faults.items() if text not in said):
        yield CheckResult(
            FILES, str(fault.path), is_ok=not fault.is_serious, what=fault.text, is_warning=not fault.is_serious
        )
