"""Convert messages to text that the stand-in's page shows well; the stored messages stay unchanged."""

import re
from typing import Any

from tests.lab.slack.workspace import Json, Workspace

DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
GROUP = re.compile(r"<!subteam\^([A-Z0-9]+)(?:\|([^>]*))?>")
EVERYBODY = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
FENCED = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
ENTITY = re.compile(r"&(lt|gt|amp);")
# The page would read a bare `<` as the start of a mention or a link, so an invisible space follows it.
SIGNS = {"lt": "<\u200b", "gt": ">", "amp": "&"}


def message(said: Json, workspace: Workspace) -> Json:
    """A message, or a Home tab, for the page."""
    shown = dict(said)
    if isinstance(said.get("text"), str):
        shown["text"] = _words(said["text"], workspace)
    if isinstance(said.get("blocks"), list):
        shown["blocks"] = [_part(block, workspace) for block in said["blocks"]]
    return shown


def _part(part: Any, workspace: Workspace) -> Any:
    match part:
        case {"type": "mrkdwn", "text": str(text)}:
            return {**part, "text": _words(text, workspace)}
        case dict():
            return {key: _part(value, workspace) for key, value in part.items()}
        case list():
            return [_part(item, workspace) for item in part]
        case _:
            return part


def _words(text: str, workspace: Workspace) -> str:
    def group(found: re.Match[str]) -> str:
        known = workspace.groups.get(found[1])
        return found[2] or f"@{known.handle if known else found[1]}"

    text = FENCED.sub(lambda found: _lines_of_code(found[1]), text)
    text = DATE.sub(r"\1", text)
    text = GROUP.sub(group, text)
    text = EVERYBODY.sub(r"@\1", text)
    return ENTITY.sub(lambda found: SIGNS[found[1]], text)


def _lines_of_code(block: str) -> str:
    """The page knows only inline code, and folds spaces: so each line is inline code, with fixed spaces."""
    lines = (line.replace("`", "ˋ").replace(" ", "\u00a0") for line in block.split("\n"))
    return "\n".join(f"`{line}`" if line else "" for line in lines)
