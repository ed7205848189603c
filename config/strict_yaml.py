"""Read YAML files strictly: every value knows its line, so that every error can name it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bot.edges.private_files import Use, faults
from bot.errors import ConfigError
from config.policy_types import near, plainly

Loc = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_MISSING = "is missing"
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml takes a tenth of the time, and is not in every build
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, and the line of each value and key in it."""

    path: Path
    data: Any
    lines: Mapping[Loc, int]
    sha256: str  # SHA-256 of the file's bytes

    def line(self, loc: Loc) -> int:
        """The line of a value; if it is missing, of the mapping or list that should contain it."""
        known = next((loc[:end] for end in range(len(loc), 0, -1) if loc[:end] in self.lines), ())
        return self.lines.get(known, 1)

    def complaint(self, loc: Loc, text: str) -> str:
        """An error line that names file, line and place: `config/policy.yaml:12: rules[0].need: ...`."""
        text = f"{text}{self._whose(loc)}" if text == _MISSING else text
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
        return f"{self.path}:{self.line(loc)}: {place}: {text}" if place else f"{self.path}:{self.line(loc)}: {text}"

    def _whose(self, loc: Loc) -> str:
        """The name of the entry in which something is missing: there is no line that could be shown."""
        one = self.data
        for part in loc[:-1]:
            try:
                one = one[part]
            except (LookupError, TypeError):
                return ""
        return f" from {one['name']}" if isinstance(one, dict) and isinstance(one.get("name"), str) else ""


def read_document(path: Path) -> Document:
    """Read a file. Raises `ConfigError` if it is missing, is not plain YAML, or can be changed by others."""
    try:
        if wrong := [str(fault) for fault in faults(path, Use.CONFIGURATION) if fault.is_serious]:
            raise together(wrong)
        content = path.read_bytes()
    except FileNotFoundError:
        if (other := path.with_suffix(".yml")).exists():
            raise ConfigError(f"{path}: there is no such file, only {other.name}; rename that one") from None
        where = "MASKBOT_CONFIG_DIR names its folder, and `maskbot init` makes the first one"
        raise ConfigError(f"{path}: there is no such file; {where}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_document(path, content)


def parse_document(path: Path, content: bytes) -> Document:
    """The content of a file, also one that is not written yet. Raises `ConfigError`."""
    try:
        return _parse(path, content)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: {_unreadable(error, line)}") from None
    except yaml.YAMLError:
        raise ConfigError(f"{path}: contains characters that YAML does not allow") from None


def _unreadable(error: yaml.MarkedYAMLError, line: int) -> str:
    """What is wrong with the YAML, and where the list or mapping begins if that is on another line."""
    if isinstance(error, _NotAccepted):
        return str(error.problem)
    begin = error.context_mark.line + 1 if error.context_mark else line
    where = f", {error.context} that begins on line {begin}" if begin != line else ""
    mend = next((f"; {mend}" for said, mend in _MENDS.items() if said in str(error.problem)), "")
    return f"is not valid YAML: {error.problem}{where}{mend}"


def validate(document: Document, model: type[Model]) -> Model:
    """The content as a model. Raises `ConfigError` with one line for each error."""
    try:
        return model.model_validate(document.data if document.data is not None else {})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise together(
            document.complaint(_place(found), f"{_complaint_about(found)}{_meant(model, found)}")
            for found in sorted(details, key=lambda found: found["type"] != "extra_forbidden")
        ) from None


def together(complaints: Iterable[str]) -> ConfigError:
    """One error for several, a line each."""
    return ConfigError("\n".join(complaints))


def _place(found: ErrorDetails) -> Loc:
    return tuple(part for part in found["loc"] if part != "[key]")


def _complaint_about(found: ErrorDetails) -> str:
    return _PLAIN_WORDS.get(found["type"]) or plainly(found["msg"])


def _meant(model: type[BaseModel], found: ErrorDetails) -> str:
    """The key that was probably meant by an unknown one, or those that are allowed; of a list, where it belongs."""
    if found["type"] == "model_type" and not found["loc"]:
        lists = (name for name, field in model.model_fields.items() if get_origin(field.annotation) is list)
        below = next((name for name in lists if [*_models_in(model.model_fields[name].annotation)]), "")
        return f"; entries belong under `{below}:`" if below else ""
    if found["type"] != "extra_forbidden":
        return ""
    *path, key = _place(found)
    there = [name for one in _models_at([model], path) for name in one.model_fields]
    if meant := near(str(key), there):
        return f".{meant}"
    if path and (meant := near(str(key), model.model_fields)):
        return f".{meant} That key belongs at the top level"
    return f"; allowed here: {', '.join(there)}"


def _models_at(models: Sequence[type[BaseModel]], path: Loc | list[str | int]) -> list[type[BaseModel]]:
    """The models whose keys are allowed at a place: positions in lists and names in mappings lead to no other model."""
    for part in path:
        fields = [model.model_fields[part] for model in models if isinstance(part, str) and part in model.model_fields]
        models = [one for field in fields for one in _models_in(field.annotation)] or models
    return [*models]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


# What mends YAML that cannot be read, by what its reader says; the first that fits.
_INDENTATION = "compare the indentation with that of the lines above"
_MENDS = {
    "\\t": "indent with spaces, not tabs",
    "cannot start any token": "put this text in quotes",
    "mapping values are not allowed here": f"{_INDENTATION}, and put text that contains a colon in quotes",
    "expected <block end>": _INDENTATION,
    "expected ',' or": "a bracket or a comma is missing in the lines above",
    "could not find expected ':'": f"{_INDENTATION}, and check whether a colon is missing",
}
_PLAIN_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": _MISSING,
    "string_type": "has to be text; write numbers, yes and no in quotes",
    "int_type": "has to be a whole number, without quotes",
    "float_type": "has to be a number, without quotes",
    "bool_type": "has to be true or false, without quotes",
    "list_type": "has to be a list, like [a, b]",
    "dict_type": "has to be a mapping, with lines like `key: value`",
    "model_type": "has to be a mapping, with lines like `key: value`",
}


_DEEPEST = 50  # lists and mappings within each other
_TEXT = "tag:yaml.org,2002:str"
_LONGEST = 100  # signs of a number or a time; one in sixties (`1:59:59:...`) takes the square of its length
_BEGINS = (
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
)
_ENDS = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class _NotAccepted(yaml.MarkedYAMLError):
    """Valid YAML that is rejected here, because it is easily misread or takes long to read."""

    def __init__(self, problem: str, where: yaml.Token | yaml.Node) -> None:
        super().__init__(problem=problem, problem_mark=where.start_mark)


def _parse(path: Path, content: bytes) -> Document:
    text = content.decode()
    try:
        root = _composed(text, _FAST)
    except yaml.YAMLError:
        root = _composed(text, yaml.SafeLoader)  # which says better what is wrong
    lines: dict[Loc, int] = {}
    data = None if root is None else _value(root, (), lines)
    return Document(path, data, lines, hashlib.sha256(content).hexdigest())


def _composed(text: str, loader: Any) -> yaml.Node | None:
    """The tree of a text that is not only ours: an inventory answers with it. How deep it is, is asked of each token.

    Both readers take ever longer for each level, so that a megabyte of brackets would keep them busy for hours.
    """
    depth = 0
    for token in yaml.scan(text, Loader=loader):
        depth += isinstance(token, _BEGINS) - isinstance(token, _ENDS)
        if depth > _DEEPEST:
            raise _NotAccepted(f"lists and mappings are nested more than {_DEEPEST} deep", token)
        if isinstance(token, yaml.AliasToken):
            raise _NotAccepted("aliases (`*name`) are not allowed; write the value again", token)
    root: yaml.Node | None = yaml.compose(text, Loader=loader)
    return root


def _value(node: yaml.Node, loc: Loc, lines: dict[Loc, int]) -> Any:
    lines.setdefault(loc, node.start_mark.line + 1)
    match node:
        case yaml.MappingNode():
            return dict(_pair(key, value, loc, lines) for key, value in node.value)
        case yaml.SequenceNode():
            return [_value(item, (*loc, position), lines) for position, item in enumerate(node.value)]
        case _:
            return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    """A text, or what YAML takes for a number or a date: `2026-02-30` looks like one."""
    try:
        if node.tag != _TEXT and len(node.value) > _LONGEST:
            raise ValueError
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, ArithmeticError, LookupError, AttributeError):
        raise _NotAccepted("looks like a number or a date, and is none; put text into quotes", node) from None


def _pair(key: yaml.Node, value: yaml.Node, loc: Loc, lines: dict[Loc, int]) -> tuple[str, Any]:
    """Note the key's line for the value too: that is where people look for it."""
    if not isinstance(key, yaml.ScalarNode):
        raise _NotAccepted("a key must be a plain word", key)
    name = str(key.value)
    if (*loc, name) in lines:
        raise _NotAccepted(f"`{name}` is given twice", key)
    lines[(*loc, name)] = key.start_mark.line + 1
    return name, _value(value, (*loc, name), lines)
