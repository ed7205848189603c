"""List a host's unit names for the options of a form: in some 50 ms, and only names."""

from bot.core.systemd.guard import Argv
from bot.core.systemd.host_script import WORDS
from bot.core.systemd.output import sections
from bot.core.systemd.search_path import ONLY_THOSE_THERE, SYSTEM, words
from bot.core.systemd.systemctl import asked_of_guard
from bot.core.systemd.units import UnitName
from bot.errors import HostError

_SECTION = "unit_names"

# Units with files, and loaded units without: instances, transient and generated units. `list-unit-files` would
# list both, and takes half a second (measured); `list-units` prints text of the units' authors, so only its first
# two words are kept.
SCRIPT = f"""\
{WORDS}set -- {words(SYSTEM)}
{ONLY_THOSE_THERE}say '@maskbot-look 1' '@{_SECTION}'
{{
  find -H "$@" -maxdepth 1 -name '*.*' ! -type d -printf '%f\\n' 2>/dev/null
  /usr/bin/systemctl list-units --all --plain --no-legend --full 2>/dev/null | while read -r name load _; do
    [ "$load" = not-found ] || say "$name"
  done
}} | sort -u
say @end
"""


def unit_list_argv() -> Argv:
    """The command, which needs no root."""
    return asked_of_guard("units")


def parse_unit_list(stdout: str) -> tuple[UnitName, ...]:
    """The units that a request could name; other files in a unit directory are left out.

    Raises `HostError` if the output is cut off, `HostileOutput` if the script cannot have printed it.
    """
    found = sections(stdout, (_SECTION,))
    if _SECTION not in found:
        raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    names = (UnitName(line) for line in found[_SECTION] if UnitName.is_sendable(line))
    return tuple(sorted(name for name in names if not name.is_template))
