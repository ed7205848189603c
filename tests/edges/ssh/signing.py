"""A signer of certificates, as an operator would write it, with a CA by ssh-keygen(1)."""

from pathlib import Path

from tests.edges.ssh_server import make_key

# It notes what it was asked and how, and signs with the CA beside it; `answer` may say what it does instead.
SIGNER = """\
#!/bin/sh -e
cd {folder}
cat >asked
env >environment
sed -n 's/.*"public_key": "\\([^"]*\\)".*/\\1/p' asked >own.pub
rm -f own-cert.pub
names=$(sed -n 's/.*"host": "\\([^"]*\\)", "login": "\\([^"]*\\)".*/\\2@\\1/p' asked)
id=$(sed -n 's/.*"key_id": "\\([^"]*\\)".*/\\1/p' asked)
sign() {{
  ssh-keygen -q -s "${{1-ca}}" -I "$id" -z 7 -n "$names" -V +5m own.pub
  cat own-cert.pub
}}
if [ -e answer ]; then . ./answer; else sign; fi
"""


def make_signer(folder: Path) -> str:
    """Put `sign` and its CA into the folder; returns the CA's public line."""
    (folder / "sign").write_text(SIGNER.format(folder=folder))
    (folder / "sign").chmod(0o755)
    return make_key(folder / "ca")
