"""Small mistakes, made on purpose in a copy of a module: one at a time, so that a test has to find each.

A mutant is known by the function that it is in and by the code before and after, so its name survives whatever is
written around it. Sentences for people are left alone: their tests read them aloud.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

_LONGEST = 160  # of the code that names a mutant; of a longer statement the changed part is enough
_BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITES = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot}
_OPPOSITES |= {ast.IsNot: ast.Is}
_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Mult: ast.Add}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
_METHODS = {"strip", "lower", "casefold", "removesuffix", "removeprefix", "lstrip", "rstrip"}
_NOT_VALUES = ("annotation", "returns", "targets", "target", "ctx", "op", "ops")
Replacement = tuple[ast.AST, str, object]
"""A node, the name of its field, and what stands there instead."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. `lines` are those of the mistake, in the module as it is; empty for what runs at the import."""

    file: str
    place: str
    change: str
    lines: range
    source: str

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.file}::{self.place}: {self.change}"


def mutants(file: str, source: str, *, named_only: bool = False) -> list[Mutant]:
    """All mutants of a module, in the order of their lines; with their names only that takes no time."""
    tree = ast.parse(source)
    compile(ast.unparse(tree), file, "exec")  # else every mutant of it would look impossible
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for where in _walk(tree):
        for node, field, instead in _replacements(where.node, where):
            change, mutated = _made(tree, where.statement, (node, field, instead), named_only=named_only)
            place = where.place or _assigned(where.statement)
            seen[place, change] += 1
            again = seen[place, change]
            lines = range(0) if where.is_at_import else _lines(where.statement, node)
            if mutated or named_only:
                found.append(Mutant(file, place, change + (f" (#{again})" if again > 1 else ""), lines, mutated))
    return found


@dataclass(frozen=True, slots=True)
class _Where:
    node: ast.AST
    parent: ast.AST
    statement: ast.stmt
    place: str
    is_at_import: bool
    may_be_none: bool = False  # what the function around it returns
    is_condition: bool = False  # or a part of one


def _walk(tree: ast.Module) -> Iterator[_Where]:
    for statement in tree.body:
        if not _is_docstring(statement) and _assigned(statement) != "__all__":
            yield from _within(statement, tree, _Where(statement, tree, statement, "", is_at_import=True))


def _within(node: ast.AST, parent: ast.AST, around: _Where) -> Iterator[_Where]:
    """A node and all below it, without docstrings, annotations, decorators and targets."""
    here = replace(around, node=node, parent=parent, statement=node if isinstance(node, ast.stmt) else around.statement)
    yield here
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield from _within_definition(node, here)
        return
    for name, value in ast.iter_fields(node):
        if name in _NOT_VALUES or (name == "slice" and around.is_at_import):  # a type
            continue
        begins = name in ("test", "ifs") and isinstance(node, ast.If | ast.IfExp | ast.While | ast.comprehension)
        goes_on = around.is_condition and isinstance(node, ast.BoolOp | ast.UnaryOp)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _within(child, node, replace(here, is_condition=begins or goes_on))


def _within_definition(node: ast.FunctionDef | ast.ClassDef, around: _Where) -> Iterator[_Where]:
    """The defaults of a function, which are made at the import, and the body."""
    here = replace(around, place=f"{around.place}.{node.name}".lstrip("."), is_condition=False)
    if isinstance(node, ast.FunctionDef):
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from _within(default, node.args, replace(here, is_at_import=True))
        returns = ast.unparse(node.returns) if node.returns else ""
        here = replace(here, is_at_import=False, may_be_none="None" in returns)
    for child in node.body:
        if not _is_docstring(child):
            yield from _within(child, node, here)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _assigned(statement: ast.stmt) -> str:
    """What a statement of the module itself assigns."""
    match statement:
        case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return ast.unparse(target)
    return "module"


def _replacements(node: ast.AST, where: _Where) -> Iterator[Replacement]:
    """What could stand there by mistake."""
    for kind, instead_of in _KINDS:
        if isinstance(node, kind):
            yield from instead_of(node, where)


def _of_condition(node: ast.If | ast.IfExp | ast.While, _: _Where) -> Iterator[Replacement]:
    """Always so, and never so."""
    for answer in (True, False):
        if not (isinstance(node, ast.While) and answer) and not isinstance(node.test, ast.Constant):
            yield node, "test", ast.Constant(answer)


def _of_comprehension(node: ast.comprehension, _: _Where) -> Iterator[Replacement]:
    for nth in range(len(node.ifs)):
        yield node, "ifs", node.ifs[:nth] + node.ifs[nth + 1 :]
    if node.ifs:
        yield node, "ifs", [ast.Constant(value=False)]


def _of_case(node: ast.Match, _: _Where) -> Iterator[Replacement]:
    """One case less; with a guard, also without it."""
    for nth, case in enumerate(node.cases):
        is_proven = ast.unparse(case.body[0]).startswith("assert_never(")
        if len(node.cases) > 1 and not is_proven:
            yield node, "cases", node.cases[:nth] + node.cases[nth + 1 :]
        if case.guard:
            yield case, "guard", None


def _of_choice(node: ast.BoolOp, where: _Where) -> Iterator[Replacement]:
    """One part less."""
    for nth in range(len(node.values)):
        rest = node.values[:nth] + node.values[nth + 1 :]
        yield _in_parent(where, ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0])


def _of_comparison(node: ast.Compare, where: _Where) -> Iterator[Replacement]:
    """At the bound; and the opposite, which in a condition is found wherever a whole part less is found."""
    for nth, op in enumerate(node.ops):
        other = _BOUNDS.get(type(op))
        if other is None and not where.is_condition:
            other = _OPPOSITES.get(type(op))
        if other:
            yield node, "ops", [*node.ops[:nth], other(), *node.ops[nth + 1 :]]


def _of_not(node: ast.UnaryOp, where: _Where) -> Iterator[Replacement]:
    if isinstance(node.op, ast.Not) and not where.is_condition:
        yield _in_parent(where, node.operand)


def _of_arithmetic(node: ast.BinOp, where: _Where) -> Iterator[Replacement]:
    is_type = where.is_at_import and isinstance(node.right, ast.Name) and not node.right.id.isupper()
    if is_type:
        return
    if other := _ARITHMETIC.get(type(node.op)):
        yield node, "op", other()


def _of_constant(node: ast.Constant, where: _Where) -> Iterator[Replacement]:
    """Numbers one higher, and the other truth."""
    if isinstance(node.value, bool):
        yield _in_parent(where, ast.Constant(not node.value))
    elif isinstance(node.value, int | float):
        yield _in_parent(where, ast.Constant(node.value + 1))


def _of_return(node: ast.Return, where: _Where) -> Iterator[Replacement]:
    """Nothing, where that is an answer, too."""
    is_none = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    if where.may_be_none and not is_none:
        yield node, "value", ast.Constant(None)


def _of_statement(node: ast.stmt, where: _Where) -> Iterator[Replacement]:
    """Left out."""
    if isinstance(node, ast.Expr) and ast.unparse(node).startswith("assert_never("):
        return  # mypy proves that nobody gets there
    assigns = isinstance(node, ast.Assign) and not any(isinstance(one, ast.Name | ast.Tuple) for one in node.targets)
    if assigns or isinstance(node, ast.Expr | ast.Raise | ast.AugAssign | ast.Continue | ast.Break | ast.Delete):
        yield _in_parent(where, ast.Pass())


def _of_collection(node: ast.Tuple | ast.List | ast.Set, where: _Where) -> Iterator[Replacement]:
    """One element less."""
    match where.parent:
        case ast.Subscript() | ast.Assign(targets=[ast.Tuple()]):
            return
    for nth in range(len(node.elts)):
        yield node, "elts", node.elts[:nth] + node.elts[nth + 1 :]


def _of_mapping(node: ast.Dict, where: _Where) -> Iterator[Replacement]:
    for nth in range(len(node.keys)):
        rest = ast.Dict(node.keys[:nth] + node.keys[nth + 1 :], node.values[:nth] + node.values[nth + 1 :])
        yield _in_parent(where, rest)


def _of_call(node: ast.Call, where: _Where) -> Iterator[Replacement]:
    """The opposite function; a text as it came instead of a tidied one."""
    if isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        yield node, "func", ast.Name(_NAMES[node.func.id])
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        yield _in_parent(where, node.func.value)


_KINDS: tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[Replacement]]], ...] = (
    ((ast.If, ast.IfExp, ast.While), _of_condition),
    (ast.comprehension, _of_comprehension),
    (ast.Match, _of_case),
    (ast.BoolOp, _of_choice),
    (ast.Compare, _of_comparison),
    (ast.UnaryOp, _of_not),
    (ast.BinOp, _of_arithmetic),
    (ast.Constant, _of_constant),
    (ast.Return, _of_return),
    (ast.stmt, _of_statement),
    ((ast.Tuple, ast.List, ast.Set), _of_collection),
    (ast.Dict, _of_mapping),
    (ast.Call, _of_call),
)


def _in_parent(where: _Where, instead: ast.AST) -> Replacement:
    """The same, where the parent holds the node, alone or in a list."""
    for name, value in ast.iter_fields(where.parent):
        if value is where.node:
            return where.parent, name, instead
        if isinstance(value, list) and any(one is where.node for one in value):
            return where.parent, name, [instead if one is where.node else one for one in value]
    raise AssertionError(ast.unparse(where.node))


def _made(tree: ast.Module, statement: ast.stmt, replacement: Replacement, *, named_only: bool) -> tuple[str, str]:
    """The change in words, and the whole module with it; nothing where that cannot be Python."""
    node, field, instead = replacement
    was = getattr(node, field)
    before, part = _head(statement), ast.unparse(node)
    setattr(node, field, instead)
    try:
        is_left_out = isinstance(instead, list) and statement in was and statement not in instead
        after, part_after = "pass" if is_left_out else _head(statement), ast.unparse(node)
        mutated = "" if named_only else _python(tree)
    finally:
        setattr(node, field, was)
    for one, other in ((before, after), (part, part_after)):
        if one != other and max(len(one), len(other)) <= _LONGEST and "\n" not in one + other:
            return f"{one} => {other}", mutated
    return " => ".join(_difference(was, instead)), mutated


def _python(tree: ast.Module) -> str:
    try:
        mutated = ast.unparse(ast.fix_missing_locations(tree))
        compile(mutated, "mutant", "exec")
    except (ValueError, SyntaxError):
        return ""
    return mutated


def _difference(was: object, instead: object) -> tuple[str, str]:
    """Of long collections, the one element that is left out; of other long parts, the part itself."""
    if isinstance(was, list) and isinstance(instead, list):
        gone = [one for one in was if not any(one is other for other in instead)]
        new = [one for one in instead if not any(one is other for other in was)]
        return _text(gone), _text(new) or "left out"
    return _text([was]), _text([instead])


def _text(nodes: list[object]) -> str:
    whole = " ".join(ast.unparse(one) if isinstance(one, ast.AST) else str(one) for one in nodes)
    return " ".join(whole.split())[:_LONGEST]


def _head(statement: ast.stmt) -> str:
    """A statement without the statements inside it."""
    if not hasattr(statement, "body"):
        return ast.unparse(statement)
    return ast.unparse(statement).partition("\n")[0]


def _lines(statement: ast.stmt, node: ast.AST) -> range:
    """The lines whose execution may meet the mistake."""
    first = statement.lineno
    last = getattr(node, "end_lineno", None) or statement.end_lineno or first
    if hasattr(statement, "body") and not isinstance(node, ast.expr):
        last = statement.body[0].lineno if isinstance(statement, ast.If | ast.While) else statement.end_lineno or first
    return range(first, max(first, last) + 1)
