"""The part of the look's script that follows relays in front of sshd, from one to the one before it."""

MOST = 8  # relays in front of each other; a longer chain is not told to its end

# Of one relay, given who made its sockets and the ports at which systemd listens for it: its ends of the connections
# that come to it, who listens at these ports now, and who on this host is at the other end of them. A relay that
# nothing comes to over TCP, from here or from elsewhere, is reached in a way that is not seen: over a UNIX socket. A
# connection is of this host if the opposite socket is here as well, and is not of the machine around a container.
TOWARDS = r"""\
towards() {
  say "$listening" "$everything" | maker=$1 served=$2 container=$container awk '
function port(end) { sub(/.*:/, "", end); return end }
function plain(end) { sub(/\[::ffff:/, "", end); gsub(/[][]|%[^]:]*/, "", end); return end }
NF < 5 { next }
{ lines[++count] = $0; made[count] = $6; from[count] = plain($4) " " plain($5); to[count] = plain($5) " " plain($4) }
{ near[count] = port($4); far[count] = port($5); state[count] = $1 }
$1 == "LISTEN" { listens[port($4)] = 1; next }
{ ends[from[count]] = $6 }
END {
  split(ENVIRON["served"], ports, " ")
  for (each in ports) by_systemd[ports[each]] = 1
  for (i = 1; i <= count; i++) {
    if (state[i] == "LISTEN") continue
    started = made[i] ~ /:\/init\.scope$/ && near[i] in by_systemd
    if (made[i] != ENVIRON["maker"] && !started) continue
    if (near[i] in listens) { entered[near[i]] = explained = 1; continue }
    if (!(to[i] in ends) || (ENVIRON["container"] && ends[to[i]] ~ /unreachable:/)) explained = 1
  }
  for (i = 1; i <= count; i++) {
    if (state[i] == "LISTEN") is_part = near[i] in entered
    else is_part = far[i] in entered && to[i] in ends
    if (is_part && made[i] != ENVIRON["maker"] && !(made[i] in shown)) { shown[made[i]] = 1; print lines[i] }
  }
  if (!explained) print "unseen"
}'
}
"""

# The processes of a scope were started by somebody else, such as the manager of containers whose unit they end with.
FOLLOW = rf"""\
{TOWARDS}activated() {{
  [ "$1" ] || return 0
  wanted=$(/usr/bin/systemctl show -p TriggeredBy --value -- "$1" 2>/dev/null)
  IFS=$newline
  for line in $activations; do
    unset IFS
    set -- $line
    case " $wanted " in *" $2 "*) say "${{1##*:}}" ;; esac
  done
  unset IFS
}}
parents() {{
  read -r process <"$tree$1/cgroup.procs" || return
  walk "$process"
}} 2>/dev/null
follow() {{
  everything=$(sockets) followed= count=0
  while set -- $makers; [ $# -gt 0 ]; do
    maker=$1
    shift
    makers="$*"
    case " $followed " in *" $maker "*) continue ;; esac
    case $container$maker in *:/init.scope | yes*unreachable:*) continue ;; esac
    followed="$followed $maker" count=$((count + 1))
    [ $count -le {MOST} ] || {{ unseen=yes; break; }}
    unit=
    case $maker in
      *.service) unit=${{maker##*/}} ;;
      cgroup:/*.scope) managers="$managers$(parents "${{maker#cgroup:}}")$newline" ;;
    esac
    found=$(towards "$maker" "$(activated "$unit")")
    case $found in *unseen) unseen=yes found=${{found%unseen}} ;; esac
    passed="$passed$found$newline"
    waiting=$makers
    made "$found" ''
    makers="$waiting $makers"
  done
}}
"""
