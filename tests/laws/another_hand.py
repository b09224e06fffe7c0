"""Rewrites a program as another hand would have written it: the same function, hardly a line the same.

It changes names of locals and helpers, the order of operands and of independent statements, operators
into calls and calls into methods, comparisons, branches, comprehensions, the words of errors, and moves
bodies into functions of their own. It keeps what the contract fixes: public names and parameters. It
knows the style of our solutions and of edits of them, not all of Python.
"""

from __future__ import annotations

import ast
import builtins
import copy

PREAMBLE = """
import torch
from torch.nn import functional as _functional

def _together(first, second):
    return first + second if isinstance(first, (list, str, tuple)) else second + first

def _product(first, second):
    return second * first

def _increased(number, step):
    number += step
    return number
"""
TO_METHODS = frozenset({"tanh", "sigmoid", "softmax", "log_softmax"})
TO_FUNCTIONS = frozenset({"argmax", "topk", "chunk", "flatten", "unbind"})
MIRRORED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}
Function = ast.FunctionDef


def rewrite(source: str, public: tuple[str, ...]) -> str:
    """The source in another hand; `public` are the names that stay."""
    tree = ast.parse(source)
    tree = _Expressions().visit(tree)
    tree = _Statements().visit(tree)
    _rename_locals(tree)
    _rename_helpers(tree, public)
    _move_bodies_out(tree)
    lines = [PREAMBLE, ast.unparse(ast.fix_missing_locations(tree))]
    return "\n".join(lines)


class _Expressions(ast.NodeTransformer):
    """Operators become calls, functions of tensors become methods and the other way round."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = node.left, node.right
        if isinstance(node.op, ast.MatMult):
            if isinstance(right, ast.Attribute) and right.attr == "T":
                return _call("_functional.linear", left, right.value)
            return _call("torch.matmul", left, right)
        if isinstance(node.op, ast.Add):
            return _call("_together", left, right)
        if isinstance(node.op, ast.Mult):
            return _call("_product", left, right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return node
        owner, name = node.func.value, node.func.attr
        is_torch = isinstance(owner, ast.Name) and owner.id == "torch"
        if is_torch and name in TO_METHODS and node.args:
            return ast.Call(ast.Attribute(node.args[0], name, ast.Load()), node.args[1:], node.keywords)
        if not is_torch and name in TO_FUNCTIONS and not _is_module(owner):
            return ast.Call(_dotted(f"torch.{name}"), [owner, *node.args], node.keywords)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) == 1 and type(node.ops[0]) in MIRRORED:
            return ast.Compare(node.comparators[0], [MIRRORED[type(node.ops[0])]()], [node.left])
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        self.generic_visit(node)
        return _call("list", ast.GeneratorExp(node.elt, node.generators))


class _Statements(ast.NodeTransformer):
    """Results get names, branches change places, errors other words, neighbours that don't mind the order swap."""

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        if node.value is None or isinstance(node.value, ast.Name):
            return [node]
        return [_assign("outcome_", node.value), ast.Return(ast.Name("outcome_", ast.Load()))]

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        if isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
            return _assign(node.target.id, _call("_increased", ast.Name(node.target.id, ast.Load()), node.value))
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        if isinstance(node.exc, ast.Call) and node.exc.args:
            first = node.exc.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                node.exc.args[0] = ast.Constant(f"Sorry: {first.value}!")
            elif isinstance(first, ast.JoinedStr):
                node.exc.args[0] = ast.JoinedStr([ast.Constant("Sorry: "), *first.values, ast.Constant("!")])
        return node

    def visit_If(self, node: ast.If) -> ast.stmt:
        self.generic_visit(node)
        if node.orelse:
            return ast.If(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)
        return node

    def visit_FunctionDef(self, node: Function) -> Function:
        self.generic_visit(node)
        node.body = _reordered(node.body)
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.body = _reordered(node.body)
        return node


def _reordered(body: list[ast.stmt]) -> list[ast.stmt]:
    """Two neighbours swap if both only give names to the results of harmless expressions, neither needing the other."""
    body, place = list(body), 0
    while place + 1 < len(body):
        one, other = body[place : place + 2]
        if _is_harmless(one) and _is_harmless(other):
            reads, writes = zip(_names(one), _names(other), strict=True)
            if not (writes[0] & (reads[1] | writes[1]) or writes[1] & reads[0]):
                body[place : place + 2] = [other, one]
                place += 1
        place += 1
    return body


def _is_harmless(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets):
        return False
    if any(not isinstance(n, ast.Name | ast.Tuple | ast.Store) for t in node.targets for n in ast.walk(t)):
        return False
    harmless = {"tanh", "sigmoid", "softmax", "chunk", "linear", "matmul", "_together", "_product", "len"}
    calls = [call.func for call in ast.walk(node.value) if isinstance(call, ast.Call)]
    return all(getattr(func, "attr", getattr(func, "id", "")) in harmless for func in calls)


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    return read, {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _rename_locals(tree: ast.Module) -> None:
    """Whatever a function binds itself, its parameters apart, gets another name."""
    fixed = {arg.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for arg in _arguments(node)}
    fixed |= {name for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    for function in [node for node in ast.walk(tree) if isinstance(node, Function)]:
        bound = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound = {name for name in bound - fixed if not name.endswith("_mine")}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in bound:
                node.id = f"{node.id}_mine"


def _rename_helpers(tree: ast.Module, public: tuple[str, ...]) -> None:
    """Functions, constants and methods that the contract does not name get other names."""
    top = {node.name for node in tree.body if isinstance(node, Function | ast.ClassDef)}
    top |= {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {node.name for cls in classes for node in cls.body if isinstance(node, Function)}
    inner = {n.name for f in ast.walk(tree) if isinstance(f, Function) for n in f.body if isinstance(n, Function)}
    ours = {name for name in top | methods | inner - set(public) if not name.startswith("__")}
    ours -= {*public, "forward", "backward", *dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef) and node.name in ours:
            node.name = f"own_{node.name}"
        elif isinstance(node, ast.Name) and node.id in ours:
            node.id = f"own_{node.id}"
        elif isinstance(node, ast.Attribute) and node.attr in methods & ours:
            node.attr = f"own_{node.attr}"


def _move_bodies_out(tree: ast.Module) -> None:
    """A function or method only passes its arguments on to a function that does the work."""
    body: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, Function) and not node.decorator_list:
            body.append(_moved(node, f"_work_of_{node.name}"))
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and not _uses_super(method) and not method.decorator_list:
                    body.append(_moved(method, f"_work_of_{node.name}_{method.name}"))
        body.append(node)
    tree.body = body


def _moved(function: Function, name: str) -> Function:
    arguments = function.args
    work = copy.deepcopy(function)
    work.name, work.args.defaults, work.args.kw_defaults = name, [], [None] * len(arguments.kwonlyargs)
    given: list[ast.expr] = [ast.Name(arg.arg, ast.Load()) for arg in arguments.posonlyargs + arguments.args]
    named = [ast.keyword(arg.arg, ast.Name(arg.arg, ast.Load())) for arg in arguments.kwonlyargs]
    if arguments.vararg:
        given.append(ast.Starred(ast.Name(arguments.vararg.arg, ast.Load()), ast.Load()))
    function.body = [ast.Return(ast.Call(ast.Name(name, ast.Load()), given, named))]
    return work


def _uses_super(function: Function) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(function))


def _arguments(node: ast.arguments) -> list[ast.arg]:
    return [*node.posonlyargs, *node.args, *node.kwonlyargs]


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "nn", "F", "math", "functional")


def _dotted(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_dotted(name), list(arguments), [])


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)
