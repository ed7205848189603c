"""Run a look's script on a host: in a clean environment, with a time limit after which all its processes end."""

import shlex

from bot.core.systemd.systemctl import Argv

SECONDS = 20
"""How long a script may run on the host; the bot waits a little longer, so that it hears of the end."""

BIGGEST = 1024
"""KiB: a file that is bigger is no unit file, and is not read."""

HOST_POLICY = "MASKBOT_HOST_POLICY"
"""Set by the guard on the host where its own list spares the unit."""

# Closing the SSH channel does not end what runs on the host (measured), so timeout(1) puts the script into a process
# group of its own and ends the whole group. The login's environment for tools (POSIXLY_CORRECT, TZ, a bus of its own)
# does not reach the script.
_BOUNDED = """\
exec /usr/bin/env -i LC_ALL=C TZ=UTC PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_COLORS=0 SYSTEMD_PAGER= \\
  SSH_CONNECTION="${{SSH_CONNECTION-}}" {policy}="${{{policy}-}}" \\
  /usr/bin/timeout -k 2 {seconds} /bin/sh -c {script} "$0" "$@"
"""

# A loop over the words of a variable starts no process, while a pipe starts two, and `read` reads byte by byte.
WORDS = """\
set -f
newline='
'
say() { printf '%s\\n' "$@"; }
plain() {
  case $1 in
    *'"'*) say "$1" | sed 's/"//g; s/[\\\\][\\\\]/\\\\/g' ;;
    *) say "$1" ;;
  esac
}
fail() { say "@failed" "$1" @end; exit 0; }
"""
"""How every script begins."""

WHY_NOT = """\
  *'has not been booted with systemd'*) fail no_systemd ;;
  *'valid invocation ID'*) fail not_a_unit ;;
  *sudo:*) fail sudo_denied ;;
  *'not found'*) fail no_systemctl ;;
  *'Failed to connect'* | *'Transport endpoint'*) fail no_bus ;;
  *) fail show_failed ;;
esac
"""
"""What it says instead of an answer where systemd cannot be asked."""


def script_argv(script: str, name: str, *arguments: str) -> Argv:
    """The command that runs a constant script; only its arguments vary."""
    bounded = _BOUNDED.format(policy=HOST_POLICY, seconds=SECONDS, script=shlex.quote(script))
    return ("/bin/sh", "-c", bounded, name, *arguments)
