"""The open form as Slack has it: one id as long as it is open, and lists whose options the bot provides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.lab.slack import forms
from tests.lab.slack.workspace import Json


@dataclass(slots=True)
class Views:
    """The stand-in has one stack of forms for all people, and gives a form another id whenever it is updated."""

    stack: list[Json] = field(default_factory=list)
    owner: str = ""  # whose form is open
    offered: dict[str, list[Json]] = field(default_factory=dict)  # the bot's last options, by block id
    _first: dict[str, str] = field(default_factory=dict)  # a form's first id, by its later ones

    def named(self, view: Json) -> Json:
        """The form under its first id; the root of an updated one is the form before it."""
        root = str(view.get("root_view_id") or view["id"])
        if root != view["id"] and view["id"] not in self._first:
            self._first[view["id"]] = self._first.get(root, root)
        known = self._first.get(view["id"], view["id"])
        return {**view, "id": known, "root_view_id": known}

    def seen(self, stack: list[Json]) -> None:
        """Record the open forms that the stand-in reports."""
        was = self.stack[-1]["id"] if self.stack else ""
        self.stack = [self.named(view) for view in stack]
        if not self.stack or self.stack[-1]["id"] != was:
            self.offered.clear()

    def top(self) -> Json:
        """The form in front. Raises `LookupError` if none is open."""
        if not self.stack:
            raise LookupError("no form is open")
        return self.stack[-1]

    def open_view(self, view_id: str) -> Json | None:
        """The open form of that id."""
        return next((view for view in self.stack if view["id"] == view_id), None)

    def options(self, block: Json) -> list[Json]:
        """The options of a list that the bot fills: its last answer, and the initial ones."""
        initial = block["element"].get("initial_option")
        return [*self.offered.get(block["block_id"], ()), *([initial] if initial else [])]

    def filled(self, answers: Mapping[str, str | list[str]]) -> forms.Values:
        """Values for the form in front, from plain answers."""
        return forms.filled(self.top(), answers, self.options)
