"""Reads what a student handed in: run as a program of its own, under limits, on untrusted bytes.

Takes a job as JSON on standard input, copies the files worth having into the job's folder, looks at
the source of the contract's modules, and prints one JSON summary. It runs no student's code. Before
it parses a module it says so on standard error: if the parser dies, the parent knows on which.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any

PACKED_LIMIT = 64 * 2**20
UNPACKED_LIMIT = 256 * 2**20
HEADERS_LIMIT = 16 * 2**20  # of a tarball, beside its contents
NOTEBOOK_LIMIT = 32 * 2**20
MEMBER_LIMIT = 2000
MODULE_LIMIT = 2**20
KEPT_LIMIT = 24 * 2**20
NAMES_LIMIT = 2**19
DEPTH_LIMIT = 16
NAME_LIMIT = 200
PART_LIMIT = 255  # bytes: what a file system takes
NOTES_LIMIT = 50
FINDINGS_LIMIT = 20
CODE_LIMIT = 200
LEFT_OUT_FOLDERS = ("__pycache__", "__MACOSX", "node_modules", "venv", "env", "site-packages")
LEFT_OUT_ENDINGS = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".pth")
ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
TOO_LARGE = "the archive unpacks to more than 256 MiB"

Source = tuple[str, int, Callable[[], IO[bytes]]]  # name inside, size, how to open it


class Unreadable(Exception):
    """Nothing of the upload, or of one file, can be read; the text says why."""


class Notes(list[str]):
    """What was left out, and why; the first of it in full, the rest as a number."""

    def leave_out(self, why: str, name: str) -> None:
        """Say that a file was left out."""
        self.append(f"left out, {why}: {name[:NAME_LIMIT]}")

    def shown(self) -> list[str]:
        """A summary that is short whatever was handed in."""
        more = len(self) - NOTES_LIMIT
        return [*self[:NOTES_LIMIT], *([f"and {more:,} more such notes"] if more > 0 else [])]


def main() -> None:
    """Do the job on standard input."""
    json.dump(read(json.load(sys.stdin)), sys.stdout)


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read what was handed in at the job's `path`; the summary says what was made of it."""
    notes = Notes()
    summary: dict[str, Any] = {"files": [], "unreadable": {}, "findings": [], "spans": {}}
    try:
        with _opened(job, notes) as sources:
            wanted = _unwrapped(inside_only(sources, notes), job["modules"])
            notebooks = [source for source in wanted if _is_notebook(source[0])]
            _take([source for source in wanted if source not in notebooks], job, summary, notes)
            if notebooks:
                with _packages(job):
                    _make_modules(notebooks, job, summary, notes)
            _point_out([name for name, _, _ in wanted], job["modules"], summary, notes)
    except Unreadable as problem:
        summary["whole"] = str(problem)
    for module in job["modules"]:
        _look_at(module + ".py", job, summary)
    return {**summary, "notes": notes.shown()}


class _opened:
    """Context over the files in a folder, an archive or a single module."""

    def __init__(self, job: dict[str, Any], notes: Notes) -> None:
        self.path, self.modules, self.scratch, self.notes = job["path"], job["modules"], job["folder"], notes
        self.resources = contextlib.ExitStack()

    def __enter__(self) -> Iterator[Source]:
        path = self.path
        try:
            status = os.stat(path)
        except OSError as problem:
            raise Unreadable(f"it can't be opened ({problem.strerror})") from None
        if stat.S_ISDIR(status.st_mode):
            return _folder(path, self.modules, self.notes)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is neither a file nor a folder")
        lower = path.lower()
        if lower.endswith(".py"):
            return iter([(os.path.basename(path), status.st_size, lambda: open(path, "rb"))])
        if lower.endswith((".zip", ".tar.gz", ".tgz")):
            if status.st_size > PACKED_LIMIT:
                raise Unreadable("the archive is larger than 64 MiB")
            return self._zip() if lower.endswith(".zip") else self._tar()
        if lower.endswith(".ipynb"):
            if status.st_size > NOTEBOOK_LIMIT:
                raise Unreadable("the notebook is larger than 32 MiB")
            return iter([(os.path.basename(path), status.st_size, lambda: open(path, "rb"))])
        raise Unreadable("it is no folder, .zip, .tar.gz, notebook or Python module")

    def __exit__(self, *_: object) -> None:
        self.resources.close()

    def _zip(self) -> Iterator[Source]:
        import zipfile

        try:
            archive = self.resources.enter_context(zipfile.ZipFile(self.path))
        except Exception as problem:  # a damaged archive raises whatever its reader happens to meet
            raise _damaged(problem) from None
        members = archive.infolist()
        _check_archive(len(members), sum(max(0, member.file_size) for member in members))
        last = {plain_name(member.filename): member for member in members}  # of two with one name the last counts
        for name, member in last.items():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.filename.replace("\\", "/").endswith("/") or kind == stat.S_IFDIR:
                continue
            if kind not in (0, stat.S_IFREG):
                self.notes.leave_out("not a regular file", name)
                continue
            yield name, member.file_size, lambda member=member: archive.open(member)  # type: ignore[misc]

    def _tar(self) -> Iterator[Source]:
        import tarfile

        members: dict[str, tarfile.TarInfo] = {}
        total = 0
        try:
            archive = self.resources.enter_context(tarfile.open(fileobj=self._decompressed(), mode="r:"))
            for count, member in enumerate(archive, start=1):
                total += max(0, member.size)
                _check_archive(count, total)
                members[plain_name(member.name)] = member
        except Unreadable:
            raise
        except Exception as problem:
            raise _damaged(problem) from None
        for name, member in members.items():
            if member.isdir():
                continue
            if not member.isreg():
                self.notes.leave_out("not a regular file", name)
                continue
            yield name, member.size, lambda member=member: archive.extractfile(member)  # type: ignore[misc]

    def _decompressed(self) -> IO[bytes]:
        """The tarball as a file without a name: decompressed once, and counted, whatever is read of it."""
        import gzip
        import tempfile

        plain = self.resources.enter_context(tempfile.TemporaryFile(dir=self.scratch))
        with gzip.open(self.path) as packed:
            while chunk := self._next(packed, plain.tell() > 0):
                plain.write(chunk)
                if plain.tell() > UNPACKED_LIMIT + HEADERS_LIMIT:
                    raise Unreadable(TOO_LARGE)
        plain.seek(0)
        return plain

    @staticmethod
    def _next(packed: Any, begun: bool) -> bytes:
        try:
            chunk: bytes = packed.read1(2**18)
            return chunk
        except OSError as problem:
            if begun and "Not a gzipped file" in str(problem):  # what lies behind the end is nobody's concern
                return b""
            raise


def _damaged(problem: Exception) -> Unreadable:
    return Unreadable(f"the archive is damaged, or no archive of this kind ({type(problem).__name__})")


def plain_name(name: str) -> str:
    """A member's name without what means nothing: `./a//cells.py` is `a/cells.py`."""
    parts = name.replace("\\", "/").split("/")
    return "/".join([parts[0], *(part for part in parts[1:] if part not in ("", "."))]).removeprefix("./")


def _check_archive(members: int, unpacked: int) -> None:
    if members > MEMBER_LIMIT:
        raise Unreadable("the archive has more than 2,000 members")
    if unpacked > UNPACKED_LIMIT:
        raise Unreadable(TOO_LARGE)


def _folder(root: str, modules: list[str], notes: Notes) -> Iterator[Source]:
    """The regular files below `root`; links are not followed. It may change while it is read."""

    def complain(problem: OSError) -> None:
        if problem.filename == root:
            raise Unreadable(f"it can't be opened ({problem.strerror})")
        notes.leave_out("a folder that can't be opened", os.path.relpath(problem.filename, root))

    seen = 0
    for folder, folders, names in os.walk(root, followlinks=False, onerror=complain):
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        if inside.count("/") >= DEPTH_LIMIT:
            folders.clear()
        for name in folders:
            if os.path.islink(os.path.join(folder, name)) and _wanted_folder(name):
                notes.leave_out("not a regular file", name if inside == "." else f"{inside}/{name}")
        folders[:] = sorted(name for name in folders if _wanted_folder(name))
        for name in sorted(names, key=lambda name: (not name.endswith(".py"), name)):
            path = os.path.join(folder, name)
            named = name if inside == "." else f"{inside}/{name}"
            try:
                status = os.lstat(path)
            except OSError:
                notes.leave_out("it was gone before it was read", named)
                continue
            if not stat.S_ISREG(status.st_mode):
                notes.leave_out("not a regular file", named)
                continue
            seen += 1
            if seen <= MEMBER_LIMIT or (inside == "." and name.removesuffix(".py") in modules):
                yield named, status.st_size, lambda path=path: _open_regular(path)  # type: ignore[misc]
        if seen > MEMBER_LIMIT:
            notes.append("left out: files beyond the first 2,000")
            return


def _open_regular(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _wanted_folder(name: str) -> bool:
    return not name.startswith(".") and name not in LEFT_OUT_FOLDERS


def inside_only(sources: Iterator[Source], notes: Notes) -> list[Source]:
    """The sources whose names stay inside the submission and can be written; the others are named in `notes`."""
    kept = []
    for source in sources:
        name = source[0]
        parts = name.split("/")
        climbs = name.startswith("/") or ".." in parts or parts[0][1:2] == ":" or "\0" in name or not name.strip("./")
        try:
            too_long = len(name) > NAME_LIMIT or any(len(os.fsencode(part)) > PART_LIMIT for part in parts)
        except UnicodeEncodeError:
            climbs, too_long = True, False
        if climbs or too_long:
            notes.leave_out("too long a name" if too_long else "not a name inside the submission", name)
        else:
            kept.append(source)
    return kept


def _unwrapped(sources: list[Source], modules: list[str]) -> list[Source]:
    """Take away one wrapping folder, if all that counts lies in one."""
    names = [name for name, _, _ in sources]
    visible = [name for name in names if not name.startswith(".") and not name.split("/")[-1].startswith(".")]
    beside = [name for name in visible if name.split("/")[0] not in LEFT_OUT_FOLDERS or "/" not in name]
    counted = beside or visible  # the wrapping folder itself may be called env
    tops = {name.split("/")[0] for name in counted}
    if len(tops) != 1 or not all("/" in name for name in counted):
        return sources
    top = tops.pop()
    holds_module = any(f"{top}/{module}.py" in names for module in modules)
    if top in modules and f"{top}/__init__.py" in names and not holds_module:  # a package in place of a module
        return sources
    return [
        (name.removeprefix(top + "/"), size, opener) for name, size, opener in sources if name.startswith(top + "/")
    ]


def _take(sources: list[Source], job: dict[str, Any], summary: dict[str, Any], notes: Notes) -> None:
    """Copy the files worth having below the job's folder, within the limits: what matters first."""
    modules = {f"{module}.py" for module in job["modules"]}
    kept = names = 0
    for name, size, opener in sorted(sources, key=lambda source: (source[0] not in modules, _worth_having(source))):
        parts = name.split("/")
        if any(not _wanted_folder(part) for part in parts[:-1]) or parts[-1].startswith("."):
            continue
        if parts[-1].endswith(LEFT_OUT_ENDINGS):
            continue
        names += len(name.encode(errors="replace"))
        if names > NAMES_LIMIT:
            notes.leave_out("too many and too long names", name)
            continue
        try:
            content = _content(opener, size, MODULE_LIMIT if name.endswith(".py") else KEPT_LIMIT, KEPT_LIMIT - kept)
        except Unreadable as problem:
            if name.endswith(".py"):
                summary["unreadable"][name] = str(problem)
            notes.leave_out(str(problem), name)
            continue
        kept += len(content)
        target = os.path.join(job["folder"], *parts)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(content)
        except OSError:  # a file where a folder is needed, or a name this machine cannot write
            notes.leave_out("its name clashes with another", name)
            continue
        summary["files"].append(name)


def _is_notebook(name: str) -> bool:
    return "/" not in name and not name.startswith(".") and name.lower().endswith(".ipynb")


@contextlib.contextmanager
def _packages(job: dict[str, Any]) -> Iterator[None]:
    """Let the neighbours of this file and nbformat be imported, which takes a moment: only for a notebook."""
    before = sys.path[:]
    sys.path[:] = [os.path.dirname(os.path.abspath(__file__)), *before, job["packages"]]
    try:
        yield
    finally:
        sys.path[:] = before


def _make_modules(notebooks: list[Source], job: dict[str, Any], summary: dict[str, Any], notes: Notes) -> None:
    """Make the contract's modules of the notebooks' cells, for those that were not handed in as files."""
    import notebooks as making

    statements: list[Any] = []
    problems: list[str] = []
    code = 0
    said: list[str] = []
    for number, (name, size, opener) in enumerate(sorted(notebooks, key=lambda source: source[0])):
        title = name if len(notebooks) > 1 else ""
        try:
            raw = _content(opener, size, NOTEBOOK_LIMIT, NOTEBOOK_LIMIT)
            if name in job["skip"]:
                raise Unreadable("its reader gives up on it")
            print(f"parsing {name}", file=sys.stderr, flush=True)
            cells = making.cells_of(raw, title, number)
        except (Unreadable, making.NoNotebook) as problem:
            if job["path"].lower().endswith(".ipynb") and os.path.isfile(job["path"]):
                raise Unreadable(f"{problem}") from None
            problems.append(f"{name}: {problem}")
            notes.leave_out(str(problem), name)
            continue
        for cell in cells:
            code += len(cell.source)
            if code > making.CODE_LIMIT or len(statements) > making.STATEMENTS_LIMIT:
                notes.append(f"{cell.label} and all below it are passed over: the notebook holds too much code")
                break
            if cell.label in job["skip"]:
                notes.append(f"{cell.label} is passed over: Python's parser gives up on it")
                continue
            print(f"parsing {cell.label}", file=sys.stderr, flush=True)
            statements += making.statements_of(cell, len(statements), said)
    taken = {*summary["files"], *summary["unreadable"]}
    present = {module for module in job["names"] if {f"{module}.py", f"{module}/__init__.py"} & taken}
    program = making.Program(statements, job["names"], present)
    for module in program.made:
        made = program.make(module)
        content = made.source.encode("utf-8", "backslashreplace")  # a lone surrogate, which JSON can hold
        if len(content) > MODULE_LIMIT:
            summary["unreadable"][f"{module}.py"] = "what the notebook defines for it is larger than 1 MiB"
            continue
        with open(os.path.join(job["folder"], f"{module}.py"), "wb") as file:
            file.write(content)
        summary["files"].append(f"{module}.py")
        summary["spans"][f"{module}.py"] = made.spans
    for module in present:
        if any(name in program.bound for name in job["names"][module]):
            notes.append(f"{module}.py counts, and not what the notebook defines for it")
    notes += [*said, *making.said_again(program)]
    idle = making.work_among(statements, program)
    if idle:
        notes.append(f"not run, since no assignment needs what they define: {_listed(idle)}")
    if problems:
        for module in job["names"]:
            if f"{module}.py" not in summary["files"] and module not in present:
                summary["unreadable"].setdefault(f"{module}.py", problems[0])


def _listed(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def _point_out(names: list[str], modules: list[str], summary: dict[str, Any], notes: Notes) -> None:
    """Say where a missing module may be meant to be: deeper, under another spelling, in an archive inside."""
    missing = [
        f"{module}.py" for module in modules if f"{module}.py" not in {*summary["files"], *summary["unreadable"]}
    ]
    for file in missing:
        near = [name for name in names if name.split("/")[-1].casefold() == file]
        if near:
            notes.append(f"{near[0][:NAME_LIMIT]} does not count: it has to be {file}, spelled so, at the top")
    if len(missing) == len(modules):
        for name in names:
            if name.lower().endswith(".ipynb") and "/" in name and all(map(_wanted_folder, name.split("/")[:-1])):
                notes.append(f"{name[:NAME_LIMIT]} does not count: a notebook has to be at the top")
            if name.lower().endswith(ARCHIVES):
                notes.append(f"not opened, an archive inside the submission: {name[:NAME_LIMIT]}")


def _worth_having(source: Source) -> tuple[int, bool, str]:
    """Sorts what matters to the front: modules near the top first, so that a limit cuts the rest."""
    name = source[0]
    return (name.count("/") if name.endswith(".py") else DEPTH_LIMIT + 1, not name.endswith(".py"), name)


def _content(opener: Callable[[], IO[bytes]], size: int, limit: int, room: int) -> bytes:
    """All bytes of one file. Raises Unreadable if they are too many, whatever was announced, or can't be had."""
    content = b""
    if size <= limit:
        try:
            with opener() as file:
                content = file.read(min(limit, room) + 1)
        except Exception as problem:  # a damaged archive raises whatever its decoder happens to meet
            raise Unreadable(_why(problem)) from None
    if max(size, len(content)) > limit:
        raise Unreadable(f"it is larger than {limit // 2**20} MiB")
    if len(content) > room:
        raise Unreadable(f"all files together are larger than {KEPT_LIMIT // 2**20} MiB")
    return content


def _why(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.filename:  # of a folder: the file itself
        return f"it can't be opened ({problem.strerror})"
    return "it is encrypted" if "encrypted" in str(problem) else "it is damaged"


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
    plain = cookie in (None, "utf-8", "utf8") or cookie.startswith("utf-8-")
    if not plain and not (cookie in ("ascii", "us-ascii") and text.isascii()):
        summary["unreadable"][name] = f"it declares the encoding {cookie}; only UTF-8 is read"
        return
    print(f"parsing {name}", file=sys.stderr, flush=True)
    import ast

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(text, name)
    except (SyntaxError, ValueError):
        return  # importing it will say the same, with its line, for each test
    except (RecursionError, MemoryError):
        summary["unreadable"][name] = "it is nested too deep for Python's parser"
        return
    if name in job["scan"]:
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import source_scan

        try:
            found = source_scan.scan(tree, text.split("\n"), job["scan"][name])
        except RecursionError:
            summary["unreadable"][name] = "it is nested too deep to be looked at"
            return
        finally:
            del sys.path[0]
        for certain in (True, False):
            rows = [
                {**row, "file": name, "code": row["code"][:CODE_LIMIT]} for row in found if row["certain"] is certain
            ]
            for contract_name in job["scan"][name]:
                summary["findings"] += [row for row in rows if row["name"] == contract_name][:FINDINGS_LIMIT]


def _declared_encoding(text: str) -> str | None:
    """The encoding a `# -*- coding: … -*-` line declares to Python, normalised, or None."""
    import re

    for line in re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2]:
        match = re.match(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if match:
            return match.group(1).lower().replace("_", "-")
        if not re.match(r"^[ \t\f]*(?:#.*)?$", line):
            return None  # below a line of code, such a comment declares nothing
    return None


if __name__ == "__main__":
    main()
