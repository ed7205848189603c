"""Record all messages as they happen, so that tests that wait need not read a channel again and again."""

from dataclasses import dataclass, field

from tests.lab.slack.workspace import Json


@dataclass(slots=True)
class Said:
    """The messages of all channels, threads and ephemeral ones included, by channel and in order of time.

    Written in the thread of the proxy and read in any: a message is replaced as a whole and never changed.
    """

    _channels: dict[str, dict[str, Json]] = field(default_factory=dict)

    def saw(self, frame: Json) -> None:
        """Record an event, as a page of the workspace gets it."""
        match frame["t"]:
            case "init":
                for messages in frame["state"]["messages"].values():
                    for message in messages:
                        self._keep(message)
            case "message" | "message_update":
                self._keep(frame["message"])
            case "message_delete":
                self._channels.get(frame["channel"], {}).pop(frame["ts"], None)

    def _keep(self, message: Json) -> None:
        self._channels.setdefault(message["channel"], {})[message["ts"]] = message

    def after(self, channel: str, ts: str) -> list[Json]:
        """The messages of a channel after this time."""
        said = self._channels.get(channel, {})
        return [message for key, message in list(said.items()) if key > ts]
