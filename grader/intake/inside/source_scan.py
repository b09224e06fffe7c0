"""Looks for the library's recurrent cells in the source of one module (parsed, never run).

It follows names, not text: a call of `nn.LSTM` counts, however it was imported or renamed, if the
class concerned can reach it from its body, its constructor or its `forward`. A comment, a type
annotation, an `isinstance`, a self-test below `if __name__ == "__main__"` or a class of one's own
that happens to be called LSTM do not. What is mentioned but not called is marked for a person.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

CLASSES = frozenset({"RNN", "LSTM", "GRU", "RNNBase", "RNNCell", "LSTMCell", "GRUCell", "RNNCellBase"})
KERNELS = frozenset(
    {
        *("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
        *("quantized_lstm", "quantized_gru", "quantized_lstm_cell", "quantized_gru_cell", "mkldnn_rnn_layer"),
        *("_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "_cudnn_rnn", "miopen_rnn", "_lstm_mps"),
        *("lstm_impl", "lstm_data_impl", "one_layer_lstm", "one_layer_lstm_data", "mkldnn_one_layer_lstm"),
        *("gru_impl", "gru_impl_data", "gru_cell_data", "one_layer_rnn", "one_layer_rnn_data", "rnn_cell"),
        *("rnn_cell_data", "rnn_tanh_input", "rnn_tanh_data", "rnn_relu_input", "rnn_relu_data"),  # torch._decomp
    }
)
ENTRY_METHODS = frozenset({"forward"})
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def scan(tree: ast.Module, lines: list[str], names: list[str]) -> list[dict[str, Any]]:
    """Findings for the contract's `names`: dictionaries with `name`, `line`, `code`, `certain`."""
    module = _Module(tree)
    found = []
    for name in names:
        seen: set[tuple[int, bool]] = set()
        for node, certain in module.library_uses(name):
            if (node.lineno, certain) not in seen:
                seen.add((node.lineno, certain))
                code = lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""
                found.append({"name": name, "line": node.lineno, "code": code, "certain": certain})
    return found


class _Module:
    """The top level of a module: what its names mean, and which definition mentions which."""

    def __init__(self, tree: ast.Module) -> None:
        self.meanings: dict[str, str] = {}  # local name -> dotted name in torch
        self.foreign: set[str] = set()  # names imported from elsewhere
        self.renamed: dict[str, ast.ImportFrom] = {}  # names whose last meaning is an import of a library cell
        self.definitions: dict[str, Definition] = {}
        self.values: dict[str, ast.expr] = {}
        self.starred = False
        for node in ast.walk(tree):
            self._note_import(node)
        for node in _top_level(tree.body):
            if isinstance(node, Definition):
                self.definitions[node.name] = node
                for known in (self.meanings, self.renamed, self.values):
                    known.pop(node.name, None)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if _is_library_cell(f"{node.module}.{alias.name}"):
                        self.renamed[alias.asname or alias.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        self._note_value(target.id, node.value)

    def _note_value(self, name: str, value: ast.expr) -> None:
        self.renamed.pop(name, None)
        self.values[name] = value
        dotted = self.dotted(value)
        if dotted:
            self.meanings[name] = dotted

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "torch":
                    self.meanings[alias.asname or "torch"] = alias.name if alias.asname else "torch"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] != "torch":
            for alias in node.names:
                self.foreign.add(alias.asname or alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    self.starred = self.starred or node.module == "torch.nn"
                else:
                    self.meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def dotted(self, node: ast.AST) -> str | None:
        """The dotted torch name of an expression: `nn.LSTM` gives "torch.nn.LSTM"; else None."""
        if isinstance(node, ast.Name):
            if node.id in self.definitions:
                return None
            if node.id in self.meanings:
                return self.meanings[node.id]
            starred = self.starred and node.id in CLASSES and node.id not in self.foreign
            return f"torch.nn.{node.id}" if starred else None
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else None
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and len(node.args) >= 2
            and isinstance(node.args[1], ast.Constant)
            and isinstance(node.args[1].value, str)
        ):
            base = self.dotted(node.args[0])
            return f"{base}.{node.args[1].value}" if base else None
        return None

    def library_uses(self, name: str) -> list[tuple[ast.expr | ast.stmt, bool]]:
        """Library cells in what `name` can reach: (node, True) if called, inherited from, or given this name."""
        if name in self.renamed:
            return [(self.renamed[name], True)]
        uses: list[tuple[ast.expr | ast.stmt, bool]] = []
        starts = [start for start in (self.definitions.get(name), self.values.get(name)) if start is not None]
        for piece, entered in self._reachable(starts):
            called = _called(piece) if entered else set()
            for node in _own_nodes(piece):
                dotted = self.dotted(node) if isinstance(node, ast.expr) else None
                if dotted and _is_library_cell(dotted):
                    assert isinstance(node, ast.expr)
                    uses.append((node, node in called))
        certain = {node.lineno for node, sure in uses if sure}
        return [(node, sure) for node, sure in uses if sure or node.lineno not in certain]

    def _reachable(self, starts: Iterable[ast.AST]) -> list[tuple[ast.AST, bool]]:
        """The class's own pieces and every definition they mention; False: mentioned by none."""
        methods: dict[str, ast.AST] = {}
        waiting = list(starts)
        pieces: dict[ast.AST, None] = {}  # in the order they are met
        while waiting:
            piece = waiting.pop()
            if piece in pieces:
                continue
            pieces[piece] = None
            if isinstance(piece, ast.ClassDef):
                for child in piece.body:
                    if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                        methods[child.name] = child
                        if child.name in ENTRY_METHODS or child.name.startswith("__"):
                            waiting.append(child)
            local = _bound_in(piece)
            for node in _own_nodes(piece):
                if isinstance(node, ast.Name) and node.id not in local:
                    target = self.definitions.get(node.id) or self.values.get(node.id)
                    if target is not None:
                        waiting.append(target)
                elif isinstance(node, ast.Attribute) and node.attr in methods:
                    waiting.append(methods[node.attr])
        unused = [method for method in methods.values() if method not in pieces]
        return [(piece, True) for piece in pieces] + [(method, False) for method in unused]


def _top_level(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements of the module, those inside `if` and `try` too, but not of the self-test."""
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        found.append(node)
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                found += _top_level(getattr(node, part, []))
    return found


def _own_nodes(piece: ast.AST) -> list[ast.AST]:
    """The nodes of a definition without the methods of a class and without annotations."""
    nodes: list[ast.AST] = []
    waiting: list[ast.AST] = [piece]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            for child in children:
                is_method = isinstance(piece, ast.ClassDef) and node is piece and field == "body"
                if isinstance(child, ast.AST) and not (
                    is_method and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                ):
                    waiting.append(child)
    return nodes


def _bound_in(piece: ast.AST) -> set[str]:
    """The names that a function binds itself: its parameters and what it assigns to."""
    if not isinstance(piece, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    nodes = list(ast.walk(piece))
    shared = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return (bound | {node.arg for node in nodes if isinstance(node, ast.arg)}) - shared


def _called(piece: ast.AST) -> set[ast.expr]:
    """The expressions of a piece that are called, inherited from, or given a name to be called by."""
    called: set[ast.expr] = set()
    for node in _own_nodes(piece):
        if isinstance(node, ast.Call):
            called.add(node.func)
        elif isinstance(node, ast.ClassDef):
            called.update(node.bases)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            called.add(node.value)
        elif isinstance(node, ast.Dict):
            called.update(value for value in node.values if value is not None)
    if isinstance(piece, ast.expr):
        called.add(piece)
    return called


def _is_library_cell(dotted: str) -> bool:
    parts = dotted.split(".")
    if parts[0] != "torch":
        return False
    return parts[-1] in CLASSES or any(part in KERNELS for part in parts)  # aten.lstm_cell.default.redispatch too
