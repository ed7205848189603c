"""A fingerprint is the one that ssh-keygen(1) writes."""

import base64

from bot.core.hosts.fingerprint import fingerprint_of

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIK5x2AH2kXkmXrjTuCKqarbEEyaruaQavHC9hRRlU8tl"


def test_a_key_has_the_fingerprint_that_ssh_keygen_says() -> None:
    assert fingerprint_of(base64.b64decode(KEY)) == "SHA256:8hARNEZTBs7pTbBtGTbyvHcucsHc5TczxSmaheeWh3Q"
