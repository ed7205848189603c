"""Read secrets from files: one file named by the environment, or a directory as systemd and Docker mount it."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from bot.errors import ConfigError

SECRETS_DIR = "MASKBOT_SECRETS_DIR"
SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "MASKBOT_SEAL_KEYS",
    "MASKBOT_DATABASE_URL",
    "MASKBOT_ON_CALL_TOKEN",
    "MASKBOT_PAGER_URL",
    "MASKBOT_PAGER_KEY",
    "MASKBOT_PAGER_SECRET",
    "MASKBOT_AUDIT_WEBHOOK_URL",
    "MASKBOT_AUDIT_WEBHOOK_SECRET",
)


def file_names() -> tuple[str, ...]:
    """The environment variables that name a secret's file."""
    return tuple(f"{name}_FILE" for name in SECRETS)


def read_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """The secrets from files, by the names of their environment variables.

    Raises `ConfigError`, which never contains a secret. `NAME_FILE` wins over a file of that name, in capitals or small
    letters, in MASKBOT_SECRETS_DIR.
    """
    folder = _folder(environ)
    found = {name: environ.get(f"{name}_FILE") or _in(folder, name) for name in SECRETS}
    return {name: _read(name, Path(path)) for name, path in found.items() if path}


def secret_place(environ: Mapping[str, str], name: str) -> str:
    """Where a secret is written, for people: its file, or else the variable itself."""
    path = environ.get(f"{name}_FILE") or _in(_folder(environ), name)
    return f"{path} ({name})" if path else name


def secret_paths(environ: Mapping[str, str]) -> list[Path]:
    """The files that hold secrets."""
    folder = _folder(environ)
    found = (environ.get(f"{name}_FILE") or _in(folder, name) for name in SECRETS)
    return [Path(path) for path in found if path]


def unread_files(environ: Mapping[str, str], key: Path | None) -> list[tuple[Path, str]]:
    """Files in MASKBOT_SECRETS_DIR that nothing reads, and the name that was meant. `key` is the bot's SSH key."""
    folder = _folder(environ)
    if folder is None:
        return []
    known = {name for secret in SECRETS for name in (secret, secret.lower())}
    used = {path.name for path in secret_paths(environ) if path.parent == folder} | known
    used |= {key.name, f"{key.name}-cert.pub", f"{key.name}.pub"} if key and key.parent == folder else set()
    found = (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))
    small = [name.lower() for name in SECRETS]
    return [(path, _meant(path.name, small)) for path in found if path.name not in used]


def _meant(name: str, known: list[str]) -> str:
    plain = name.lower().replace("-", "_").partition(".")[0]
    return next(iter(get_close_matches(plain, known, n=1, cutoff=0.6)), "")


def _folder(environ: Mapping[str, str]) -> Path | None:
    """A configured directory that is missing is a failed mount; no secret may be silently taken from elsewhere."""
    named = environ.get(SECRETS_DIR)
    if named and not Path(named).is_dir():
        raise ConfigError(f"{SECRETS_DIR}: no such directory: {named}")
    return Path(named) if named else None


def _in(folder: Path | None, name: str) -> str | None:
    candidates = [folder / name, folder / name.lower()] if folder else []
    return next((str(path) for path in candidates if path.exists()), None)


def _read(name: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}: its file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: its file {path} is not text") from None
    if not secret:
        raise ConfigError(f"{name}: its file {path} is empty")
    return secret
