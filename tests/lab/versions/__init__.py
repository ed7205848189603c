"""More than one systemd: what `script/systemd-versions` measures on hosts of several Debian releases."""
