"""The part of the look's script that asks sudo for the bot's rights, without any effect."""

from bot.core.systemd.host_script import HOST_POLICY
from bot.core.systemd.systemctl import PROBE, RIGHTS, USER_RIGHTS, Argv, with_sudo

FOLDER = "folder"  # listed with the rights if the control layer has its directory
NEVER = "never"
"""Said among the rights where the guard on the host spares the unit."""


def _probe(form: Argv, user: str) -> str:
    """Ask sudo whether it would allow a command, without running it: sudo(8), `-l` with a command."""
    shown = [f'"{word}"' if "{" in word else word for word in with_sudo(form, user)[2:]]
    asked = " ".join(shown).replace("{unit}", "$id").replace("{link}", "$persistent/$id").replace("{user}", "$user")
    for word, tried in (("{probe}", "${persistent}/" + PROBE.text), ("{inode}", "1"), ("{changed}", "1.0")):
        asked = asked.replace(word, tried)
    return f"sudo -n -l {asked} >/dev/null"


def _granted(right: str, forms: tuple[Argv, ...], user: str = "") -> str:
    """Print the right if sudo allows all its commands; in the background, for each question takes milliseconds."""
    ready = ['[ -d "$control" ]'] if right == "control" else []
    probes = [_probe(form, user) for form in forms]
    return f"( {' && '.join([*ready, *probes, f'say {right}'])} ) 2>/dev/null &"


def one_by_one() -> str:
    """Shell code that asks for each right by itself."""
    system = [_granted(right, forms) for right, forms in RIGHTS.items()]
    user = [_granted(right, forms, "{user}") for right, forms in USER_RIGHTS.items()]
    return "\n".join(["granted() {", "say @granted", 'if [ "$user" ]; then', *user, "else", *system, "fi", "wait\n}\n"])


# All that sudo allows, in one question of 5 ms instead of 50 ms for single ones; if the list does not tell the
# bot's rights, the bot asks for each of them (`granted`).
LISTED = f"""\
rights() {{
  say @rights
  [ -z "${HOST_POLICY}" ] || say {NEVER}
  [ ! -d "$control" ] || say {FOLDER}
  say @sudo
  sudo -n -l 2>/dev/null
}}
"""
