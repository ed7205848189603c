"""The seal keys of tests: they need not be secret, but every installation has one."""

from bot.core.audit.seal_keys import KeyRing, SealKey, as_line

KEY = SealKey("lab", b"\x07" * 32)
KEYS = KeyRing((KEY,))
SETTING = as_line(KEY)
