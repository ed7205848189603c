"""The part of the look's script that reads unit files: the unit's own, and those that systemd has not loaded yet."""

from bot.core.systemd.host_script import BIGGEST
from bot.core.systemd.properties import SHOWN_OF_EDITED, SHOWN_OF_MANAGER, SHOWN_OF_OLDER

MOST_EDITS = 50  # files that changed since systemd loaded its units; the rest is counted

# The unit's own files, and every drop-in that applies to it (systemd.unit(5)), whether systemd has loaded it or not.
# Only regular files of moderate size are read; for unreadable ones size and times are printed.
CONTENTS = f"""\
contents() {{
  type=${{id##*.}} bearers=${{id##*.}}
  for name in $id $others; do
    stem=${{name%.*}}
    bearers="$bearers $name"
    case $stem in *@?*) bearers="$bearers ${{stem%%@*}}@.$type" stem=${{stem%%@*}} ;; esac
    while case ${{stem%-}} in *-*) ;; *) false ;; esac; do
      stem=${{stem%-}} stem=${{stem%-*}}-
      bearers="$bearers $stem.$type"
    done
  done
  for folder; do
    shift
    for bearer in $bearers; do [ ! -d "$folder/$bearer.d" ] || set -- "$@" "$folder/$bearer.d"; done
  done
  [ -z "$file" ] || set -- "$file" "$@"
  [ $# -eq 0 ] || as_owner find -L "$@" -maxdepth 1 '(' -type d ! -readable -o ! -type d ')' \\
    -printf '%y|%s|%i:%C@|%p\\n' \\
    -type f -size -{BIGGEST + 1}k -exec sha256sum -- {{}} + 2>/dev/null
}}
"""

# Files that systemd has not loaded yet: those whose change time, which nobody can set, is later than the last
# reload. Generated files are made anew at each reload, which shows its time where systemd is too old to tell it. From
# a directory that has changed, a file may have been removed.
KERNEL = f"""\
kernel() {{
  read -r hostname </proc/sys/kernel/hostname
  read -r boot_id </proc/sys/kernel/random/boot_id
  read -r uptime _ </proc/uptime
  loaded=
  say @kernel "hostname=$hostname" "boot_id=$boot_id" "uptime=$uptime"
  while IFS== read -r key value; do
    case $key in Version) say "systemd=$value" ;; UnitsLoadTimestamp) loaded=$value ;; esac
  done <<EOT
$(ask {" ".join(SHOWN_OF_MANAGER)} 2>/dev/null || ask {" ".join(SHOWN_OF_OLDER)} 2>/dev/null)
EOT
}}
changed() {{
  for folder; do
    shift
    case $folder in */transient | */generator*) ;; *) set -- "$@" "$folder" ;; esac
  done
  if [ "$loaded" ]; then
    as_owner find -H "$@" -maxdepth 2 -newerct "$loaded" -printf '/%P\n'
  elif [ -d /run/systemd/generator ]; then
    as_owner find -H "$@" -maxdepth 2 -newercc /run/systemd/generator -printf '/%P\n'
  fi 2>/dev/null | sed -n -e '1,{MOST_EDITS}p' -e '${{=;}}'
}}
edited() {{
  units= others= gone= all=0
  while IFS= read -r path && [ "$path" ]; do
    case $path in /*) path=${{path#/}} ;; *[!0-9]*) continue ;; *) all=$path; continue ;; esac
    case $path in
      '') gone=$kind; continue ;;
      *.d/*.conf) path=${{path%%.d/*}} ;;
      */*) continue ;;
      *.d) path=${{path%.d}} ;;
    esac
    case " $units $others " in *" $path "*) continue ;; esac
    case $path in
      [!A-Za-z0-9_]* | *[!A-Za-z0-9:_.@-]*) ;;
      *@.* | *-.*) others="$others $path" ;;
      *.*) units="$units $path" ;;
    esac
  done <<EOT
$(changed "$@")
EOT
  say @edited
  [ -z "$units" ] || ask show -p {",".join(SHOWN_OF_EDITED)} -- $units 2>/dev/null
  say @edited-for-many $others
  [ "$all" -le {MOST_EDITS} ] || say @edited-besides "$((all - {MOST_EDITS}))"
}}
# In one search: other files with the very bytes of the unit's own, each of which is a unit of its own that starts the
# same program; and timers with OnActiveSec=, which a reload by anybody counts from now (measured).
like_it() {{
  [ -z "$real" ] || [ "$length" ] || length=$(as_owner stat -L -c %s -- "$real" 2>/dev/null)
  set -- "$@" -maxdepth 2 '(' '(' -name '*.timer' -o -path '*.timer.d/*.conf' ')' -type f -size -{BIGGEST + 1}k \\
    -exec grep -lsE '^[[:space:]]*OnActiveSec[[:space:]]*=' -- '{{}}' + ')'
  [ "${{length:-0}}" -eq 0 ] || [ "$length" -gt $(({BIGGEST} * 1024)) ] || set -- "$@" , \\
    -type f -size "${{length}}c" ! -name '*.conf' ! -samefile "$real" \\
    -exec cmp -s -- "$real" '{{}}' ';' -printf '%d %f\\n'
  found=$(as_owner find -L "$@" 2>/dev/null)
  IFS=$newline
  say @counted-anew
  for entry in $found; do
    case $entry in /*) say "$entry" ;; esac
  done
  say @copies
  for entry in $found; do
    case $entry in '1 '*) name=${{entry#1 }} ;; *) continue ;; esac
    case $instance$name in ?*@.*) name=${{name%%@*}}@$instance.${{name##*.}} ;; esac
    say "$name"
  done
  unset IFS
}}
"""
