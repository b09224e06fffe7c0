"""A download opened: the names at its top and the files below them, whether it is a folder or a zip.

Nothing is written here and no link is followed. Of two members of a zip with one name the last counts.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO

from grader.downloads.arrival import DownloadError
from grader.intake.inside.uploads import Notes, Source, plain_name

MEMBERS_LIMIT = 500_000  # of a whole class
DEBRIS = ("__MACOSX",)


class Box:
    """A download; use as a context. `folders` and `files` are the names at its top, sorted, debris left out.

    What holds `staging` is debris too: the results of a class may lie in its own folder.
    """

    def __init__(self, path: Path, staging: Path) -> None:
        self.path = path
        self._results = [str(place) for place in (staging.resolve(), *staging.resolve().parents)]
        self.inside: str = ""  # the wrapping folder that was taken away
        self.folders: list[str] = []
        self.files: list[str] = []
        self.ignored: list[str] = []
        self._resources = ExitStack()
        self._members: dict[str, dict[str, zipfile.ZipInfo]] = {}  # by name at the top, then by the rest
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Box:
        if self.path.is_dir():
            self._look()
        else:
            self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @property
    def zipped(self) -> bool:
        """Whether files have to be unpacked before they can be graded."""
        return self._archive is not None

    def unwrap(self) -> bool:
        """Take the one folder at the top away, if there is nothing beside it; what it holds is the top then."""
        if self.inside or self.files or len(self.folders) != 1:
            return False
        self.inside = self.folders[0]
        if self.zipped:
            wrapped = self._members[self.inside]
            self._members = {}
            for rest, member in wrapped.items():
                self._file(rest, member)
            self._sort()
        else:
            self._look()
        return True

    def wrap(self) -> None:
        """Undo `unwrap`."""
        self.inside = ""
        if self._archive is not None:
            self._list(self._archive)
        else:
            self._look()

    def place(self, top: str) -> Path | None:
        """Where a name at the top lies on disk; None in a zip."""
        return None if self.zipped else self.path / self.inside / top

    def holds(self, top: str, name: str) -> bool:
        """Whether there is something called `name` below the folder `top`."""
        place = self.place(top)
        if place is None:
            return any(rest == name or rest.startswith(name + "/") for rest in self._members.get(top, {}))
        return os.path.lexists(place / name)

    def sources(self, top: str, notes: Notes) -> list[Source]:
        """The regular files below a folder of a zip, by their names there, or one file under the name ""."""
        place = self.place(top)
        if place is not None:
            return [("", place.lstat().st_size, lambda: _open_regular(place))]
        found = []
        for rest, member in self._members.get(top, {}).items():
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
                notes.leave_out("not a regular file", rest or top)
                continue
            found.append((rest, member.file_size, self._opener(member)))
        return found

    def read(self, top: str, limit: int) -> bytes:
        """One file at the top. Raises DownloadError."""
        try:
            ((_, size, opener),) = self.sources(top, Notes())
            if size > limit:
                raise DownloadError(f"{top} is larger than {limit >> 20} MiB. Is it the platform's own?")
            with opener() as file:
                content: bytes = file.read(limit + 1)
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, EOFError, NotImplementedError) as problem:
            raise DownloadError(f"{top} can't be read ({problem}). Download it again.") from None
        if len(content) > limit:
            raise DownloadError(f"{top} is larger than {limit >> 20} MiB. Is it the platform's own?")
        return content

    def modified(self, top: str) -> datetime | None:
        """When a file or folder at the top was changed last, as far as the download says."""
        try:
            place = self.place(top)
            if place is not None:
                return datetime.fromtimestamp(place.lstat().st_mtime).astimezone()
            return max(datetime(*member.date_time).astimezone() for member in self._members[top].values())
        except (OSError, ValueError, KeyError, OverflowError):
            return None

    def _look(self) -> None:
        self.folders, self.files, self.ignored = [], [], []
        for entry in os.scandir(self.path / self.inside):
            ours = os.path.realpath(entry.path) in self._results
            if entry.name.startswith(".") or entry.name in DEBRIS or entry.is_symlink() or ours:
                self.ignored.append(entry.name)
            elif entry.is_dir():
                self.folders.append(entry.name)
            elif entry.is_file():
                self.files.append(entry.name)
            else:
                self.ignored.append(entry.name)
        self._sort()

    def _open(self) -> None:
        try:
            self._archive = self._resources.enter_context(zipfile.ZipFile(self.path))
        except Exception as problem:  # a damaged archive raises whatever its reader happens to meet
            self._resources.close()
            raise DownloadError(f"{self.path} is damaged, or no zip ({problem}). Download it again.") from None
        self._list(self._archive)

    def _list(self, archive: zipfile.ZipFile) -> None:
        members = archive.infolist()
        if len(members) > MEMBERS_LIMIT:
            raise DownloadError(f"{self.path} holds {len(members):,} files; at most {MEMBERS_LIMIT:,} are read.")
        self._members = {}
        for member in members:
            if not member.filename.replace("\\", "/").endswith("/"):
                self._file(plain_name(member.filename), member)
        self._sort()

    def _file(self, name: str, member: zipfile.ZipInfo) -> None:
        top, _, rest = name.partition("/")
        self._members.setdefault(top, {})[rest] = member

    def _sort(self) -> None:
        if self.zipped:
            self.folders, self.files, self.ignored = [], [], []
            for top, below in self._members.items():
                if top.startswith(".") or top in DEBRIS or not top:
                    self.ignored.append(top)
                elif set(below) == {""}:
                    self.files.append(top)
                else:
                    below.pop("", None)
                    self.folders.append(top)
        for names in (self.folders, self.files, self.ignored):
            names.sort(key=os.fsencode)

    def _opener(self, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        archive = self._archive
        assert archive is not None
        return lambda: archive.open(member)


def _open_regular(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
