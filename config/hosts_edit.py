"""Change the text of `hosts.yaml` as a person would: what is not changed stays as it is, comments too."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from bot.errors import ConfigError

NO_KEY = "  # no key yet: maskbot hosts scan"  # a note of ours, which goes when the first key comes


@dataclass(frozen=True, slots=True)
class Entry:
    """The new content of an entry. An empty field is left as it is; keys are added to those that are there."""

    name: str
    fields: Mapping[str, str]  # in the order of a new entry, as YAML text
    keys: tuple[str, ...] = ()
    note: str = ""  # a comment beside the keys of a new entry


@dataclass(frozen=True, slots=True)
class _Edit:
    begin: int
    end: int
    text: str


def quoted(word: str) -> str:
    """A word as YAML text: `no` and `007` are no words without quotes."""
    try:
        is_plain = yaml.safe_load(word) == word
    except yaml.YAMLError:
        is_plain = False
    return word if is_plain else json.dumps(word)


def edited(text: str, entries: Sequence[Entry]) -> str:
    """The text with these entries changed, or added after the last one. Raises `ConfigError`."""
    hosts = _hosts(text)
    known = {name.value: node for node in hosts.value if (name := _value(node, "name")) is not None}
    edits = [edit for entry in entries if entry.name in known for edit in _changes(text, known[entry.name], entry)]
    indent = " " * hosts.value[0].start_mark.column if hosts.value else "    "
    new = "".join(written(entry, indent) for entry in entries if entry.name not in known)
    if new:
        edits.append(_after(text, hosts.value[-1], f"\n{new}"))
    # From the end, so that positions hold; of two at one place the later one first, so that it stands after the other.
    for _, edit in sorted(enumerate(edits), key=lambda one: (one[1].begin, one[0]), reverse=True):
        text = text[: edit.begin] + edit.text + text[edit.end :]
    return text


def _hosts(text: str) -> yaml.SequenceNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    hosts = _value(root, "hosts") if isinstance(root, yaml.MappingNode) else None
    if not isinstance(hosts, yaml.SequenceNode) or hosts.flow_style or not hosts.value:
        raise ConfigError(
            "hosts.yaml: maskbot can only edit a list under `hosts:` in which each host is on lines of its own"
        )
    if any(not isinstance(node, yaml.MappingNode) or node.flow_style for node in hosts.value):
        raise ConfigError(
            "hosts.yaml: maskbot can only edit it if each host is written on lines of its own, without { }"
        )
    return hosts


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _changes(text: str, node: yaml.Node, entry: Entry) -> Iterator[_Edit]:
    first = node.value[0][0]
    indent = " " * first.start_mark.column
    added = ""
    for field, wanted in entry.fields.items():
        old = _value(node, field)
        if not wanted:
            continue
        if old is None:
            added += f"{indent}{field}: {wanted}\n"
        elif not _same(old, wanted):
            yield _Edit(old.start_mark.index, old.start_mark.index + len(_text_of(text, old)), wanted)
    keys = _value(node, "host_keys")
    if keys is None and entry.keys:
        added += f"{indent}host_keys:\n" + "".join(f"{indent}  - {key}\n" for key in entry.keys)
    elif keys is not None:
        yield from _more_keys(text, keys, entry.keys)
    if added:
        yield _after(text, node, added)


def _more_keys(text: str, node: yaml.Node, keys: Sequence[str]) -> Iterator[_Edit]:
    if not isinstance(node, yaml.SequenceNode) or not keys:
        return
    old = [str(item.value) for item in node.value]
    end = node.end_mark.index
    if node.flow_style or not node.value:
        noted = len(NO_KEY) if text.startswith(f"{NO_KEY}\n", end) else 0
        yield _Edit(node.start_mark.index, end + noted, f"[{', '.join([*old, *keys])}]")
    else:
        indent = " " * node.start_mark.column
        yield _after(text, node, "".join(f"{indent}- {key}\n" for key in keys))


def _text_of(text: str, node: yaml.Node) -> str:
    return text[node.start_mark.index : node.end_mark.index].rstrip()


def _same(old: yaml.Node, wanted: str) -> bool:
    """Whether the old value says what is wanted, in whichever form it is written."""
    new = yaml.safe_load(wanted)
    if isinstance(old, yaml.SequenceNode):
        return isinstance(new, list) and {str(item.value) for item in old.value} == {str(one) for one in new}
    return str(old.value) == str(new)


def _after(text: str, node: yaml.Node, added: str) -> _Edit:
    """Add lines after the last line of a node, before comments and blank lines that belong to what comes next."""
    last = _last(node)
    end = text.find("\n", last)
    if end < 0:
        return _Edit(len(text), len(text), f"\n{added}")
    return _Edit(end + 1, end + 1, added)


def _last(node: yaml.Node) -> int:
    """Where the last thing in a node ends. A block's own end mark is where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last(node.value[-1])
    return max(node.start_mark.index, node.end_mark.index - 1)


def written(entry: Entry, indent: str) -> str:
    """A new entry as YAML text; `indent` is that of its fields."""
    lines = [f"{indent[:-2]}- name: {quoted(entry.name)}"]
    lines += [f"{indent}{field}: {text}" for field, text in entry.fields.items() if text]
    if entry.keys:
        lines += [f"{indent}host_keys:", *(f"{indent}  - {key}" for key in entry.keys)]
    else:
        lines += [f"{indent}host_keys: []{entry.note}"]
    return "\n".join(lines) + "\n"
