"""Opens what was handed in, a folder, an archive or a single file, and lists the files in it; nothing is chosen here.

A `Source` is a file not yet read. Whoever reads one does so by `content_of`, which holds to the limits.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import IO, Any

from .limits import (
    DEPTH_LIMIT,
    HEADERS_LIMIT,
    KEPT_LIMIT,
    MEMBER_LIMIT,
    NAME_LIMIT,
    NOTEBOOK_LIMIT,
    NOTES_LIMIT,
    PACKED_LIMIT,
    UNPACKED_LIMIT,
)

LEFT_OUT_FOLDERS = ("__pycache__", "__MACOSX", "node_modules", "venv", "env", "site-packages")
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


class opened:
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
            if os.path.islink(os.path.join(folder, name)) and wanted_folder(name):
                notes.leave_out("not a regular file", name if inside == "." else f"{inside}/{name}")
        folders[:] = sorted(name for name in folders if wanted_folder(name))
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


def wanted_folder(name: str) -> bool:
    return not name.startswith(".") and name not in LEFT_OUT_FOLDERS


def content_of(opener: Callable[[], IO[bytes]], size: int, limit: int, room: int) -> bytes:
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
