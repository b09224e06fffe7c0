"""Who is in a class, under which name, and when two submissions are the same bytes."""

from __future__ import annotations

import os

import pytest

from grader.classroom import roll


def write(folder, *names):
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)


def test_folders_and_files_are_submissions_and_lists_are_not(tmp_path):
    write(tmp_path, "ada/cells.py", "ben.zip", "cleo.ipynb", "dora.rar", "roster.csv", ".DS_Store", "meta.yml")
    entries, ignored = roll.call(tmp_path)
    assert [entry.name for entry in entries] == ["ada", "ben", "cleo", "dora.rar"]
    assert ignored == [".DS_Store", "meta.yml", "roster.csv"]


def test_links_are_not_followed(tmp_path):
    write(tmp_path, "ada/cells.py")
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    entries, ignored = roll.call(tmp_path)
    assert [entry.name for entry in entries] == ["ada"]
    assert ignored == ["eve"]


def test_a_second_of_the_same_name_is_told_apart(tmp_path):
    write(tmp_path, "ada.zip", "ada.tar.gz", "ada/", "ADA.ipynb", "x" * 150 + ".zip", "x" * 150 + ".tar.gz")
    names = [entry.name for entry in roll.call(tmp_path)[0]]
    assert sorted(names)[:4] == ["ADA", "ada~2", "ada~3", "ada~4"] or len({n.lower() for n in names}) == 6
    assert len({name.lower() for name in names}) == 6
    assert all(len(name) <= 100 for name in names)


@pytest.mark.parametrize("change", ["content", "name", "new", "link"])
def test_any_change_changes_the_digest(tmp_path, change):
    write(tmp_path, "ada/cells.py", "ada/sub/helper.py")
    before = roll.digest(tmp_path / "ada")
    assert roll.digest(tmp_path / "ada") == before
    if change == "content":
        (tmp_path / "ada" / "sub" / "helper.py").write_text("x = 1")
    elif change == "name":
        (tmp_path / "ada" / "cells.py").rename(tmp_path / "ada" / "cell.py")
    elif change == "new":
        (tmp_path / "ada" / "more.py").touch()
    else:
        (tmp_path / "ada" / "more.py").symlink_to("cells.py")
    assert roll.digest(tmp_path / "ada") != before


def test_a_fifo_is_not_waited_for(tmp_path):
    write(tmp_path, "ada/cells.py")
    os.mkfifo(tmp_path / "ada" / "pipe")
    assert roll.digest(tmp_path / "ada")
