"""The part of the look's script that finds the units of our own login, by its processes and its sockets."""

from bot.core.systemd.host_rules import REMOTE_ACCESS
from bot.core.systemd.properties import SHOWN_OF_RELATED
from bot.core.systemd.relays_script import FOLLOW

# The processes above ours are those of sshd; but a login that PAM moved into its session has no listener among
# them, and a relay on the same host never has. The kernel tells everybody the cgroup in which a socket was made
# (ss(8) --cgroup): of the two ends of our connection, of listeners on its port, and of a relay's other end. A
# socket that systemd made for a unit is in systemd's own cgroup; then the port tells the unit.
WAY_IN = f"""\
carry() {{
  IFS=/
  for part in $1; do
    case $part in *.service | *.socket) ;; *) continue ;; esac
    case " $carriers " in *" $part "*) ;; *) carriers="$carriers $part" ;; esac
  done
  unset IFS
}}
sockets() {{ ss -H -t -n --cgroup "$@" 2>/dev/null; }}
# Who made these sockets, or those of them at one port. A loop over lines starts no process, and `read` would read each
# byte by itself. From a container inode 1 is the machine around it, which has no units here and no relays to follow.
fields() {{ here=$4 maker=$6; }}
made() {{
  makers= known=
  IFS=$newline
  for line in $1; do
    unset IFS
    fields $line
    case $here in *":$2") ;; *) [ -z "$2" ] || continue ;; esac
    case $maker in *:/init.scope) doors="$doors ${{here##*:}}" ;; esac
    case " $known " in *" $maker "*) continue ;; esac
    case $container$maker in yes*unreachable:1) continue ;; esac
    known="$known $maker"
    case $line in LISTEN*) ;; *) makers="$makers $maker" ;; esac
    carry "$maker"
    case $maker in *unreachable:*) unknown="$unknown ${{maker##*unreachable:}}" ;; esac
  done
  unset IFS
}}
lines() {{
  IFS=$newline
  for line in $1; do say "$line"; done
  unset IFS
}}
walk() {{
  process=$1
  while [ "${{process:-0}}" -gt 1 ]; do
    while IFS= read -r line; do
      case $line in 0::* | *:name=systemd:*) say "${{line#*:*:}}" ;; esac
    done 2>/dev/null <"/proc/$process/cgroup"
    parent=
    while read -r key value _; do
      [ "$key" != PPid: ] || {{ parent=$value; break; }}
    done 2>/dev/null <"/proc/$process/status"
    process=$parent
  done
}}
carry_all() {{
  IFS=$newline
  for line in $1; do carry "$line"; IFS=$newline; done
  unset IFS
}}
{FOLLOW}
# Whether a client is at the other end of a virtual cable of this host (veth): in another network namespace, where the
# sockets are not seen. A cable that also leads out of the host is none of those, and nothing leads out of loopback.
behind() {{
  case $1 in *[!0-9a-fA-F:.]* | '' | 127.* | ::1) return ;; esac
  route=$(ip -o route get "$1" 2>/dev/null)
  case $route in *' via '* | '') return ;; esac
  cable=${{route#* dev }} cable=${{cable%% *}}
  [ -z "$(ip -o route show default dev "$cable" 2>/dev/null)" ] || return
  for of in dev master; do
    [ -z "$(ip -o link show "$of" "$cable" type veth 2>/dev/null)" ] || {{ say behind=yes; return; }}
  done
}}
way_in() {{
  carriers= unknown= doors= container= unseen= managers= tree=/sys/fs/cgroup
  [ -e $tree/cgroup.controllers ] || tree=$tree/unified
  read -r client from _ at <<EOT
$SSH_CONNECTION
EOT
  above=$(walk $$)
  carry_all "$above"
  say @login_units "$above"
  [ ! -e /run/systemd/container ] || container=yes
  makers= passed= listening=
  case $from:$at in *[!0-9:]* | :) at= ;; esac
  ours="( sport = :$at and dport = :$from ) or ( sport = :$from and dport = :$at ) or"
  found=$(sockets -a "${{at:+$ours}} dport = :0")
  IFS=$newline
  for line in $found; do
    case $line in
      LISTEN*":$at "*) passed="$passed$line$newline" listening="$listening$line$newline" ;;
      LISTEN*) listening="$listening$line$newline" ;;
      *) passed="$passed$line$newline" ;;
    esac
  done
  unset IFS
  made "$passed" "$at"
  made "$passed" "$from"
  activations=$([ -z "$doors$makers" ] ||
    /usr/bin/systemctl list-sockets --all --full --plain --no-legend --no-pager 2>/dev/null)
  [ -z "$makers" ] || follow
  carry_all "$managers"
  say @way "connection=$SSH_CONNECTION" ${{container:+container=yes}} ${{unseen:+unseen=yes}}
  apart=$(behind "$client")
  [ -z "$apart" ] || say "$apart"
  say @sockets
  lines "$passed"
  say @listening
  lines "$listening"
  say @managers
  lines "$managers"
  say @cgroups
  if [ "$unknown" ]; then
    wanted=
    for inode in $unknown; do wanted="${{wanted:+$wanted -o }}-inum $((0x$inode))"; done
    paths=$(find $tree -type d '(' $wanted ')' -printf '%i /%P\n' 2>/dev/null)
    while read -r inode path; do
      [ -z "$path" ] || {{ say "$inode $path"; carry "$path"; }}
    done <<EOT
$paths
EOT
  fi
  say @starters
  [ -z "$doors" ] || while read -r listen name _; do
    case " $doors " in *" ${{listen##*:}} "*) say "$name"; carry "$name" ;; esac
  done <<EOT
$activations
EOT
  say @carriers
  for name in {" ".join(REMOTE_ACCESS)}; do
    for folder; do [ -h "$folder/$name" ] || [ ! -f "$folder/$name" ] || {{ carry "/$name"; break; }}; done
  done
  [ -z "$carriers" ] || /usr/bin/systemctl show -p {",".join(SHOWN_OF_RELATED)} -- $carriers 2>/dev/null
}}
"""
