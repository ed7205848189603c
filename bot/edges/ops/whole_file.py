"""Write a file as a whole: whoever reads it meanwhile sees the old content or the new one, never a part."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, *, like: os.stat_result | None = None) -> None:
    """Replace the file, which only its owner may read, or with the mode and owner of `like`. Raises `OSError`."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        if like is not None:
            os.fchmod(file.fileno(), like.st_mode & 0o7777)
            with suppress(PermissionError):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
        os.fsync(file.fileno())
    new.replace(path)
