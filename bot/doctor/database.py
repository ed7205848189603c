"""Examine the database as a start would find it: whether it answers, can be used, and holds what the bot recorded."""

from collections.abc import Collection, Iterator

from bot.core.audit.seal_keys import KeyRing
from bot.doctor.check_result import DATABASE, CheckResult
from config.settings import Settings
from config.stored import examine_audit_log, examine_stored


def examine_database(settings: Settings, keys: KeyRing, *, said: Collection[str]) -> Iterator[CheckResult]:
    """The first fault that was not `said` already, or that there is none."""
    found = list(examine_stored(settings, keys)) or list(examine_audit_log(settings, keys))
    for one in found:
        if one.text not in said:
            yield CheckResult(DATABASE, "", is_ok=False, what=one.text, fix=one.fix)
    if not found:
        yield CheckResult(DATABASE, "", is_ok=True)
