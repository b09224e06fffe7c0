"""Finds what students must not get: in any file, however it is wrapped.

`secrets()` lists what is secret, from the sources themselves; `find(folder)` opens every file, archive,
notebook, bytecode and Git object below a folder and says where one of them stands. What it can't look
into it reports too, so that nothing hides in a form that it does not know.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import functools
import gzip
import io
import json
import lzma
import marshal
import re
import subprocess
import tarfile
import types
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

from grader.course import ROOT, SOLUTIONS, STARTER, whole_course
from grader.diagnosis import load_misconceptions

SHORT = 16  # a line of fewer characters is nobody's property: `return loss`
SECRET_FILES = ("test_hidden.py", "oracle.py", "misconceptions.py")
OPEN_FILES = (
    "probes.py",
    "test_public.py",
    "stand_in.py",
    "by_library.py",
    "handout.md",
    "assignment.toml",
    "__init__.py",
)
DEPTH = 8
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{4,}(?!\w)")


@dataclass(frozen=True)
class Leak:
    """Something secret, and where it stands: `bundle.zip/notebooks/cells.ipynb/string`."""

    place: str
    what: str


@functools.cache
def secrets() -> dict[str, frozenset[str]]:
    """What is secret, by kind: lines, names, numbers and code. What is handed out anyway is not among them."""
    lines: set[str] = set()
    names = {"BEGIN SOLUTION", "END SOLUTION"}
    numbers: set[str] = set()
    code: set[str] = set()
    told: set[str] = set()  # ids and words of misconceptions: what a fingerprint may say
    known = open_text()
    words = set(re.findall(r"\w+", known))
    numbers_known = set(NUMBER.findall(known))
    for path in secret_files():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines |= {line.strip() for line in text.splitlines()}
        lines |= {line.strip() for line in strings_of(tree) for line in line.splitlines()}
        lines |= {line.strip() for line in ast.unparse(tree).splitlines()}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)} - words
        numbers |= set(NUMBER.findall(text)) - numbers_known
        functions = functions_of(compile(text, "secret", "exec"))
        code |= {hashed(part) for part in functions if len(part.co_code) > 80}  # a longer one than any two share
    for assignment in whole_course():
        for misconception in load_misconceptions(assignment):
            lines |= {misconception.symptom}
            lines |= {line.strip() for _, new in misconception.edits for line in new.splitlines()}
            told |= {misconception.id, misconception.says}
    known_lines = {line.strip() for line in known.splitlines()}
    kept = {line for line in lines - known_lines if len(line) >= SHORT and line not in known}
    said = "\n".join(told)
    spoken = {line for line in kept if line.strip("\"', ()") in said}
    return {
        "line": frozenset(kept - spoken),
        "name": frozenset(name for name in names if len(name) > 8),
        "number": frozenset(numbers),
        "code": frozenset(code),
    }


def secret_files() -> list[Path]:
    """The files that are never handed out."""
    own = [assignment.folder / name for assignment in whole_course() for name in SECRET_FILES]
    return sorted(SOLUTIONS.glob("*.py")) + [path for path in own if path.is_file()]


@functools.cache
def open_text() -> str:
    """What anyone may read: stubs, handouts, probes, public tests, and the grader itself."""
    paths = [*STARTER.glob("*.py"), ROOT / "assignments" / "scripted.py", *(ROOT / "grader").rglob("*.py")]
    paths += [assignment.folder / name for assignment in whole_course() for name in OPEN_FILES]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def strings_of(tree: ast.AST) -> Iterator[str]:
    """Every string literal."""
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def functions_of(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code objects of all functions, methods, classes and lambdas inside."""
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield part
            yield from functions_of(part)


def hashed(code: types.CodeType) -> str:
    """What a function does, without where it stands."""
    return repr((code.co_code, code.co_names, code.co_varnames))


def find(folder: Path) -> list[Leak]:
    """Every leak below a folder, a repository's objects included."""
    leaks: list[Leak] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        leaks += _of_text(inside, inside)
        if path.is_symlink():
            leaks.append(Leak(inside, "a link"))
        elif path.is_file() and not _is_git_data(path):
            leaks += _of_bytes(inside, path.read_bytes(), 0)
        elif path.name == ".git" and path.is_dir():
            for name, content in _git_objects(path):
                leaks += _of_bytes(f"{inside}/{name}", content, 0)
    return leaks


def _is_git_data(path: Path) -> bool:
    """What Git itself is asked for the content of: objects, and the index that lists their names."""
    parts = path.parts
    return ".git" in parts and (("objects" in parts[parts.index(".git") :]) or path.name == "index")


def _git_objects(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Every object of a repository, reachable or not."""
    done = subprocess.run(
        ["git", f"--git-dir={repository}", "cat-file", "--batch", "--batch-all-objects"],
        capture_output=True,
        check=True,
    )
    rest = done.stdout
    while rest:
        head, rest = rest.split(b"\n", 1)
        name, kind, size = head.decode().split()
        content = rest[: int(size)]
        if kind == "tree":  # names with binary digests between them
            content = b"\n".join(re.findall(rb"\d+ ([^\0]+)\0", content))
        yield f"{kind} {name}", content
        rest = rest[int(size) + 1 :]


def _of_bytes(place: str, raw: bytes, depth: int) -> list[Leak]:
    if depth > DEPTH:
        return [Leak(place, "too many layers to look into")]
    for opens in (_opened_zip, _opened_tar, _opened_stream, _opened_bytecode, _opened_json):
        inside = opens(raw)
        if inside is not None:
            found = [leak for name, part in inside for leak in _of_bytes(f"{place}/{name}", part, depth + 1)]
            return found + _of_text(place, raw.decode("latin-1"))
    text = _decoded(raw)
    if text is None:
        return [Leak(place, "bytes that can't be looked into"), *_of_text(place, raw.decode("latin-1"))]
    return _of_text(place, text) + _of_encoded(place, text, depth)


def _decoded(raw: bytes) -> str | None:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _opened_zip(raw: bytes) -> list[tuple[str, bytes]] | None:
    if b"PK\x03\x04" not in raw[:4096] and b"PK\x05\x06" not in raw[-70_000:]:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = [("comment", archive.comment)]
            for member in archive.infolist():
                parts += [(member.filename, archive.read(member)), ("name", member.filename.encode())]
                parts += [(f"{member.filename}: comment", member.comment)]
                parts += [(f"{member.filename}: extra", member.extra)] if member.extra else []
            return parts
    except (zipfile.BadZipFile, RuntimeError):
        return None


def _opened_tar(raw: bytes) -> list[tuple[str, bytes]] | None:
    if raw[257:262] != b"ustar":
        return None
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        parts = []
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            parts += [(member.name, file.read() if file else b""), ("name", f"{member.name} {member.uname}".encode())]
            parts += [("header", json.dumps(member.pax_headers).encode())]
        return parts


def _opened_stream(raw: bytes) -> list[tuple[str, bytes]] | None:
    openers: list[tuple[bytes, Any]] = [(b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress)]
    openers += [(b"\xfd7zXZ", lzma.decompress), (b"\x78", zlib.decompress)]
    for magic, opens in openers:
        if raw.startswith(magic):
            try:
                return [("unpacked", opens(raw))]
            except (OSError, lzma.LZMAError, zlib.error, EOFError):
                return None
    return None


def _opened_bytecode(raw: bytes) -> list[tuple[str, bytes]] | None:
    if raw[2:4] != b"\r\n" or len(raw) < 16:
        return None
    if raw[:4] != MAGIC_NUMBER:
        return [("bytecode", b"\xff\xfe\0")]  # of another Python
    code = marshal.loads(raw[16:])
    texts, secret = [], secrets()["code"]
    for part in [code, *functions_of(code)]:
        texts += [*part.co_names, *part.co_varnames, part.co_name, *map(str, part.co_consts)]
        if hashed(part) in secret:
            texts.append("BEGIN SOLUTION (bytecode of something secret)")
    return [("bytecode", "\n".join(texts).encode("utf-8", "replace"))]


def _opened_json(raw: bytes) -> list[tuple[str, bytes]] | None:
    """The strings of a JSON file, a notebook's cells, outputs and metadata among them, as they read unescaped."""
    if raw.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return [("strings", "\n".join(_strings(content)).encode("utf-8", "replace"))]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)  # the lines of a notebook's cell
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    else:
        yield json.dumps(value)


def _of_encoded(place: str, text: str, depth: int) -> list[Leak]:
    """What stands in a text as base64 or hexadecimal digits."""
    found = []
    for match in BASE64.finditer(text):
        for decode in (base64.b64decode, base64.urlsafe_b64decode):
            raw = _tried(decode, match[0] + "=" * (-len(match[0]) % 4))
            if raw and _is_something(raw):
                found += _of_bytes(f"{place}/base64", raw, depth + 1)
                break
    for match in HEX.finditer(text):
        raw = _tried(binascii.unhexlify, match[0])
        if raw and _is_something(raw):
            found += _of_bytes(f"{place}/hexadecimal", raw, depth + 1)
    return found


def _tried(decode: Any, text: str) -> bytes | None:
    try:
        return bytes(decode(text))
    except (ValueError, binascii.Error):
        return None


def _is_something(raw: bytes) -> bool:
    """Whether decoded digits make sense: text, or one of the forms that can be opened."""
    if raw[:2] in (b"PK", b"\x1f\x8b", b"BZ", b"\xfd7", b"x\x9c", b"x\xda", b"\xff\xfe"):
        return True
    text = _decoded(raw)
    return text is not None and all(c.isprintable() or c in "\n\t\r" for c in text)


def _of_text(place: str, text: str) -> list[Leak]:
    """Secrets in a text, wherever in a line they stand."""
    known = secrets()
    found = [Leak(place, line) for line in known["line"] if line in text]
    words = set(re.findall(r"\w+", text))
    found += [Leak(place, name) for name in known["name"] if name in words or (" " in name and name in text)]
    return found + [Leak(place, number) for number in known["number"] & set(NUMBER.findall(text))]
