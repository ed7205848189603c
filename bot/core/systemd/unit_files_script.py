"""The part of the look's script that reads unit files: the unit's own, and others with the same contents."""

from bot.core.systemd.host_script import BIGGEST
from bot.core.systemd.properties import SHOWN_OF_MANAGER, SHOWN_OF_OLDER

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
"""

LIKE_IT = f"""\
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
