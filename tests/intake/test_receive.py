"""Intake: whatever is handed in becomes a submission; what can't be read is said and costs its own points."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from grader.course import SOLUTIONS, select
from grader.intake import receive, submission_name
from tests.support import rows_of, write_files

CELLS = select(["cells"])
SOLUTION = (SOLUTIONS / "cells.py").read_bytes()


def zipped(path: Path, members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_folder(tmp_path):
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION, "deep/helper.py": "x = 1", "data.txt": "d"})
    submission = receive(folder, CELLS)
    assert submission.name == "ada"
    assert submission.files == {"cells.py": SOLUTION, "deep/helper.py": b"x = 1", "data.txt": b"d"}
    assert submission.notes == []


@pytest.mark.parametrize("wrap", ["", "ada-hw1/", "./"])
def test_a_zip_with_or_without_a_wrapping_folder(tmp_path, wrap):
    path = zipped(tmp_path / "ada.zip", [(f"{wrap}cells.py", SOLUTION), (f"{wrap}pkg/__init__.py", b"")])
    submission = receive(path, CELLS)
    assert submission.name == "ada"
    assert set(submission.files) == {"cells.py", "pkg/__init__.py"}


def test_a_mac_zip_is_unwrapped_beside_its_debris(tmp_path):
    members = [("hw/cells.py", SOLUTION), ("__MACOSX/hw/._cells.py", b"\0"), ("hw/.DS_Store", b"\0")]
    assert set(receive(zipped(tmp_path / "ada.zip", members), CELLS).files) == {"cells.py"}


@pytest.mark.parametrize("wrap", ["", "ada-hw1/"])
def test_a_tarball(tmp_path, wrap):
    path = tarred(tmp_path / "ada.tar.gz", [(tarfile.TarInfo(f"{wrap}cells.py"), SOLUTION)])
    submission = receive(path, CELLS)
    assert submission.name == "ada" and set(submission.files) == {"cells.py"}


def test_a_lone_module(tmp_path):
    path = tmp_path / "cells.py"
    path.write_bytes(SOLUTION)
    assert receive(path, CELLS).files == {"cells.py": SOLUTION}


def test_of_two_members_with_one_name_the_last_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "ada.zip", [("cells.py", b"first"), ("cells.py", b"last")])
    assert receive(path, CELLS).files == {"cells.py": b"last"}


def test_climbing_absolute_and_special_members_are_left_out_and_named(tmp_path):
    link = zipfile.ZipInfo("link.py")
    link.external_attr = 0o120777 << 16
    members = [
        ("cells.py", SOLUTION),
        ("../up.py", b""),
        ("/abs.py", b""),
        ("a/../../b.py", b""),
        (link, b"/etc/passwd"),
    ]
    submission = receive(zipped(tmp_path / "ada.zip", members), CELLS)
    assert set(submission.files) == {"cells.py"}
    notes = " ".join(submission.notes)
    for name in ("up.py", "abs.py", "b.py", "link.py"):
        assert name in notes
    assert not (tmp_path / "up.py").exists()


def test_links_and_devices_in_a_tarball_are_left_out(tmp_path):
    members = []
    for name, kind in (("soft.py", tarfile.SYMTYPE), ("hard.py", tarfile.LNKTYPE), ("dev.py", tarfile.CHRTYPE)):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        members.append((info, b""))
    members.append((tarfile.TarInfo("cells.py"), SOLUTION))
    submission = receive(tarred(tmp_path / "ada.tar.gz", members), CELLS)
    assert set(submission.files) == {"cells.py"}
    assert len(submission.notes) == 3


def test_links_and_pipes_in_a_folder_are_not_followed(tmp_path):
    folder = write_files(tmp_path / "ada", {"cells.py": SOLUTION})
    (folder / "secret.py").symlink_to("/etc/passwd")
    (folder / "root").symlink_to("/")
    os.mkfifo(folder / "pipe.py")
    submission = receive(folder, CELLS)
    assert set(submission.files) == {"cells.py"}
    assert "secret.py" in " ".join(submission.notes)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("ada.zip", b"PK\x03\x04 not really", "damaged"),
        ("ada.tar.gz", b"\x1f\x8b\x08\x00 nor this", "damaged"),
        ("ada.zip", b"", "damaged"),
        ("ada.txt", b"hello", "no folder"),
    ],
)
def test_what_is_no_submission_is_said(tmp_path, name, content, why):
    path = tmp_path / name
    path.write_bytes(content)
    submission = receive(path, CELLS)
    assert why in submission.whole and submission.files == {}


def test_archives_past_the_limits_are_unreadable(tmp_path):
    many = zipped(tmp_path / "many.zip", [(f"f{i}.txt", b"") for i in range(2001)])
    assert "2,000 members" in receive(many, CELLS).whole
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", b"\0" * (257 * 2**20))
    assert "256 MiB" in receive(bomb, CELLS).whole
    with (tmp_path / "large.zip").open("wb") as file:
        file.truncate(65 * 2**20)
    assert "64 MiB" in receive(tmp_path / "large.zip", CELLS).whole


def test_a_zip_that_lies_about_its_sizes_is_cut(tmp_path):
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cells.py", b"#" * (3 * 2**20))
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = raw.index(signature) + offset
        raw[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(raw)
    submission = receive(path, CELLS)
    assert len(submission.files.get("cells.py", b"")) <= 2**20


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 'é'".encode("latin-1"), "not UTF-8"),
        ("x = 1".encode("utf-16"), "NUL"),
        (b"x = 1\0", "NUL"),
        (b"# -*- coding: latin-1 -*-\nx = 1", "latin-1"),
        (b"#" * (2**20 + 1), "larger than 1 MiB"),
        (b"x = " + b"(" * 50_000 + b")" * 50_000, None),
        (b"x = " + b"-" * 200_000 + b"1", "parser"),
    ],
)
def test_a_module_in_anything_but_plain_utf8_is_unreadable(tmp_path, source, why, grade_own):
    document = grade_own({"cells.py": source}, ["cells"])
    assert document["score"] == 0 and document["complete"]
    for test in rows_of(document).values():
        assert test["status"] == "error"
        if why and test["visibility"] == "public":
            assert why in test["message"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_any_line_ending_with_or_without_bom(ending, mark, grade_own):
    source = mark + SOLUTION.decode().replace("\n", ending).encode()
    assert grade_own({"cells.py": source}, ["cells"])["score"] == 18


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ada.zip", "ada"),
        ("ada.tar.gz", "ada"),
        ("ada.ipynb", "ada"),
        ("ada.ZIP", "ada"),
        ("zoë.zip", "zo\\xeb"),
        ("tab\there.zip", "tab\\there"),
        (".hidden", "_hidden"),
        ("<script>", "<script>"),
        ("x" * 150, "x" * 100),
        ("it's", "it's"),
        ("both'\"", "both'\""),
    ],
)
def test_names_are_printable_ascii(name, shown):
    assert submission_name(Path("in", name)) == shown


def test_a_folder_keeps_its_whole_name(tmp_path):
    folder = tmp_path / "ada.zip"
    folder.mkdir()
    assert submission_name(folder) == "ada.zip"


def test_a_module_wins_over_a_folder_of_its_name(grade_own):
    document = grade_own({"cells.py": SOLUTION, "cells/__init__.py": "raise RuntimeError"}, ["cells"])
    assert document["score"] == 18


def test_files_named_like_libraries_take_nobodys_place(grade_own):
    traps = dict.fromkeys(("torch.py", "numpy/__init__.py", "random.py", "math.py"), "raise RuntimeError('shadowed')")
    assert grade_own({"cells.py": SOLUTION, **traps}, ["cells"])["score"] == 18


def test_helper_modules_and_forged_bytecode(grade_own):
    split = SOLUTION.decode().replace("import torch\n", "import torch\nfrom helpers.scale import INITIAL\n")
    files = {"cells.py": split, "helpers/__init__.py": "", "helpers/scale.py": "INITIAL = 0.1"}
    assert grade_own({**files, "__pycache__/cells.cpython-311.pyc": b"\0" * 64}, ["cells"])["score"] == 18


@pytest.mark.parametrize("wrap", ["cells/", "env/", "ada/"])
def test_a_wrapping_folder_may_have_any_name(tmp_path, wrap):
    submission = receive(zipped(tmp_path / "ada.zip", [(f"{wrap}cells.py", SOLUTION)]), CELLS)
    assert set(submission.files) == {"cells.py"}


def test_one_member_under_two_spellings_is_one(tmp_path):
    path = zipped(tmp_path / "ada.zip", [("cells.py", b"first"), (".//cells.py", b"last")])
    assert receive(path, CELLS).files == {"cells.py": b"last"}


def test_what_matters_is_kept_where_a_limit_cuts(tmp_path):
    folder = write_files(tmp_path / "many", {f"a{i}.txt": "" for i in range(2100)})
    (folder / "cells.py").write_bytes(SOLUTION)
    assert receive(folder, CELLS).files["cells.py"] == SOLUTION
    long = [(f"{i:04}" + "é" * 90 + ".txt", b"") for i in range(1999)]
    assert "cells.py" in receive(zipped(tmp_path / "long.zip", [*long, ("cells.py", SOLUTION)]), CELLS).files
    big = [(f"helper{i}.py", b"#" * 2**20) for i in range(70)]
    submission = receive(zipped(tmp_path / "big.zip", [("cells.py", SOLUTION), *big]), CELLS)
    assert submission.files["cells.py"] == SOLUTION
    assert sum(len(content) for content in submission.files.values()) <= 24 * 2**20
    assert "all files together are larger than 24 MiB" in " ".join(submission.notes)
