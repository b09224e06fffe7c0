"""Writes a bundle where it is wanted: as a folder, a zip or a Git repository of one commit.

The same files give the same bytes: times, owners and authors are fixed, so nothing of the machine that
made it is inside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

FORMS = ("folder", "zip", "git")
EPOCH = (2026, 1, 1, 0, 0, 0)
AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Course"), ("EMAIL", "course@localhost"), ("DATE", "2026-01-01T00:00:00Z"))
}


class PackError(Exception):
    """The bundle can't be written there; the message says why and what to do."""


def form_of(out: Path, asked: str | None) -> str:
    """The form that OUT asks for by its ending, unless one is named: `course.zip`, `course.git`, a folder."""
    return asked or {".zip": "zip", ".git": "git"}.get(out.suffix.lower(), "folder")


def refuse_taken(out: Path, form: str) -> None:
    """Raise PackError if there is something at `out`, but for an empty folder."""
    if out.exists() and not (form != "zip" and out.is_dir() and not any(out.iterdir())):
        what = "holds files" if out.is_dir() and any(out.iterdir()) else "exists"
        raise PackError(f"{out} {what} already. Take it away, or give another name")


def write_bundle(files: Mapping[str, bytes], out: Path, form: str) -> None:
    """Write the files to `out`, whole or not at all. Raises PackError if it exists or can't be made."""
    refuse_taken(out, form)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".release-", dir=out.parent) as scratch:
            made = Path(scratch, "made")
            if form == "zip":
                _zip(files, made, out.stem)
            else:
                _folder(files, made)
                if form == "git":
                    _repository(made, Path(scratch, "nothing"))
            if out.is_dir():
                out.rmdir()
            made.rename(out)
    except OSError as problem:
        raise PackError(f"{out} can't be written ({problem.strerror}). Give another place") from None


def _folder(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _zip(files: Mapping[str, bytes], path: Path, wrapping: str) -> None:
    """One wrapping folder, so that unpacking makes no mess."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(f"{wrapping}/{name}", EPOCH)
            member.external_attr = 0o100644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)


def _repository(folder: Path, template: Path) -> None:
    """Make a repository of the folder. Nobody's own settings, hooks or templates of Git take part."""
    git = shutil.which("git")
    if git is None:
        raise PackError("a repository needs Git, which is not here. Install it, or take --form folder")
    template.mkdir()
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(template), **AUTHOR}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for words in (
        ("init", "--quiet", "--initial-branch=main", f"--template={template}"),
        ("add", "--all", "--force"),
        ("-c", "core.logAllRefUpdates=false", "commit", "--quiet", "-m", "The assignments"),
    ):
        done = subprocess.run([git, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackError(f"Git failed: {done.stderr.strip() or done.returncode}. Or take --form folder")
