"""The script that scans a host for masks: constant, without any foreign text in it, and it changes nothing."""

from bot.core.systemd.config_management import AGENTS
from bot.core.systemd.host_script import WHY_NOT, WORDS
from bot.core.systemd.properties import SHOWN_OF_MASK, STAT_FORMAT
from bot.core.systemd.search_path import ONLY_THOSE_THERE, PACKAGED, SYSTEM, words
from bot.core.systemd.units import UNIT_TYPES

MOST = 500  # masks that are listed, and failed units; all masks are counted

# Directories in which people and programs make masks. Those in /usr/lib come with packages: nobody made them on this
# host, `unmask` cannot remove them, and Debian alone has some dozens. So they are only counted.
FOLDERS = tuple(folder for folder in SYSTEM if folder not in PACKAGED)
_VENDOR = tuple(folder for folder in SYSTEM if folder in PACKAGED)

# systemd's own unit_name_is_valid(): any other file in these directories is no unit.
_NAME = r"[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?\.(" + "|".join(UNIT_TYPES) + ")"

# systemd treats links to a device and empty files as masks (measured): /dev/null, but also /dev/zero, a link to
# such a link, or a link to an empty file.
SCRIPT = f"""\
{WORDS}say '@maskbot-scan 1'
read -r machine_id </etc/machine-id
read -r boot_id </proc/sys/kernel/random/boot_id
ask() {{ /usr/bin/systemctl --no-ask-password "$@"; }}
failing() {{ ask show --state=failed -p Id -- '*'; }}
failed=$(failing 2>/dev/null) || case $(failing 2>&1) in
{WHY_NOT}say @host "machine_id=$machine_id" "boot_id=$boot_id"
masks() {{
  find -L "$@" -maxdepth 1 -regextype posix-extended -regex '.*/{_NAME}' \\
    '(' -type c -o -type b -o -type f -empty ')' -exec /usr/bin/stat -c '{STAT_FORMAT}' -- {{}} + 2>/dev/null
}}
count() {{ grep -c . <<EOT
$1
EOT
}}
set -- {words(_VENDOR)}
{ONLY_THOSE_THERE}vendor=$(count "$(masks "$@")")
set -- {words(FOLDERS)}
{ONLY_THOSE_THERE}for folder; do [ -r "$folder" ] && [ -x "$folder" ] || fail no_list; done
found=$(masks "$@")
say @counts "masks=$(count "$found")" "vendor=$vendor"
say @masks
units=
while IFS='|' read -r kind size identity name; do
  [ "$name" ] || continue
  say "$kind|$size|$identity|$name"
  name=${{name#\\'}}
  name=${{name%%\\'*}}
  name=${{name##*/}}
  case $name in *@.*) ;; *) units="$units $name" ;; esac
done <<EOT
$(head -n {MOST} <<IN
$found
IN
)
EOT
say @states
[ -z "$units" ] || ask show -p {",".join(SHOWN_OF_MASK)} -- $units 2>/dev/null
say @agents
ask show -p {",".join(SHOWN_OF_MASK)} -- {" ".join(AGENTS)} 2>/dev/null
say @failed-units
grep . <<EOT | head -n {MOST}
$failed
EOT
say @end
"""
