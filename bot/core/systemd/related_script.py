"""The part of the look's script that finds the related units: what stops with it, and what triggers what."""

from bot.core.systemd.config_management import AGENTS
from bot.core.systemd.host_rules import STOPS_TOO
from bot.core.systemd.properties import SHOWN_OF_RELATED

MANY = 20  # related units, of which those that are not loaded cost little

# Follow relations from unit to unit while there are new ones: what would stop too, and what triggers what. Of many
# units only the loaded ones are asked: one that is not loaded does not run, nothing loaded refers to it, and systemd
# would read it for the question together with all that it names, each time anew (measured: 0.3 s for each of 1,000).
RELATED = f"""\
relations() {{
  IFS=$newline
  for line in $1; do
    case $line in {" | ".join(f"{name}=*" for name in STOPS_TOO)} | $2) ;; *) continue ;; esac
    line=${{line#*=}}
    case $line in *'"'*) line=$(plain "$line") ;; esac
    IFS=' '
    for name in $line; do
      case " $seen " in *" $name "*) ;; *) seen="$seen $name" ahead="$ahead $name" ;; esac
    done
  done
  unset IFS
}}
only_loaded() {{
  set -- $ahead
  [ $# -gt {MANY} ] || return 0
  [ "$states" ] || states=$(cat /dev/fd/3)
  ahead=$(say "$states" '' "$@" | awk '!NF {{ names = 1; next }} !names {{ loaded[$1] = 1; next }} $1 in loaded')
}}
# The first question is also about the unit's further names, which come first.
related() {{
  ahead= seen=$id too=$others
  relations "$shown" 'Trigger*=*'
  for name in {" ".join(AGENTS)}; do
    for folder; do [ ! -e "$folder/$name" ] || ahead="$ahead $name"; done
  done
  say @related
  while only_loaded; [ "$too$ahead" ]; do
    found=$(ask show -p {",".join(SHOWN_OF_RELATED)} -- $too $ahead 2>/dev/null) ahead= too=
    say "$found" ''
    relations "$found" ''
  done
}}
"""
