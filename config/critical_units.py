"""`critical-units.yaml`: the shipped list of units that nobody may mask, and an installation's additions."""

from pydantic import BaseModel, Field

from bot.core.policy.model import ListedUnit
from config.policy_types import Pattern, Sentence
from config.strict_yaml import STRICT, Document, together, validate


class CriticalUnitsEntry(BaseModel):
    """Units that are listed for one reason."""

    model_config = STRICT

    units: list[Pattern] = Field(min_length=1)
    because: Sentence


class CriticalFile(BaseModel):
    """Two tiers: critical (nobody may mask them) and guarded (more approvals, and confirmed console access)."""

    model_config = STRICT

    critical: list[CriticalUnitsEntry] = []
    guarded: list[CriticalUnitsEntry] = []


def read_lists(*documents: Document) -> tuple[tuple[ListedUnit, ...], tuple[ListedUnit, ...]]:
    """Critical and guarded units of all files; a later file adds and cannot remove. Raises `ConfigError`."""
    files = [_read(document) for document in documents]
    critical = [listing for file in files for listing in file.critical]
    guarded = [listing for file in files for listing in file.guarded]
    return _units(critical), _units(guarded)


def _read(document: Document) -> CriticalFile:
    """Read a file. An unknown tier is probably an attempt to shrink the list, and is answered as such."""
    known = set(CriticalFile.model_fields)
    others = [key for key in document.data if key not in known] if isinstance(document.data, dict) else []
    if others:
        text = "nothing can be removed from the shipped list; add units under `critical` and `guarded`"
        raise together(document.complaint((key,), text) for key in others)
    return validate(document, CriticalFile)


def _units(listings: list[CriticalUnitsEntry]) -> tuple[ListedUnit, ...]:
    units = [ListedUnit(pattern, listing.because) for listing in listings for pattern in listing.units]
    return tuple(dict.fromkeys(units))
