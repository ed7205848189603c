"""The form of an audit record, as `maskbot audit export` prints it and sinks get it; and its JSON Schema."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from bot.core.audit.event_types import EVENT_TYPES

_STRICT = ConfigDict(extra="forbid", strict=True)
_TYPES = [{"const": name, "description": text} for name, text in EVENT_TYPES.items()]


def _known(kind: str) -> str:
    if kind not in EVENT_TYPES:
        raise ValueError(f"{kind} is not a type of audit event")
    return kind


Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Actor(BaseModel):
    """A Slack account."""

    model_config = _STRICT

    team: str
    user: str
    enterprise: str = Field(description="on Enterprise Grid; empty otherwise")


class ExportedRecord(BaseModel):
    """One record of maskbot's audit log."""

    model_config = _STRICT

    v: Literal[1] = Field(description="version of this record format")
    seq: int = Field(ge=1, description="number in the chain, without gaps; a sink may get a record twice")
    event_id: str = Field(description="unique id of the event")
    ts: str = Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$", description="when the event happened, in UTC"
    )
    instance: str = Field(description="the process that wrote the record")
    version: str = Field(description="the version of the process that wrote the record")
    config_digest: str = Field(description="the digest of the configuration that was in force")
    type: Annotated[str, AfterValidator(_known), Field(json_schema_extra={"oneOf": [*_TYPES]})]
    outcome: Literal["success", "failure", "unknown", "denied", "no_change"]
    reason_code: str = Field(description="the reason, as a code for programs; may be empty")
    request_id: str = Field(description="the request that it is about, or the person of a step-up; may be empty")
    follows: str | None = Field(description="the event before it that was stored with a change of its request")
    actor: Actor | None = Field(description="the person who acted, if any")
    data: dict[str, JsonValue] = Field(
        description="data of this type of event; an overlong text is an object with `cut`, `length` and `sha256`"
    )
    prev: Digest = Field(description="`hash` of the record before it; zeros in the first one")
    hash: Digest = Field(description="SHA-256 of `prev` and of the record without `prev`, `hash`, `kid` and `mac`")
    kid: str = Field(description="id of the seal key")
    mac: Digest = Field(description="HMAC-SHA256 of `hash` with the key for events")


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one record."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ExportedRecord.model_json_schema()}
