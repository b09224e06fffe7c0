"""Makes the mutants of a solution: one small change of its syntax tree each, all that the operators know.

A mutant is known by the function it sits in and the text of the changed statement before and after, so that
an account of it holds when lines move. What an exception says and its type are left as they are, docstrings
and imports too. Nothing is run here.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Change = ast.AST | list[ast.stmt] | None  # a node, statements in place of one, or None: removed
Operator = Callable[[ast.AST], Iterator[ast.AST]]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
}
TWINS = {
    "sigmoid": ("tanh",),
    "tanh": ("sigmoid", "relu"),
    "argmax": ("argmin",),
    "max": ("min",),
    "min": ("max",),
    "softmax": ("log_softmax",),
    "log_softmax": ("softmax",),
    "mean": ("sum",),
    "sum": ("mean",),
    "zeros": ("ones",),
    "new_zeros": ("new_ones",),
    "zeros_like": ("ones_like",),
    "randn": ("rand",),
    "eval": ("train",),
    "train": ("eval",),
    "flatten": ("squeeze",),
    "divmod": ("pow",),
    "no_grad": ("enable_grad",),
    "enable_grad": ("no_grad",),
    "all": ("any",),
    "exp": ("expm1", "cosh"),
    "RNN": ("GRU",),
    "LSTMCell": ("GRUCell",),
}


@dataclass(frozen=True)
class Mutant:
    """One changed program: `function` holds the statement that read `before` and reads `after`."""

    assignment: str
    function: str
    before: str
    after: str
    source: str = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What an account of it in `equivalent.toml` is found by."""
        return self.assignment, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{self.assignment}.{self.function}: {self.before}  →  {self.after}"


def mutants(assignment: str, source: str) -> list[Mutant]:
    """Every mutant of a solution, each program once, in the order of its lines."""
    tree = ast.parse(source)
    sites = [*_statements(tree, "")]
    around = {id(child): parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    seen = {ast.unparse(tree)}
    found = []
    for function, body, place in sites:
        original = body[place]
        before = headline(original)
        if isinstance(original, ast.Break | ast.Continue):  # known by what it hangs on
            before = f"{headline(around[id(original)])} {before}"
        for replacement in _changed_statements(original):
            body[place : place + 1] = replacement
            ast.fix_missing_locations(tree)
            text = ast.unparse(tree)
            body[place : place + len(replacement)] = [original]
            if text in seen:
                continue
            seen.add(text)
            after = "; ".join(headline(statement) for statement in replacement)
            found.append(Mutant(assignment, function, before, after, text + "\n"))
    return found


def headline(statement: ast.stmt) -> str:
    """The statement's text, of a compound one that of its first line, decorators before it."""
    text = ast.unparse(statement)
    if not hasattr(statement, "body"):
        return text
    head = []
    for line in text.split("\n"):
        head.append(line)
        if not line.startswith("@"):
            break
    return " ".join(head)


def _statements(node: ast.AST, function: str) -> Iterator[tuple[str, list[ast.stmt], int]]:
    """Every statement that may be changed: its function, and where it stands."""
    inner = function
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        inner = f"{function}.{node.name}".lstrip(".")
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if not isinstance(body, list):
            continue
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
                continue
            named = isinstance(statement, ast.FunctionDef | ast.ClassDef)
            yield f"{inner}.{statement.name}".lstrip(".") if named else inner or "module", body, place
            yield from _statements(statement, inner)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _changed_statements(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """What may stand in the statement's place: it is removed or unwrapped, or something on its first line changes."""
    if isinstance(statement, ast.ClassDef):
        return
    if not isinstance(statement, ast.FunctionDef | ast.Pass | ast.Try):
        yield [ast.Return()] if isinstance(statement, ast.Return) and statement.value else [ast.Pass()]
    if isinstance(statement, ast.With):
        yield statement.body
    if isinstance(statement, ast.Try):
        yield statement.body
        yield [*statement.body, *statement.finalbody]
    if isinstance(statement, ast.If):
        yield [_with(statement, test=ast.Constant(True))]
        if statement.orelse:
            yield [_with(statement, body=statement.orelse, orelse=statement.body)]
    if isinstance(statement, ast.If | ast.While):
        yield [_with(statement, test=ast.UnaryOp(ast.Not(), statement.test))]
    if isinstance(statement, ast.For):
        rest = ast.Slice(lower=ast.Constant(1)), ast.Slice(upper=ast.UnaryOp(ast.USub(), ast.Constant(1)))
        everything = ast.Call(ast.Name("list", ast.Load()), [statement.iter], [])
        yield from ([_with(statement, iter=ast.Subscript(everything, part, ast.Load()))] for part in rest)
        yield [_with(statement, body=[*statement.body, ast.Break()])]
    if isinstance(statement, ast.Break):
        yield [ast.Continue()]
    if isinstance(statement, ast.Continue):
        yield [ast.Break()]
    if isinstance(statement, ast.AugAssign):
        yield from ([_with(statement, op=op())] for op in ARITHMETIC.get(type(statement.op), ()))
        yield [ast.Assign([statement.target], statement.value)]
    if isinstance(statement, ast.FunctionDef):
        yield from ([changed] for changed in _changed_signatures(statement))
        return
    if isinstance(statement, ast.Raise):
        return
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody", "handlers"):
            continue
        if isinstance(value, ast.AST):
            yield from ([_with(statement, **{name: changed})] for changed in _changed(value))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                for changed in _changed(item):
                    yield [_with(statement, **{name: [*value[:place], changed, *value[place + 1 :]]})]


def _changed_signatures(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """A decorator gone; a default changed, or gone so that the argument has to be given."""
    for place in range(len(function.decorator_list)):
        yield _with(function, decorator_list=_without(function.decorator_list, place))
    arguments = function.args
    for name, defaults in (("defaults", arguments.defaults), ("kw_defaults", arguments.kw_defaults)):
        for place, default in enumerate(defaults):
            for changed in _changed(default) if default is not None else ():
                others = [*defaults[:place], changed, *defaults[place + 1 :]]
                yield _with(function, args=_with(arguments, **{name: others}))
    if arguments.defaults:
        yield _with(function, args=_with(arguments, defaults=arguments.defaults[1:]))


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    """Every expression that differs from this one in one place."""
    if isinstance(node, ast.JoinedStr | ast.Lambda):
        return
    for operator in OPERATORS:
        yield from operator(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            yield from (_with(node, **{name: changed}) for changed in _changed(value))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, ast.AST):
                    for changed in _changed(item):
                        yield _with(node, **{name: [*value[:place], changed, *value[place + 1 :]]})


def arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    """Another operator, one side only, and the sides of a matrix product the other way round."""
    if isinstance(node, ast.BinOp):
        yield from (_with(node, op=op()) for op in ARITHMETIC.get(type(node.op), ()))
        yield node.left
        yield node.right
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div | ast.FloorDiv | ast.Pow):
            yield _with(node, left=node.right, right=node.left)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node.operand


def logic(node: ast.AST) -> Iterator[ast.AST]:
    """Another comparison, `and` for `or`, a condition less, a `not` less, branches swapped."""
    if isinstance(node, ast.Compare):
        for place, comparison in enumerate(node.ops):
            for other in COMPARISONS[type(comparison)]:
                yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        for place in range(len(node.values)):
            rest = _without(node.values, place)
            yield rest[0] if len(rest) == 1 else _with(node, values=rest)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)
        yield node.body
        yield node.orelse
    if isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield _with(node, ifs=_without(node.ifs, place))


def constants(node: ast.AST) -> Iterator[ast.AST]:
    """A number one more, one less, negated, ten times as large or 0; the other truth value; another word."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        others = [value + 1, value - 1, -value, type(value)(0)]
        if isinstance(value, float):
            others.append(value * 10)
        yield from (ast.Constant(other) for other in dict.fromkeys(others) if other != value)
    elif isinstance(value, str):
        yield ast.Constant(value[:-1] if value else "x")


def places(node: ast.AST) -> Iterator[ast.AST]:
    """A bound of a slice less, an index more or less by one, a range one longer or shorter, tuples reordered."""
    if isinstance(node, ast.Slice):
        for name in ("lower", "upper", "step"):
            if getattr(node, name) is not None:
                yield _with(node, **{name: None})
    if isinstance(node, ast.Subscript):
        yield node.value
        if isinstance(node.slice, ast.Name):
            yield from (_with(node, slice=moved) for moved in _by_one(node.slice))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for place, argument in enumerate(node.args):
            for moved in _by_one(argument):
                yield _with(node, args=[*node.args[:place], moved, *node.args[place + 1 :]])
    if isinstance(node, ast.Tuple | ast.List):
        for place in range(len(node.elts) - 1):
            swapped = [*node.elts]
            swapped[place : place + 2] = reversed(swapped[place : place + 2])
            yield _with(node, elts=swapped)
        if len(node.elts) > 2:
            yield from (_with(node, elts=_without(node.elts, place)) for place in range(len(node.elts)))
    if isinstance(node, ast.comprehension):
        everything = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
        yield _with(node, iter=ast.Subscript(everything, ast.Slice(lower=ast.Constant(1)), ast.Load()))


def calls(node: ast.AST) -> Iterator[ast.AST]:
    """Arguments swapped or dropped, the call gone and its object or argument left, another function of its kind."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        for twin in TWINS.get(name, ()):
            yield _with(node, **{"attr" if isinstance(node, ast.Attribute) else "id": twin})
    if not isinstance(node, ast.Call):
        return
    for place in range(len(node.args) - 1):
        swapped = [*node.args]
        swapped[place : place + 2] = reversed(swapped[place : place + 2])
        yield _with(node, args=swapped)
    for place in range(len(node.keywords)):
        yield _with(node, keywords=_without(node.keywords, place))
    if len(node.args) > 1:
        yield _with(node, args=node.args[:-1])
    if len(node.args) >= 1 and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield node.args[0]
    if isinstance(node.func, ast.Attribute) and not _is_namespace(node.func.value):
        yield node.func.value


OPERATORS: tuple[Operator, ...] = (arithmetic, logic, constants, places, calls)


def _by_one(node: ast.expr) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Constant):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))


def _is_namespace(node: ast.AST) -> bool:
    """Whether it is a module as in `torch.tanh`, which is no value."""
    if isinstance(node, ast.Attribute):
        return _is_namespace(node.value)
    return isinstance(node, ast.Name) and node.id in ("torch", "nn", "F", "math")


def _with(node: ast.AST, **changes: object) -> ast.AST:
    """A shallow copy of the node with some fields replaced."""
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _without(items: list, place: int) -> list:
    return [*items[:place], *items[place + 1 :]]
