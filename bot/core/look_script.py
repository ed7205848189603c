"""The one script that looks: constant, without a word of anybody's in it, and it changes nothing."""

from bot.core.search_path import ONLY_THOSE_THERE, SYSTEM, USER, words
from bot.core.systemctl import RIGHTS, SHOWN, SHOWN_OF_ALL, SHOWN_OF_NAME, STAT_FORMAT, USER_RIGHTS, Argv, with_sudo

# How every script of ours begins, and what it says instead of an answer where systemd cannot be asked.
WORDS = """\
export LC_ALL=C SYSTEMD_COLORS=0 SYSTEMD_PAGER=
unset QUOTING_STYLE
set -f
say() { printf '%s\\n' "$@"; }
plain() { say "$1" | sed 's/"//g; s/[\\\\][\\\\]/\\\\/g'; }
fail() { say "@failed" "$1" @end; exit 0; }
"""
WHY_NOT = """\
  *'has not been booted with systemd'*) fail no_systemd ;;
  *'valid invocation ID'*) fail not_a_unit ;;
  *sudo:*) fail sudo_denied ;;
  *'not found'*) fail no_systemctl ;;
  *'Failed to connect'* | *'Transport endpoint'*) fail no_bus ;;
  *) fail show_failed ;;
esac
"""

HOST_POLICY = "MASKBOT_HOST_POLICY"
"""Set by the guard on the host where its own list spares the unit."""

NEVER = "never"
"""Said among the rights then."""

# Its arguments: the unit, `full` or `short`, and a login for that user's own manager or nothing.
_BEGIN = f"""\
{WORDS}unit=$1 size=$2 user=$3 manager=
say '@maskbot-look 1'
read -r machine_id </etc/machine-id
if [ "$user" ]; then
  kind=user
  entry=$(getent passwd "$user") || fail no_user
  IFS=: read -r _ _ uid _ _ home _ <<EOT
$entry
EOT
  running=$(/usr/bin/systemctl show -p ActiveState --value -- "user@$uid.service" 2>/dev/null)
  [ "$running" = active ] || fail no_user_manager
  manager=$(/usr/bin/systemctl show -p InvocationID --value -- "user-runtime-dir@$uid.service" 2>/dev/null)
  control=$home/.config/systemd/user.control persistent=$home/.config/systemd/user runtime=/run/user/$uid/systemd/user
  ask() {{ sudo -n /usr/bin/systemctl --no-ask-password --user -M "$user@.host" "$@"; }}
  stats() {{ sudo -n -u "$user" /usr/bin/stat "$@"; }}
  set -- {words(USER)}
else
  kind=system
  control=/etc/systemd/system.control persistent=/etc/systemd/system runtime=/run/systemd/system
  ask() {{ /usr/bin/systemctl --no-ask-password "$@"; }}
  stats() {{ /usr/bin/stat "$@"; }}
  set -- {words(SYSTEM)}
fi
{ONLY_THOSE_THERE}show() {{ ask show -p {",".join(SHOWN)} -- "$unit"; }}
shown=$(show 2>/dev/null) || case $(show 2>&1) in
{WHY_NOT}say @unit "$shown"
"""

# Of a stop command nothing but when it began and ended: what it runs is foreign text. sed takes the last that matches.
_WHEN = r"\[\([^] ]*\)[^]]*\]"
_COMMANDS = rf"s/^\(ExecStop[A-Za-z]*\)={{ .* ; start_time={_WHEN} ; stop_time={_WHEN} ; pid=.*/\1 \2 \3/p"

# A masked unit has lost its other names; the disk still tells them: links to it, and whatever is the same file as the
# one behind the mask. An instance has the further names of its template. A name that has a mask of its own keeps it,
# whatever its Id has become.
_NAMES_AND_LAYERS = f"""\
id= names= file= drop_ins= load=
while IFS= read -r line; do
  case $line in
    Id=*) id=${{line#*=}} ;;
    Names=*) names=$(plain "${{line#*=}}") ;;
    LoadState=*) load=${{line#*=}} ;;
    FragmentPath=*) file=${{line#*=}} ;;
    DropInPaths=*) drop_ins=$(plain "${{line#*=}}") ;;
  esac
done <<EOT
$shown
EOT
aliases=$(find -H "$@" -maxdepth 1 -type l -printf '%f %l\\n' 2>/dev/null | while read -r name goal; do
  case $goal in "$id" | */systemd/$kind/"$id") say "$name" ;; esac
done)
real=$file place=$id instance=
case $id in *@?*.*) instance=${{id#*@}} instance=${{instance%.*}} ;; esac
if [ "$load" = masked ]; then
  real=
  for folder; do
    for name in "$id" ${{instance:+"${{id%%@*}}@.${{id##*.}}"}}; do
      [ "$real" ] || [ ! -f "$folder/$name" ] || [ ! -s "$folder/$name" ] || real=$folder/$name
    done
  done
fi
same=$([ -z "$real" ] || find -L "$@" -maxdepth 1 -samefile "$real" -printf '%f\n' 2>/dev/null | while read -r name; do
  case $instance$name in ?*@.*) name=${{name%%@*}}@$instance.${{name##*.}} ;; esac
  say "$name"
done)
for folder in "$control" "$persistent" "$runtime"; do
  [ ! -c "$folder/$unit" ] || place=$unit
done
others=
for name in $names $aliases $same; do
  case " $id $others " in *" $name "*) continue ;; esac
  case $name in [!A-Za-z0-9_]* | *[!A-Za-z0-9:_.@\\\\-]* | *@.*) continue ;; esac
  others="$others $name"
done
say @names
[ -z "$others" ] || {{ say "$others" '' && ask show -p {",".join(SHOWN_OF_NAME)} -- $others; }}
say @layers "control=$control/$place" "persistent=$persistent/$place" "runtime=$runtime/$place"
say @files
stats -c '{STAT_FORMAT}' -- / "$control/$place" "$persistent/$place" "$runtime/$place" 2>/dev/null
case "$user|$shown" in "|"*ActiveState=deactivating*)
  say @stopping
  ask show -p ExecStop -p ExecStopPost -- "$unit" 2>/dev/null | sed -n '{_COMMANDS}' | while read -r one begun ended; do
    case $begun in n/a) begun=no ;; *) begun=yes ;; esac
    case $ended in n/a) ended=no ;; *) ended=yes ;; esac
    say "$one $begun $ended"
  done ;;
esac
say @host "machine_id=$machine_id" ${{manager:+"manager=$manager"}}
[ "$size" = full ] || {{ say @end; exit 0; }}
"""

# sudo is asked while systemd answers for all units: each of the two takes as long as the rest together.
# Without --all, `*` leaves out what is loaded but inactive (measured).
_SURROUNDINGS = f"""\
all=$(ask show --all -p {",".join(SHOWN_OF_ALL)} -- '*' 2>/dev/null | sed '/=$/d; /Action=none$/d')
wait
read -r hostname </proc/sys/kernel/hostname
read -r boot_id </proc/sys/kernel/random/boot_id
say @kernel "hostname=$hostname" "boot_id=$boot_id" "systemd=$(/usr/bin/systemctl show -p Version --value)"
say @hashes
[ -z "$file$drop_ins" ] || sha256sum -- $file $drop_ins 2>/dev/null
say @links
find -H "$@" -maxdepth 2 -type l -printf '%p|%l\\n' 2>/dev/null | while IFS='|' read -r path goal; do
  case $path in "$control/$place" | "$persistent/$place" | "$runtime/$place") continue ;; esac
  for name in $id $others; do
    case "$path|$goal|" in */"$name|"* | *"|$name|") say "$path|$goal"; break ;; esac
  done
done
say @lifeline
process=$$
while [ "${{process:-0}}" -gt 1 ]; do
  while IFS= read -r line; do
    case $line in 0::* | *:name=systemd:*) say "${{line#*:*:}}" ;; esac
  done 2>/dev/null <"/proc/$process/cgroup"
  parent=
  while read -r key value _; do [ "$key" = PPid: ] && parent=$value; done 2>/dev/null <"/proc/$process/status"
  process=$parent
done
say @near
[ "$load" != not-found ] || find -H "$@" -maxdepth 1 -name '*.*' ! -type d -printf '%f\\n' 2>/dev/null
say @units "$all"
"""


def _probe(form: Argv, user: str) -> str:
    """Ask sudo whether it would, without doing it: sudo(8), `-l` with a command."""
    words = [f'"{word}"' if "{" in word else word for word in with_sudo(form, user)[2:]]
    asked = " ".join(words).replace("{unit}", "$id").replace("{link}", "$persistent/$id").replace("{user}", "$user")
    return f"sudo -n -l {asked} >/dev/null"


def _granted(right: str, forms: tuple[Argv, ...], user: str = "") -> str:
    """Say the right where sudo admits all its commands; in the background, for each question takes milliseconds."""
    ready = ['[ -d "$control" ]'] if right == "control" else []
    probes = [_probe(form, user) for form in forms]
    return f"( {' && '.join([*ready, *probes, f'say {right}'])} ) 2>/dev/null &"


def _rights() -> str:
    system = [_granted(right, forms) for right, forms in RIGHTS.items()]
    user = [_granted(right, forms, "{user}") for right, forms in USER_RIGHTS.items()]
    policy = f'[ -z "${{{HOST_POLICY}-}}" ] || say {NEVER}'
    return "\n".join(["say @rights", policy, 'if [ "$user" ]; then', *user, "else", *system, "fi\n"])


SCRIPT = f"{_BEGIN}{_NAMES_AND_LAYERS}{_rights()}{_SURROUNDINGS}say @end\n"
