"""The part of the look's script that finds files of other units which systemd has not read yet."""

from bot.core.systemd.properties import SHOWN_OF_EDITED

MOST_EDITS = 50  # files that changed since systemd loaded its units; the rest is counted
MOST_ASKED = 200  # loaded units that are asked where files were removed, 1.2 ms each (measured)

# What changed since systemd loaded its units: files whose change time, which nobody can set, is later than that.
# Generated files are made anew at each reload, which shows its time where systemd is too old to tell it. A reload
# reads what generators read, too, and its own configuration (systemd-system.conf(5)).
_CHANGED = rf"""\
changed() {{
  for folder; do
    shift
    case $folder in */transient | */generator*) ;; *) set -- "$@" "$folder" ;; esac
  done
  if [ "$loaded" ]; then
    since=-newerct moment=$loaded
  elif [ -d /run/systemd/generator ]; then
    since=-newercc moment=/run/systemd/generator
  else
    return
  fi
  {{
    find -H "$@" -maxdepth 2 $since "$moment" -printf '%H|%P|%l\n'
    find -L "$@" -maxdepth 2 -type f $since "$moment" -printf '%H|%P|\n'
    [ "$kind" = user ] || find -H /etc/fstab /etc/crypttab /etc/init.d /etc/systemd/system-generators \
      /etc/systemd/system.conf /etc/systemd/system.conf.d /run/systemd/system.conf.d /usr/lib/systemd/system.conf.d \
      -maxdepth 1 $since "$moment" -printf '|%H|%f\n'
  }} 2>/dev/null | awk '!had[$0]++ && ++count <= {MOST_EDITS} {{ print }} END {{ print "||" count + 0 }}'
}}
"""

# A folder of drop-ins that is new is not seen by systemd itself before it reloads, nor is a unit file that would
# override another one: NeedDaemonReload=no (measured). So the files are compared with what systemd has loaded. From
# a directory that has changed, a file may have been removed: then systemd is asked about all that is loaded.
EDITED = rf"""\
{_CHANGED}more() {{
  case " $others " in *" $1 "*) ;; *) others="$others $1" ;; esac
}}
noted() {{
  case $1 in [!/]* | *[!\ -~]*) ;; *) fresh="$fresh$1$newline" ;; esac
}}
edited() {{
  units= others= fresh= gone= all=0
  while IFS='|' read -r folder path goal; do
    name= whole=
    case $path in
      '') if [ "$folder" ]; then gone=$kind; else all=$goal; fi ;;
      /etc/fstab | /etc/crypttab) more "${{path##*/}}" ;;
      /etc/init.d) [ "$goal" = init.d ] || name=$goal.service ;;
      */system-generators) more generators ;;
      /*) more system.conf ;;
      *.wants | *.requires | *.upholds) name=${{path%.*}} whole=yes ;;
      *.d/*.conf) name=${{path%%.d/*}}; noted "$folder/$path|$goal" ;;
      */*) ;;
      *.d) name=${{path%.d}} ;;
      *) name=$path; noted "$folder/$path|$goal" ;;
    esac
    case $name in
      '' | [!A-Za-z0-9_]* | *[!A-Za-z0-9:_.@\\-]*) ;;
      *-.*) more "${{name%.*}}*.${{name##*.}}" ;;
      *@.*) more "$name" ;;
      *.*) [ -z "$whole" ] || more "$name"; units="$units $name" ;;
      service | socket | timer | path | mount | automount | swap | target | slice | scope | device) more "*.$name" ;;
    esac
  done <<EOT
$(changed "$@")
EOT
  if [ "$gone" ]; then
    set -- $(states | awk '$2 == "loaded" && $1 ~ /[.](service|socket|timer|path)$/ {{ print $1 }}')
    if [ $# -le {MOST_ASKED} ]; then units="$units $*" gone=; fi
  fi
  say @edited
  set -- $units
  [ $# -eq 0 ] || ask show -p {",".join(SHOWN_OF_EDITED)} -- $(say "$@" | sort -u) 2>/dev/null
  say @edited-for-many $others
  say @fresh
  lines "$fresh"
  [ "$all" -le {MOST_EDITS} ] || say @edited-besides "$((all - {MOST_EDITS}))"
}}
"""
