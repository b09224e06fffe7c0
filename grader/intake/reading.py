"""Reads what a student handed in: run as a program of its own, under limits, on untrusted bytes.

Takes a job as JSON on standard input, copies the files worth having into the job's folder, looks at
the source of the contract's modules, and prints one JSON summary. It runs no student's code. Before
it parses a module it says so on standard error: if the parser dies, the parent knows on which.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

PACKED_LIMIT = 64 * 2**20
UNPACKED_LIMIT = 256 * 2**20
MEMBER_LIMIT = 2000
MODULE_LIMIT = 2**20
KEPT_LIMIT = 24 * 2**20
NAMES_LIMIT = 2**19
DEPTH_LIMIT = 16
NAME_LIMIT = 200
LEFT_OUT_FOLDERS = ("__pycache__", "__MACOSX", "node_modules", "venv", "env", "site-packages")
LEFT_OUT_ENDINGS = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".pth")

Source = tuple[str, int, Callable[[], IO[bytes]]]  # name inside, size, how to open it


class Unreadable(Exception):
    """Nothing of the upload can be read; the text says why."""


def main() -> None:
    """Do the job on standard input."""
    json.dump(read(json.load(sys.stdin)), sys.stdout)


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read what was handed in at the job's `path`; the summary says what was made of it."""
    summary: dict[str, Any] = {"files": [], "unreadable": {}, "notes": [], "findings": []}
    try:
        with _opened(job["path"], summary["notes"]) as sources:
            _take(_unwrapped(list(sources), job["modules"]), job, summary)
    except Unreadable as problem:
        summary["whole"] = str(problem)
    for module in job["modules"]:
        _look_at(module + ".py", job, summary)
    return summary


class _opened:
    """Context over the files in a folder, an archive or a single module."""

    def __init__(self, path: str, notes: list[str]) -> None:
        self.path, self.notes = path, notes
        self.archive: Any = None

    def __enter__(self) -> Iterator[Source]:
        path = self.path
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return _folder(path, self.notes)
        if not stat.S_ISREG(mode):
            raise Unreadable("it is neither a file nor a folder")
        lower = path.lower()
        if lower.endswith(".py"):
            return iter([(os.path.basename(path), os.path.getsize(path), lambda: open(path, "rb"))])
        if lower.endswith((".zip", ".tar.gz", ".tgz")):
            if os.path.getsize(path) > PACKED_LIMIT:
                raise Unreadable("the archive is larger than 64 MiB")
            return self._zip() if lower.endswith(".zip") else self._tar()
        raise Unreadable("it is no folder, .zip, .tar.gz or Python module")

    def __exit__(self, *_: object) -> None:
        if self.archive is not None:
            self.archive.close()

    def _zip(self) -> Iterator[Source]:
        import zipfile

        try:
            archive = self.archive = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as problem:
            raise Unreadable(f"the archive is damaged ({type(problem).__name__})") from None
        members = archive.infolist()
        _check_archive(len(members), sum(max(0, member.file_size) for member in members))
        last = {_plain_name(member.filename): member for member in members}  # of two with one name the last counts
        for name, member in last.items():
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                self.notes.append(f"left out, not a regular file: {name}")
                continue
            yield name, member.file_size, lambda member=member: archive.open(member)  # type: ignore[misc]

    def _tar(self) -> Iterator[Source]:
        import tarfile
        import zlib

        members: dict[str, tarfile.TarInfo] = {}
        total = 0
        try:
            archive = self.archive = tarfile.open(self.path, "r:gz")
            for count, member in enumerate(archive, start=1):
                total += max(0, member.size)
                _check_archive(count, total)
                members[_plain_name(member.name)] = member
        except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error, RecursionError) as problem:
            raise Unreadable(f"the archive is damaged ({type(problem).__name__})") from None
        for name, member in members.items():
            if member.isdir():
                continue
            if not member.isreg():
                self.notes.append(f"left out, not a regular file: {name}")
                continue
            yield name, member.size, lambda member=member: archive.extractfile(member)  # type: ignore[misc]


def _plain_name(name: str) -> str:
    """A member's name without what means nothing: `./a//cells.py` is `a/cells.py`."""
    parts = name.replace("\\", "/").split("/")
    return "/".join([parts[0], *(part for part in parts[1:] if part not in ("", "."))]).removeprefix("./")


def _check_archive(members: int, unpacked: int) -> None:
    if members > MEMBER_LIMIT:
        raise Unreadable("the archive has more than 2,000 members")
    if unpacked > UNPACKED_LIMIT:
        raise Unreadable("the archive unpacks to more than 256 MiB")


def _folder(root: str, notes: list[str]) -> Iterator[Source]:
    """The regular files below `root`; links are not followed."""
    seen = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        depth = os.path.relpath(folder, root).count(os.sep)
        folders[:] = sorted(name for name in folders if _wanted_folder(name) and depth < DEPTH_LIMIT)
        for name in sorted(names, key=lambda name: (not name.endswith(".py"), name)):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, root).replace(os.sep, "/")
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode):
                notes.append(f"left out, not a regular file: {inside}")
                continue
            seen += 1
            if seen > MEMBER_LIMIT and not (folder == root and name.endswith(".py")):
                if seen == MEMBER_LIMIT + 1:
                    notes.append("left out: files beyond the first 2,000")
                continue
            yield inside, status.st_size, lambda path=path: _open_regular(path)  # type: ignore[misc]


def _open_regular(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _wanted_folder(name: str) -> bool:
    return not name.startswith(".") and name not in LEFT_OUT_FOLDERS


def _unwrapped(sources: list[Source], modules: list[str]) -> list[Source]:
    """Take away one wrapping folder, if all lies in one and no module lies beside it."""
    kept = sources
    visible = [name for name, _, _ in kept if not name.startswith((".", "__MACOSX/"))]
    tops = {name.split("/")[0] for name in visible if not name.split("/")[-1].startswith(".")}
    if len(tops) == 1 and all("/" in name for name in visible if not name.startswith(".")):
        top = next(iter(tops))
        is_package = any(name == f"{top}/__init__.py" for name, _, _ in kept)
        if top not in ("..", "") and not (top in modules and is_package):
            return [(n.removeprefix(top + "/"), s, o) for n, s, o in kept if n.startswith(top + "/")]
    return kept


def _take(sources: list[Source], job: dict[str, Any], summary: dict[str, Any]) -> None:
    """Copy the files worth having below the job's folder, within the limits: what matters first."""
    notes: list[str] = summary["notes"]
    modules = {f"{module}.py" for module in job["modules"]}
    kept = names = 0
    for name, size, opener in sorted(sources, key=lambda source: (source[0] not in modules, _worth_having(source))):
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in name or len(name) > NAME_LIMIT:
            notes.append(f"left out, not a name inside the submission: {name[:NAME_LIMIT]}")
            continue
        if any(not _wanted_folder(part) for part in parts[:-1]) or parts[-1].startswith("."):
            continue
        if not parts[-1] or parts[-1].endswith(LEFT_OUT_ENDINGS):
            continue
        names += len(name.encode(errors="replace"))
        limit = min(KEPT_LIMIT - kept, MODULE_LIMIT if name.endswith(".py") else KEPT_LIMIT)
        if names > NAMES_LIMIT:
            notes.append(f"left out, too many and too long names: {name}")
            continue
        content = _content(opener, limit) if size <= limit else None
        if content is None:
            if name.endswith(".py"):
                summary["unreadable"][name] = "it is larger than 1 MiB or damaged"
            notes.append(f"left out, too large or damaged: {name}")
            continue
        kept += len(content)
        target = os.path.join(job["folder"], *parts)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(content)
        except OSError:  # a file where a folder is needed, or a name this machine cannot write
            notes.append(f"left out, its name clashes with another: {name}")
            continue
        summary["files"].append(name)


def _worth_having(source: Source) -> tuple[int, bool, str]:
    """Sorts what matters to the front: modules near the top first, so that a limit cuts the rest."""
    name = source[0]
    return (name.count("/") if name.endswith(".py") else DEPTH_LIMIT + 1, not name.endswith(".py"), name)


def _content(opener: Callable[[], IO[bytes]], limit: int) -> bytes | None:
    """At most `limit` bytes of a member; None if it is longer, encrypted or damaged."""
    try:
        with opener() as file:
            content = file.read(limit + 1)
    except Exception:  # a damaged archive raises whatever its decoder happens to meet
        return None
    return content if len(content) <= limit else None


def _look_at(name: str, job: dict[str, Any], summary: dict[str, Any]) -> None:
    """Decode and parse one of the contract's modules, and scan it for library cells."""
    if name not in summary["files"]:
        return
    if name in job["skip"]:
        summary["unreadable"][name] = "Python's parser gives up on it"
        return
    with open(os.path.join(job["folder"], name), "rb") as file:
        raw = file.read()
    if b"\0" in raw:
        summary["unreadable"][name] = "it contains NUL bytes"
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        summary["unreadable"][name] = f"it is not UTF-8 (byte {problem.start})"
        return
    cookie = _declared_encoding(text)
    if cookie not in (None, "utf-8", "utf8", "utf-8-sig"):
        summary["unreadable"][name] = f"it declares the encoding {cookie}; only UTF-8 is read"
        return
    print(f"parsing {name}", file=sys.stderr, flush=True)
    import ast

    try:
        tree = ast.parse(text.replace("\r\n", "\n").replace("\r", "\n"), name)
    except (SyntaxError, ValueError):
        return  # importing it will say the same, with its line, for each test
    except (RecursionError, MemoryError):
        summary["unreadable"][name] = "it is nested too deep for Python's parser"
        return
    if name in job["scan"]:
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import source_scan

        try:
            summary["findings"] += source_scan.scan(tree, text.splitlines(), job["scan"][name])
        except RecursionError:
            summary["unreadable"][name] = "it is nested too deep to be looked at"


def _declared_encoding(text: str) -> str | None:
    """The encoding a `# -*- coding: … -*-` line of the first two names, normalised, or None."""
    import re

    for line in text.split("\n")[:2]:
        match = re.match(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if match:
            return match.group(1).lower().replace("_", "-")
    return None


if __name__ == "__main__":
    main()
