"""The guard script for hosts: stands between the bot's key and a shell, and admits only the bot's own commands.

sshd runs it instead of the requested command (`command=` in authorized_keys). It admits the bot's commands word for
word, contains a copy of the critical list, and writes every root command into the host's own journal.
"""

import hashlib
import re
import shlex
from collections.abc import Iterable, Sequence

from bot.core.systemd.host_script import HOST_POLICY
from bot.core.systemd.look import SIZES, look_script
from bot.core.systemd.scan import scan_argv
from bot.core.systemd.systemctl import RIGHTS, USER_RIGHTS, Argv, as_pattern, checked_login, status_form, with_sudo
from bot.core.systemd.unit_list import unit_list_argv
from bot.errors import HostError

PATH = "/usr/local/libexec/maskbot-guard"
PROBE: Argv = ("/usr/bin/true",)
"""What no guard admits, and what harms nobody where there is none."""

REFUSED = 64
_MISSING = (126, 127)  # sh(1): it could not be run, or is not there
_SAID = re.compile(r"maskbot-guard ([0-9a-f]{12}): (.*)")
_BRINGS_DOWN = (
    "mask",
    "stop",
    "kill",
    "control",
)  # commands that are refused for critical units
_TOKEN = "@TOKEN@"  # noqa: S105 - a place in the text below
_TEXT = """\
#!/bin/sh
# Made by `maskbot guard`. It belongs to root, mode 0755, and so do the folders above it.
# sshd runs it for the bot's key, whatever was asked: command="{path}" in authorized_keys.
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset IFS ENV BASH_ENV CDPATH
set -fu
said=${{SSH_ORIGINAL_COMMAND-}}
look={look}
scan={scan}
names={names}
trail() {{ logger --tag maskbot-guard -- "$1" 2>/dev/null || :; }}
no() {{
  trail "refused: $1"
  printf 'maskbot-guard {token}: %s\\n' "$1" >&2
  exit {refused}
}}
# A name that systemd has escaped comes in quotes, for the sake of its backslash (shlex.quote of Python).
plainly() {{
  case $1 in
    *\\\\*) printf '%s\\n' "$1" | tr -d "'" ;;
    *) printf '%s\\n' "$1" ;;
  esac
}}
is() {{ printf '%s\\n' "$1" | grep -E -q -x -- "$2"; }}
critical() {{
  case $1 in
    {critical}) return 0 ;;
  esac
  return 1
}}
# A unit under any of its names; what cannot be asked is spared as well.
is_critical() {{
  critical "$1" && return 0
  names=$(systemctl show -p Id -p Names --value -- "$1" 2>/dev/null) || return 0
  for name in $(printf '%s\\n' "$names" | sed 's/"//g; s/[\\\\][\\\\]/\\\\/g'); do
    critical "$name" && return 0
  done
  return 1
}}
# A script of the bot as its command line says it: in single quotes (shlex.quote of Python).
as_said() {{
  printf "/bin/sh -c '%s\\n' %s" "$(printf '%s' "$1" | sed "s/'/'\\"'\\"'/g")" "$2"
}}
look_at() {{
  case $1 in
    *[!A-Za-z0-9_@:.\\\\\\'\\ -]*) no "not a look of the bot" ;;
  esac
  set -- "$(plainly "$1")"
  is "$1" "{unit} ({sizes}) ([a-z_][a-z0-9_-]*|'')?" || no "not a look of the bot"
  set -- $1
  [ "${{3-}}" != "''" ] || set -- "$1" "$2" ""
  is_critical "$1" && export {policy}=no
  exec /bin/sh -c "$look" maskbot-look "$1" "$2" "${{3-}}" </dev/null
}}
case $said in
  "/bin/sh -c "*)
    [ "$said" != "$(as_said "$scan" maskbot-scan)" ] || exec /bin/sh -c "$scan" maskbot-scan </dev/null
    [ "$said" != "$(as_said "$names" maskbot-units)" ] || exec /bin/sh -c "$names" maskbot-units </dev/null
    asked="$(as_said "$look" maskbot-look) "
    case $said in
      "$asked"*) look_at "${{said#"$asked"}}" ;;
    esac
    no "not a look of the bot" ;;
  *[!A-Za-z0-9_@=:./\\\\\\'\\ -]*) no "not a command of the bot" ;;
esac
said=$(plainly "$said")
while read -r what form; do
  is "$said" "$form" || continue
  unit=${{said##* }}
  [ "$what" = down ] && is_critical "${{unit##*/}}" && no "${{unit##*/}} is critical on this host"
  [ "$what" = look ] || trail "admitted: $said"
  exec $said </dev/null
done <<'EOT'
{forms}
EOT
no "not a command of the bot"
"""


def guard(critical: Iterable[str], *, users: Sequence[str] = ()) -> str:
    """The script for sh(1). `critical` are patterns of the critical list, `users` those whose managers it serves."""
    text = _text(critical, users)
    return text.replace(_TOKEN, token())


def token() -> str:
    """A digest of the bot's commands, by which the bot recognises a guard of another version; not of a host's lists."""
    return hashlib.sha256(_text((), ()).encode()).hexdigest()[:12]


def complaint(host: str, exit_code: int, stderr: str) -> HostError | None:
    """Why the guard refused a look; empty if it did not."""
    told = _SAID.search(stderr)
    if exit_code == REFUSED and told and told[1] != token():
        why = f"{host}: its guard is of another version ({told[1]}) than this bot's ({token()})."
        return HostError(f"{why} Nothing was sent. `maskbot guard` prints the right one.", code="host_not_ready")
    if exit_code == REFUSED and told:
        return HostError(f"{host}: its guard refused the look ({told[2][:80]}).", code="host_not_ready")
    if exit_code in _MISSING and "maskbot-guard" in stderr:
        why = f"{host}: its guard, {PATH}, is missing or cannot be run."
        return HostError(f"{why} Nothing was sent. `maskbot guard` prints it.", code="host_not_ready")
    return None


def _text(critical: Iterable[str], users: Sequence[str]) -> str:
    return _TEXT.format(
        path=PATH,
        token=_TOKEN,
        refused=REFUSED,
        policy=HOST_POLICY,
        unit=as_pattern("{unit}"),
        sizes="|".join(SIZES),
        look=shlex.quote(look_script()),
        scan=shlex.quote(scan_argv()[2]),
        names=shlex.quote(unit_list_argv()[2]),
        critical=" | ".join(sorted({_glob(pattern) for pattern in critical})) or "''",
        forms="\n".join(_forms(users)),
    )


def _glob(pattern: str) -> str:
    """A pattern of the critical list as sh(1) matches it: `*` and `?` mean the same there."""
    return "".join(sign if sign in "*?" else shlex.quote(sign) for sign in pattern)


def _forms(users: Sequence[str]) -> Iterable[str]:
    """One line per command: whether it may stop a unit, and the whole command."""
    for right, forms in RIGHTS.items():
        for form in forms:
            down = right in _BRINGS_DOWN and "-delete" not in form
            yield f"{'down' if down else 'back'} {as_pattern(' '.join(with_sudo(form)))}"
    yield f"look {as_pattern(' '.join(status_form()))}"
    for user in map(checked_login, users):
        for form in (form for right in sorted(USER_RIGHTS) for form in USER_RIGHTS[right]):
            yield f"back {as_pattern(' '.join(with_sudo(form, user)))}"
        yield f"look {as_pattern(' '.join(status_form(user)))}"
