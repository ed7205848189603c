"""What the scripts of all looks begin with, and how they say that systemd cannot be asked."""

BIGGEST = 1024
"""KiB: a file that is bigger is no unit file, and is not read."""

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
  *'not found'*) fail no_systemctl ;;
  *'Failed to connect'* | *'Transport endpoint'*) fail no_bus ;;
  *) fail show_failed ;;
esac
"""
"""What it says instead of an answer where systemd cannot be asked."""
