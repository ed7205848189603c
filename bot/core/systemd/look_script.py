"""The script of a look: constant, without any foreign text in it, and it changes nothing."""

from bot.core.systemd.host_rules import RIGHTS_FD
from bot.core.systemd.host_script import WHY_NOT, WORDS
from bot.core.systemd.own_access_script import WAY_IN
from bot.core.systemd.properties import RELATIONS, SHOWN, SHOWN_OF_NAME, STAT_FORMAT, STATES, STATUS
from bot.core.systemd.related_script import RELATED
from bot.core.systemd.search_path import ONLY_THOSE_THERE, SYSTEM, USER, words
from bot.core.systemd.unit_files_script import CONTENTS, KERNEL, LIKE_IT
from bot.core.systemd.unread_edits_script import EDITED

# Arguments: the unit, the size of the look, and a login for that user's own manager or nothing.
_BEGIN = f"""\
{WORDS}unit=$1 size=$2 user=$3 manager= states=
say '@maskbot-look 1'
read -r machine_id </etc/machine-id
if [ "$user" ]; then
  kind=user
  entry=$(getent passwd "$user") || fail no_user
  IFS=: read -r _ _ uid gid _ home _ <<EOT
$entry
EOT
  running=$(/usr/bin/systemctl show -p ActiveState --value -- "user@$uid.service" 2>/dev/null)
  [ "$running" = active ] || fail no_user_manager
  manager=$(/usr/bin/systemctl show -p InvocationID --value -- "user-runtime-dir@$uid.service" 2>/dev/null)
  control=$home/.config/systemd/user.control persistent=$home/.config/systemd/user runtime=/run/user/$uid/systemd/user
  export XDG_RUNTIME_DIR="/run/user/$uid"
  as_owner() {{ /usr/bin/setpriv --reuid="$uid" --regid="$gid" --clear-groups -- "$@"; }}
  ask() {{ as_owner /usr/bin/systemctl --no-ask-password --user "$@"; }}
  set -- {words(USER)}
else
  kind=system
  control=/etc/systemd/system.control persistent=/etc/systemd/system runtime=/run/systemd/system
  ask() {{ /usr/bin/systemctl --no-ask-password "$@"; }}
  as_owner() {{ "$@"; }}
  set -- {words(SYSTEM)}
fi
{ONLY_THOSE_THERE}"""

# Of a stop command only when it began and ended: its text is foreign. sed takes the last match.
_WHEN = r"\[\([^] ]*\)[^]]*\]"
_COMMANDS = rf"s/^\(ExecStop[A-Za-z]*\)={{ .* ; start_time={_WHEN} ; stop_time={_WHEN} ; pid=.*/\1 \2 \3/p"

# A masked unit has lost its other names; the disk still has them: links to it, and files that are identical to
# the one behind the mask. An instance has the further names of its template. A name with a mask of its own keeps
# it, whatever its Id has become.
_ITSELF = f"""\
show() {{ ask show -p {",".join((*SHOWN, *RELATIONS))} -- "$unit"; }}
itself() {{
shown=$(show 2>/dev/null) || case $(show 2>&1) in
{WHY_NOT}say @unit "$shown"
id= names= file= load=
IFS=$newline
for line in $shown; do
  case $line in
    Id=*) id=${{line#*=}} ;;
    Names=*) names=$(plain "${{line#*=}}") ;;
    LoadState=*) load=${{line#*=}} ;;
    FragmentPath=*) file=${{line#*=}} ;;
  esac
done
unset IFS
real=$file place=$id instance= length= linked= depth=2
[ "$size" != short ] || depth=1
case $id in *@?*.*) instance=${{id#*@}} instance=${{instance%.*}} ;; esac
if [ "$load" = masked ]; then
  real=
  for folder; do
    for name in "$id" ${{instance:+"${{id%%@*}}@.${{id##*.}}"}}; do
      [ "$real" ] || [ ! -f "$folder/$name" ] || [ ! -s "$folder/$name" ] || real=$folder/$name
    done
  done
fi
[ -e "$real" ] || real=
links=$(as_owner find -H "$@" -maxdepth $depth '(' -type l ${{real:+-o -samefile "$real"}} ')' \\
  -printf '%d %s|%p|%l\n' 2>/dev/null)
IFS=$newline
reached=$id
while [ "$reached" ]; do
  nearer=$reached reached=
  for entry in $links; do
    case $entry in 1*) ;; *) continue ;; esac
    bytes=${{entry#1 }} path=${{entry#*|}}
    goal=${{path#*|}} path=${{path%%|*}}
    [ "$goal" ] || length=${{bytes%%|*}}
    name=${{path##*/}}
    for target in $nearer; do
      case $goal in "$target" | */systemd/$kind/"$target") ;; *) continue ;; esac
      case " $id $linked " in *" $name "*) continue ;; esac
      linked="$linked $name" reached=$reached$newline$name
    done
    [ "$real" ] && [ "$nearer" = "$id" ] && [ "$path" -ef "$real" ] || continue
    case $instance$name in ?*@.*) name=${{name%%@*}}@$instance.${{name##*.}} ;; esac
    names="$names $name"
  done
done
names="$names$linked"
[ "$instance" ] || linked=
unset IFS
for folder in "$control" "$persistent" "$runtime"; do
  [ ! -c "$folder/$unit" ] || place=$unit
done
others=
for name in $names; do
  case " $id $others " in *" $name "*) continue ;; esac
  case $name in [!A-Za-z0-9_]* | *[!A-Za-z0-9:_.@\\\\-]* | *@.*) continue ;; esac
  others="$others $name"
done
say @names
[ -z "$others" ] || say "$others" ''
[ -z "$others" ] || [ $depth = 2 ] || ask show -p {",".join(SHOWN_OF_NAME)} -- $others
[ -z "$linked" ] || say @linked $linked
say @layers "control=$control/$place" "persistent=$persistent/$place" "runtime=$runtime/$place"
say @files
for folder; do
  shift
  case $folder in "$control" | "$persistent" | "$runtime") ;; *) [ "$user" ] || set -- "$@" "$folder/$place" ;; esac
done
as_owner /usr/bin/stat -c '{STAT_FORMAT}' -- / "$control/$place" "$persistent/$place" "$runtime/$place" "$@" 2>/dev/null
case "$user|$shown" in "|"*ActiveState=deactivating*)
  say @stopping
  ask show -p ExecStop -p ExecStopPost -- "$unit" 2>/dev/null | sed -n '{_COMMANDS}' | while read -r one begun ended; do
    case $begun in n/a) begun=no ;; *) begun=yes ;; esac
    case $ended in n/a) ended=no ;; *) ended=yes ;; esac
    say "$one $begun $ended"
  done ;;
esac
say @host "machine_id=$machine_id" ${{manager:+"manager=$manager"}}
}}
"""

# The states of all units, in one call. The fifth column is written by the units' authors, and is dropped.
# For 3,000 units sed(1) takes 25 ms to find four words in each line, and awk(1) 3 ms.
_STATES = f"""\
states() {{ ask {" ".join(STATES)} 2>/dev/null | awk '{{ sub(/^[* ]+/, ""); print $1, $2, $3, $4 }}'; }}
"""

# File names, some of which may vanish meanwhile; for a user's own manager not all can be read.
_WIDE = """\
names() { as_owner find -H "$@" -maxdepth 1 -name '*.*' ! -type d -printf '%f\\n' 2>/dev/null; }
there() {
  say @there
  [ "$gone" != system ] || names "$@"
}
wide() {
  say @contents
  contents "$@"
  say @links
  IFS=$newline
  for entry in $links; do
    IFS=' '
    entry=${entry#*|}
    case $entry in *'|') continue ;; esac
    case $entry in "$control/$place|"* | "$persistent/$place|"* | "$runtime/$place|"*) continue ;; esac
    for name in $id $others; do
      case "$entry|" in */"$name|"* | *"|$name|") say "$entry"; break ;; esac
    done
  done
  unset IFS
  related "$@"
  say @near
  [ "$load" != not-found ] || names "$@"
}
"""

# For people, after the end of the answer: the bot does not parse it.
_STATUS = f"""\
status() {{
  case $size in result | acting) ask {" ".join(STATUS)} "$unit" 2>/dev/null ;; esac
}}
"""

# Independent questions run in parallel: each has a pipe of its own, which is read at the end. The last part comes from
# the guard, which asks root meanwhile.
_ASK = f"""\
case $size in
short)
  itself "$@"
  say @end
  ;;
result)
  states | {{
    exec 3<&0 </dev/null
    kernel | {{
      exec 4<&0 </dev/null
      status | {{
        exec 7<&0 </dev/null
        itself "$@"
        wide "$@"
        say @states ${{states:+"$states"}}
        cat /dev/fd/3 /dev/fd/4
        say @end
        cat /dev/fd/7
      }}
    }}
  }}
  ;;
full | acting)
  states | {{
    exec 3<&0 </dev/null
    {{ kernel; edited "$@"; there "$@"; }} | {{
      exec 4<&0 </dev/null
      way_in "$@" | {{
        exec 5<&0 </dev/null
        status | {{
          exec 7<&0 </dev/null
          itself "$@"
          like_it "$@" | {{
            exec 6<&0 </dev/null
            wide "$@"
            say @states ${{states:+"$states"}}
            cat /dev/fd/3 /dev/fd/4 /dev/fd/5 /dev/fd/6 /dev/fd/{RIGHTS_FD}
          }}
          say @end
          cat /dev/fd/7
        }}
      }}
    }}
  }}
  ;;
esac
"""

_PARTS = (_ITSELF, _STATES, CONTENTS, RELATED, KERNEL, EDITED, LIKE_IT, _WIDE, WAY_IN, _STATUS)
SCRIPT = "".join((_BEGIN, *_PARTS, _ASK))
