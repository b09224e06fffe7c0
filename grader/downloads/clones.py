"""A folder of Git clones, one a student: `hw1-ada`, `hw1-ben`, as classroom tools lay them out.

The time is the newest commit's, which is what the student's own machine claimed it to be; nobody's
server saw it. A clone's own configuration is never obeyed: Git is shown only its objects, from an empty
repository of ours.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from grader.downloads.arrival import Arrival, DownloadError, Part, Student
from grader.downloads.box import Box

PATIENCE_S = 20
TEXT_LIMIT = 2**20
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMITTER = re.compile(rb"^committer .*> (\d{1,11}) [+-]\d{4}$", re.MULTILINE)


def is_one(box: Box) -> bool:
    """Whether most of the folders are clones."""
    ours = sum(box.holds(top, ".git") for top in box.folders)
    return ours > 0 and 2 * ours > len(box.folders)


def arrivals(box: Box) -> tuple[list[Arrival], list[str]]:
    """A submission for each clone; its student's login is the folder's name without what all have in common."""
    if box.zipped:
        raise DownloadError(f"{box.path} is a zip. Unpack it: clones are graded where they lie.")
    clones = [top for top in box.folders if box.holds(top, ".git")]
    prefixes = _prefixes(clones, (box.path / box.inside).absolute().name) if clones else []
    found = []
    for top in clones:
        logins = [top.removeprefix(prefix) for prefix in prefixes]
        login = logins[0] if len(clones) > 1 or len(logins) == 1 else top
        arrival = Arrival(top, [Student(login=login)], [Part(top)], at=committed(box.path / box.inside / top))
        arrival.logins = logins
        if arrival.at is None:
            arrival.notes.append("the clone has no commit that can be read, so no time is known")
        found.append(arrival)
    return found, [name for name in [*box.folders, *box.files] if name not in clones]


def committed(clone: Path) -> datetime | None:
    """When the commit that is checked out says it was made; None if there is none to be read."""
    git = clone / ".git"
    commit = _head(git)
    if commit is None:
        return None
    with tempfile.TemporaryDirectory(prefix="grader-git-") as folder:
        ours = Path(folder)
        for name in ("objects/info", "refs"):
            (ours / name).mkdir(parents=True)
        (ours / "HEAD").write_text("ref: refs/heads/none\n")
        kind = "\n[extensions]\n\tobjectFormat = sha256\n" if len(commit) == 64 else ""
        version = 1 if kind else 0
        (ours / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = true{kind}\n")
        (ours / "objects/info/alternates").write_bytes(os.fsencode(os.path.realpath(git / "objects")) + b"\n")
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": folder,
            "GIT_DIR": folder,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        try:
            done = subprocess.run(
                ["git", "cat-file", "commit", commit],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=environment,
                timeout=PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    head, _, _ = done.stdout[:TEXT_LIMIT].partition(b"\n\n")
    match = _COMMITTER.search(head)
    try:
        return datetime.fromtimestamp(int(match[1]), UTC) if done.returncode == 0 and match else None
    except (ValueError, OverflowError, OSError):
        return None


def _head(git: Path) -> str | None:
    """The commit that HEAD names, read as text."""
    said = _text(git / "HEAD")
    name = said.removeprefix("ref: ").strip()
    if not said.startswith("ref: "):
        return name if _COMMIT.fullmatch(name) else None
    if not name.startswith("refs/") or ".." in name:
        return None
    commit = _text(git / name).strip()
    if not commit:
        packed = (line.split(" ") for line in _text(git / "packed-refs").splitlines())
        commit = next((line[0] for line in packed if line[1:] == [name]), "")
    return commit if _COMMIT.fullmatch(commit) else None


def _text(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(TEXT_LIMIT).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _prefixes(names: list[str], folder: str) -> list[str]:
    """What may stand before the login in every name, the longest first: `hw1-` for clones in `hw1-submissions`.

    Else whatever all names begin with, up to a hyphen: for `hw1-anna-b` and `hw1-anna-c` it may be `hw1-anna-`,
    `hw1-` or nothing, and a roster tells.
    """
    said = folder.removesuffix("-submissions") + "-"
    if folder.endswith("-submissions") and all(name.startswith(said) for name in names):
        return [said]
    first, last = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return [first[: at + 1] for at in range(same - 1, -1, -1) if first[at] == "-"] + [""]
