"""Downloads of each platform, read: who, when, late, which files; and what hostile ones can't do."""

from __future__ import annotations

import os
import random
import re
import stat
import unicodedata
import warnings
import zipfile
from datetime import datetime

import pytest

from grader.classroom import roll
from grader.downloads import FORMS, DownloadError, collect, moment
from grader.downloads.box import Box
from grader.downloads.read import recognize
from grader.export.formats import FORMATS
from tests.downloads import samples
from tests.downloads.samples import RIGHT, STUB, make_clones, write_folder, write_zip, zipped

BOTH = pytest.mark.parametrize("write", [write_zip, write_folder], ids=["zip", "folder"])


def read(path, tmp_path, roster="", due="", **options):
    """The class in a download, by the names of its submissions."""
    if roster:
        options["listed"] = tmp_path / "roster.csv"
        options["listed"].write_text(roster)
    known = collect(path, tmp_path / "out" / "unpacked", due=moment(due), **options)
    return known, {entry.name: entry for entry in known.submissions}


def source_of(entry):
    """What `cells.py` of an entry holds, where it is a folder."""
    return (entry.path / "cells.py").read_text()


def who(entry):
    return [student.get("name") for student in entry.told["students"]]


@BOTH
def test_canvas(tmp_path, write):
    known, found = read(write(tmp_path / "download.zip", samples.CANVAS), tmp_path, samples.CANVAS_GRADEBOOK)
    assert known.form == "canvas" and not known.ignored
    assert list(found) == ["doejane_11", "leebo_12", "oneillren\\xe9e_13", "onlytext_14", "gil"]
    assert source_of(found["doejane_11"]) == RIGHT
    assert found["doejane_11"].notes == ("cells.py was handed in 2 times; the last counts: cells-1.py",)
    assert found["leebo_12"].path.name == "hw1.zip"
    assert [entry.told["late"] for entry in found.values()] == [False, True, False, False, None]
    assert [entry.told["nothing"] for entry in found.values()] == [False, False, False, False, True]
    assert who(found["oneillren\\xe9e_13"]) == ["Renée O'Neill"]
    assert found["doejane_11"].told["students"] == [
        {"name": "Jane Doe", "login": "jane", "sid": "s-11", "ids": ["canvas:11"]}
    ]
    assert known.remarks == ["handed in nothing: Gil Gone"]


@BOTH
def test_moodle(tmp_path, write):
    known, found = read(write(tmp_path / "download.zip", samples.MOODLE), tmp_path, samples.MOODLE_WORKSHEET)
    assert known.form == "moodle"
    assert list(found) == ["Bo Lee_502", "Jane Doe_501", "Ren\\xe9e O'Neill_503", "gil@x.edu"]
    assert found["Bo Lee_502"].path.name == "homework.zip"
    assert found["Bo Lee_502"].notes == ("text typed into Moodle is not graded",)
    assert source_of(found["Ren\\xe9e O'Neill_503"]) == STUB
    assert [entry.told["late"] for entry in found.values()] == [True, False, False, None]
    assert found["Jane Doe_501"].told["students"][0]["email"] == "jane@x.edu"


@BOTH
def test_gradescope(tmp_path, write):
    path = write(tmp_path / "download.zip", samples.GRADESCOPE)
    known, found = read(path, tmp_path, due="2023-09-22T00:00+00:00")
    assert known.form == "gradescope"
    assert sorted(found) == ["Gil Gone_904", "Jane Doe and Bo Lee_901", "Ren\\xe9e O'Neill_902"]
    group = found["Jane Doe and Bo Lee_901"]
    assert who(group) == ["Jane Doe", "Bo Lee"] and group.told["students"][0]["sid"] == "200"
    assert (group.told["at"], group.told["late"]) == ("2023-09-21T18:02:11+00:00", False)
    twice = found["Ren\\xe9e O'Neill_902"]
    assert source_of(twice) == RIGHT and twice.told["late"] and "the latest counts" in twice.notes[0]
    assert known.remarks == ["Renée O'Neill: the earlier submission Renée O'Neill_903 gives way to Renée O'Neill_902"]
    assert found["Gil Gone_904"].told["nothing"]


def test_clones(tmp_path):
    students = {
        "hw1-jane": (RIGHT, "2026-06-01T12:00:00+02:00"),
        "hw1-bo-lee": (STUB, "2026-06-03T12:00:00+02:00"),
    }
    folder = make_clones(tmp_path / "hw1-submissions", students)
    (folder / "zoe.zip").write_bytes(zipped({"cells.py": RIGHT}))
    roster = "github_username,name,due\njane,Jane Doe,\nbo-lee,Bo Lee,2026-06-04T00:00Z\nlee,Other Lee,\nzoe,Zoe,\n"
    known, found = read(folder, tmp_path, roster, due="2026-06-01T11:00+02:00")
    assert known.form == "clones"
    assert list(found) == ["hw1-bo-lee", "hw1-jane", "zoe", "lee"]
    assert (who(found["hw1-bo-lee"]), found["hw1-bo-lee"].told["late"]) == (["Bo Lee"], False)  # an extension
    assert (found["hw1-jane"].told["at"], found["hw1-jane"].told["late"]) == ("2026-06-01T10:00:00+00:00", True)
    assert found["hw1-jane"].path == folder / "hw1-jane"
    assert found["lee"].told["nothing"] and found["zoe"].told["late"] is None


@pytest.mark.parametrize(
    ("folder", "names", "roster", "joined"),
    [
        ("all", ["hw1-anna-b", "hw1-anna-c"], ["anna-b", "anna-c"], ["anna-b", "anna-c"]),
        ("all", ["hw1-anna-b", "hw1-anna-c"], ["b", "c"], ["b", "c"]),
        ("all", ["hw1-anna-b", "hw1-zoe"], ["b", "zoe"], [None, "zoe"]),  # anna-b is not b
        ("hw1-submissions", ["hw1-anna-b"], ["b"], [None]),
        ("all", ["hw1-anna-b"], ["anna-b"], ["anna-b"]),
        ("all", ["hw1-anna-b"], ["anna-b", "b"], [None]),  # two may be meant
    ],
)
def test_logins_are_told_from_what_all_clones_begin_with(tmp_path, folder, names, roster, joined):
    for name in names:
        (tmp_path / folder / name / ".git").mkdir(parents=True)
    _, found = read(tmp_path / folder, tmp_path, "login,sid\n" + "".join(f"{login},s-{login}\n" for login in roster))
    logins = [one["login"] if "sid" in (one := found[name].told["students"][0]) else None for name in names]
    assert logins == joined


def test_a_clone_cannot_make_git_do_anything(tmp_path):
    folder = make_clones(tmp_path / "c", {"eve": (STUB, "2026-06-01T12:00:00Z")})
    trap = tmp_path / "trapped"
    config = folder / "eve" / ".git" / "config"
    config.write_text(
        f'[core]\n\tfsmonitor = "touch {trap}"\n\tpager = "touch {trap}"\n\tsshCommand = "touch {trap}"\n'
        f'[log]\n\tshowSignature = true\n[gpg]\n\tprogram = "touch {trap}"\n[include]\n\tpath = /dev/zero\n'
        '[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\tpromisor = true\n'
        f'\turl = "ext::sh -c touch% {trap}"\n[protocol "ext"]\n\tallow = always\n'
    )
    _, found = read(folder, tmp_path, form="clones")
    assert found["eve"].told["at"] == "2026-06-01T12:00:00+00:00"
    for spoil in (
        lambda git: [path.unlink() for path in git.glob("objects/??/*")],  # would be fetched from a remote of theirs
        lambda git: (git / "HEAD").write_text("ref: refs/../../../../etc/passwd\n"),
        lambda git: (git / "HEAD").write_text("--output=x"),
        lambda git: ((git / "HEAD").unlink(), (git / "HEAD").symlink_to("/dev/zero")),
        lambda git: ((git / "HEAD").unlink(), os.mkfifo(git / "HEAD")),
    ):
        spoil(folder / "eve" / ".git")
        _, found = read(folder, tmp_path, form="clones")
        assert found["eve"].told["at"] is None and "no commit that can be read" in found["eve"].notes[0]
    assert not trap.exists()


def test_a_plain_folder_says_names_and_no_more(tmp_path):
    folder = write_folder(tmp_path / "in", {"ada/cells.py": RIGHT, "ben.py": STUB, "roster.csv": "x"})
    known, found = read(folder, tmp_path)
    assert (known.form, known.ignored) == ("folder", ["roster.csv"])
    assert [(entry.told, entry.path) for entry in found.values()] == [
        (None, folder / "ada"),
        (None, folder / "ben.py"),
    ]
    assert not (tmp_path / "out").exists()


def test_a_plain_folder_is_joined_on_a_roster(tmp_path):
    folder = write_folder(tmp_path / "in", {"ada/cells.py": STUB, "ada.zip": zipped({"cells.py": RIGHT}), "eve/x": ""})
    os.utime(folder / "ada", (1, 1))
    known, found = read(folder, tmp_path, "Login;Name;Email\nADA;Ada Lovelace;a@x.edu\ngil;Gil;\n")
    assert [entry.path.name for entry in found.values()] == ["ada.zip", "eve", "gil"]
    assert who(found["ada"]) == ["Ada Lovelace"] and "the latest counts" in found["ada"].notes[0]
    assert known.remarks == [
        "Ada Lovelace: the earlier submission ada gives way to ada",
        "not in the roster: eve",
        "handed in nothing: Gil",
    ]


def test_a_zipped_folder_of_submissions(tmp_path):
    files = {"class/ada/cells.py": RIGHT, "class/ben.zip": zipped({"cells.py": STUB}), "class/ada/more/x.py": ""}
    _, found = read(write_zip(tmp_path / "class.zip", files), tmp_path)
    assert list(found) == ["ada", "ben"] and source_of(found["ada"]) == RIGHT
    assert (found["ada"].path / "more" / "x.py").exists() and found["ben"].path.name == "ben.zip"
    with pytest.raises(DownloadError, match="grader grade"):
        read(write_zip(tmp_path / "ada.zip", {"cells.py": RIGHT}), tmp_path)


def test_a_name_that_a_mac_unpacked_is_the_same_name(tmp_path):
    files = {unicodedata.normalize("NFD", "Renée O'Neill_503_assignsubmission_file_/cells.py"): RIGHT}
    folder = write_folder(tmp_path / "m", files)
    _, found = read(folder, tmp_path, "Name,Email\nRenée O'Neill,r@x.edu\n")
    (entry,) = found.values()
    assert entry.told["students"][0]["email"] == "r@x.edu"
    filled = FORMATS["moodle"].fill([_graded(entry)], samples.MOODLE_WORKSHEET, None)
    assert (filled.grades, filled.left_out) == (1, [])


def _graded(entry):
    document = {"submission": "", "score": 1.0, "max_score": 18.0, "complete": True, "notes": []}
    return entry.signed(document)


def test_anonymous_submissions_are_nobodys(tmp_path):
    path = write_zip(tmp_path / "c.zip", {"LATE_anon_aB3xZ_456_cells.py": RIGHT, "anon_Qq9_457_cells.py": STUB})
    known, found = read(path, tmp_path, samples.CANVAS_GRADEBOOK)
    assert list(found) == ["anon_aB3xZ", "anon_Qq9"]
    assert [(entry.told["late"], entry.told["students"]) for entry in found.values()] == [(True, [{}]), (False, [{}])]
    assert "handed in anonymously" in found["anon_Qq9"].notes[0]
    assert known.remarks[-1].startswith("some submissions are anonymous")  # so nobody is given a 0
    path = write_zip(tmp_path / "m.zip", {"Participant_504_assignsubmission_file_/cells.py": RIGHT})
    _, found = read(path, tmp_path, samples.MOODLE_WORKSHEET)
    assert who(found["Participant_504"]) == ["Gil Gone"]  # the worksheet tells, if it says names


def test_who_takes_another_name_takes_no_grade(tmp_path):
    files = {
        "doejane_11_456_cells.py": RIGHT,
        "evil_11_22_x_13_490_cells.py": STUB,  # a student called evil_11_22_x
        "leebo_12_470_cells.py": RIGHT,
        "leebo_99_471_cells.py": STUB,  # another one called Bo Lee, whom the gradebook doesn't know
    }
    known, found = read(write_zip(tmp_path / "c.zip", files), tmp_path, samples.CANVAS_GRADEBOOK)
    assert found["evil_11"].told["students"] == [{"name": "evil", "ids": ["canvas:11", "canvas:13"]}]
    assert found["doejane_11"].told["students"][0]["login"] == "jane" and source_of(found["doejane_11"]) == RIGHT
    assert not any("login" in found[name].told["students"][0] for name in ("leebo_12", "leebo_99"))
    assert "renee" not in found and "bo" not in found  # a 0 would be a guess
    assert any("2 students hand in as Bo Lee" in remark for remark in known.remarks)


def test_two_of_one_name_are_not_one_student(tmp_path):
    roster = "Name\nBo Lee\nJane Doe\n"
    files = {f"Bo Lee_{number}_assignsubmission_file_/cells.py": RIGHT for number in (1, 2)}
    known, found = read(write_folder(tmp_path / "m", files), tmp_path, roster)
    assert list(found) == ["Bo Lee_1", "Bo Lee_2", "Jane Doe"]  # and no Bo Lee with a 0
    assert "2 students hand in as Bo Lee, so none of them is joined on the roster" in known.remarks
    metadata = """submission_1:
  :submitters:
  - :name: Bo Lee
    :email: BO@x.edu
    :sid: '7'
  :created_at: 2023-09-21 18:02:11.1 Z
submission_2:
  :submitters:
  - :name: Bo Lee
    :email: bo@x.edu
  :created_at: 2023-09-20 18:02:11.1 Z
"""
    files = {"submission_metadata.yml": metadata, "submission_1/cells.py": RIGHT, "submission_2/cells.py": STUB}
    _, found = read(write_folder(tmp_path / "g", files), tmp_path, "Name,Email\nBo Lee,bo@x.edu\n")
    assert list(found) == ["Bo Lee_1"] and "latest counts" in found["Bo Lee_1"].notes[0]  # here it is one


def test_a_late_mark_or_a_roster_changes_no_digest(tmp_path):
    first = {"doejane_11_456_cells.py": RIGHT, "leebo_12_470_hw1.zip": zipped({"cells.py": RIGHT})}
    again = {"doejane_LATE_11_556_cells.py": RIGHT, "leebo_LATE_12_570_hw1.zip": zipped({"cells.py": RIGHT})}
    digests = []
    for files, roster in ((first, ""), (again, ""), (first, samples.CANVAS_GRADEBOOK)):
        _, found = read(write_zip(tmp_path / "c.zip", files), tmp_path, roster)
        digests.append([roll.digest(found[name].path) for name in ("doejane_11", "leebo_12")])
    assert digests[0] == digests[1] == digests[2]


def test_hostile_names_stay_inside(tmp_path):
    inside = tmp_path / "out" / "unpacked"
    files = {
        f"{top}_{rest}": RIGHT for top in ("doejane_11_1", "x_12_1") for rest in ("../higher.py", "/abs.py", "a\\b.py")
    }
    files |= {"doejane_11_2_cells.py": RIGHT, "..": "x", "../../evil.py": "x", "x_13_1_" + "n" * 250 + ".py": "x"}
    write_zip(tmp_path / "c.zip", files)
    with zipfile.ZipFile(tmp_path / "c.zip", "a") as archive:
        link = zipfile.ZipInfo("x_14_1_link.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    _, found = read(tmp_path / "c.zip", tmp_path, form="canvas")
    assert source_of(found["doejane_11"]) == RIGHT
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(inside) or path == tmp_path / "c.zip" for path in made)
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert "not a regular file" in found["x_14"].notes[0]


def test_one_students_bomb_costs_nobody_else(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.downloads.layout.UNPACKED_LIMIT", 2**20)
    monkeypatch.setattr("grader.downloads.layout.MEMBER_LIMIT", 20)
    files = {f"A_1_assignsubmission_file_/{n}.py": "" for n in range(21)}
    files |= {"B_2_assignsubmission_file_/cells.py": b"\0" * (2**20 + 1)}
    files |= {"C_3_assignsubmission_file_/cells.py": RIGHT}
    _, found = read(write_zip(tmp_path / "m.zip", files), tmp_path)
    assert "more than 2,000 files" in found["A_1"].notes[0] and "more than 256 MiB" in found["B_2"].notes[0]
    assert [len(list(found[name].path.iterdir())) for name in ("A_1", "B_2", "C_3")] == [0, 0, 1]


def test_what_comes_later_counts_archive_or_module(tmp_path):
    archive = zipped({"cells.py": RIGHT})
    files = {
        "a_1_10_cells.py": STUB,
        "a_1_11_work.zip": archive,
        "a_1_9_old.zip": archive,
        "b_2_12_cells (2).py": RIGHT,
        "b_2_11_work.zip": archive,
        "c_3_13_hw-1.ipynb": "{}",
        "c_3_12_hw.ipynb": "{",
    }
    _, found = read(write_zip(tmp_path / "c.zip", files), tmp_path)
    assert found["a_1"].path.name == "work.zip" and "left out, the archive work.zip" in found["a_1"].notes[0]
    assert source_of(found["b_2"]) == RIGHT and "modules were handed in after it" in found["b_2"].notes[1]
    assert (found["c_3"].path / "hw.ipynb").read_text() == "{}"


def test_a_folder_that_is_not_ours_is_not_emptied(tmp_path):
    mine = write_folder(tmp_path / "out" / "unpacked", {"cells.py": RIGHT})
    with pytest.raises(DownloadError, match="in the way"):
        read(write_zip(tmp_path / "c.zip", samples.CANVAS), tmp_path)
    assert (mine / "cells.py").read_text() == RIGHT


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no zip"),
        (b"PK\x03\x04" + b"x" * 100, "no zip"),
        (zipped({"submission_metadata.yml": "a: [b"}), "no YAML"),
        (zipped({"submission_metadata.yml": "[1, 2]"}), "not as Gradescope"),
        (zipped({"submission_metadata.yml": "submission_1: 7"}), "not as Gradescope"),
        (zipped({"submission_metadata.yml": "[" * 100_000}), "no YAML"),
        (zipped({"submission_metadata.yml": b"\xff\xfe\xff"}), "no YAML"),
    ],
)
def test_what_is_no_download_is_refused_in_a_line(tmp_path, content, says):
    (tmp_path / "c.zip").write_bytes(content)
    with pytest.raises(DownloadError, match=says) as caught:
        read(tmp_path / "c.zip", tmp_path)
    assert "\n" not in str(caught.value)


def test_metadata_makes_no_objects_and_merges_nothing(tmp_path):
    layers = ["a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12))]
    hostile = "\n".join([*layers, f"submission_1: !!python/object/apply:os.system ['touch {tmp_path}/trap']"])
    with pytest.raises(DownloadError, match="not as Gradescope"):
        read(write_zip(tmp_path / "g.zip", {"submission_metadata.yml": hostile}), tmp_path)
    assert not (tmp_path / "trap").exists()


ROSTERS = {
    "gradescope scores": (
        "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
        "Lateness (H:M:S),View Count\nJane,Doe,007,jane@x.edu,A,3,18,Graded,901,2023-09-21 18:02:11 -0700,26:00:01,1\n"
        "Bo,Lee,008,bo@x.edu,A,,18,Missing,,,,\n"
    ),
    "gradescope roster": "Name,SID,Email,Role\nJane Doe,007,jane@x.edu,Student\nBo Lee,008,bo@x.edu,Student\n",
    "github classroom": "identifier,github_username,github_id,name\n007,jane,1,Jane Doe\n008,bo-lee,2,Bo Lee\n",
    "classroom 50": (
        "username,first_name,last_name,email,section,github_id\njane,Jane,Doe,jane@x.edu,A,1\nbo-lee,Bo,Lee,b@x.edu,A,2\n"
    ),
    "canvas": 'Student,ID,SIS User ID,SIS Login ID,Section,HW (1)\n"Doe, Jane",11,007,jane,A,\n"Lee, Bo",12,8,bo,A,\n',
    "one's own": "Name;Login;Late\nDoe, Jane;jane;yes\nBo Lee;bo;no\n",
}


@pytest.mark.parametrize("kind", ROSTERS)
def test_rosters_are_known_by_their_headings(tmp_path, kind):
    folder = write_folder(tmp_path / "in", {"jane/cells.py": RIGHT, "007/cells.py": RIGHT, "Jane Doe/x.py": ""})
    for name in ("jane", "007", "Jane Doe"):
        os.utime(folder / name, (1, 1) if name != "Jane Doe" else (2, 2))
    known, found = read(folder, tmp_path, ROSTERS[kind])
    jane = found["Jane Doe"]
    assert who(jane) == ["Jane Doe"] and any("handed in nothing: Bo Lee" in remark for remark in known.remarks)
    by_id, by_login = "007" in ROSTERS[kind], re.search("^jane[,]|[,;]jane[,;]", ROSTERS[kind], re.M) is not None
    assert ("007" in found) == (not by_id) and ("jane" in found) == (not by_login)
    assert jane.told["late"] is {"gradescope scores": True, "one's own": True}.get(kind)
    if kind == "gradescope scores":
        assert jane.told["at"] == "2023-09-21T18:02:11-07:00" and jane.told["students"][0]["sid"] == "007"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'name\n"x', '"' + "x" * (2**20 + 1) + '"'])
def test_what_is_no_roster_is_refused(tmp_path, text):
    (tmp_path / "roster.csv").write_text(text)
    folder = write_folder(tmp_path / "in", {"ada/cells.py": RIGHT})
    with pytest.raises(DownloadError, match="roster"):
        collect(folder, tmp_path / "out", listed=tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2023-09-21 18:02:11.123456000 Z", "2023-09-21T18:02:11.123456+00:00"),
        ("2023-09-21 18:02:11 -0700", "2023-09-21T18:02:11-07:00"),
        ("2026-10-01T23:59+02:00", "2026-10-01T23:59:00+02:00"),
        ("2026-13-01T23:59+02:00", None),
        ("Monday, 1 June 2026, 1:00 PM", None),
        ("", None),
    ],
)
def test_times_are_read_with_their_offsets(text, iso):
    assert moment(text) == (datetime.fromisoformat(iso) if iso else None)


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["doejane_11_456_cells.py", "ada.py"], "folder"),  # half of them is not most
        (["doejane_11_456_cells.py", "leebo_12_text.html", "x.csv"], "canvas"),
        (["in/doejane_11_456_cells.py"], "canvas"),
        (["ada/cells.py"], "folder"),
        (["A_1_assignsubmission_file_/cells.py", "B_2_assignsubmission_onlinetext/o.html"], "moodle"),
        (["x/submission_metadata.yml"], "gradescope"),
    ],
)
@BOTH
def test_recognized_by_what_it_holds(tmp_path, names, form, write):
    with Box(write(tmp_path / "d.zip", dict.fromkeys(names, "x")), tmp_path / "out") as box:
        assert recognize(box) == form


PIECES = (
    *("doejane", "_", "LATE", "_11", "_12_", "anon_", "_assignsubmission_", "file", "onlinetext", "/", "\\", "..", "."),
    *(
        "cells.py",
        "-1",
        " (2)",
        ".zip",
        ".ipynb",
        "submission_metadata.yml",
        "\n",
        "\x1b[2J",
        "é",
        "\u202e",
        "~2",
        "%s",
    ),
    *("__MACOSX/", ".git/HEAD", "C:", "con", " ", "a" * 120, "::error::", "submission_7", "text.html", "%s"),
)


@pytest.mark.parametrize("seed", range(8))
def test_names_put_together_at_random_do_no_harm(tmp_path, seed):
    rng = random.Random(seed)
    for number in range(40):
        files = {"".join(rng.choices(PIECES, k=rng.randrange(1, 9))): b"x" for _ in range(rng.randrange(1, 12))}
        home = tmp_path / str(number)
        home.mkdir()
        with warnings.catch_warnings(action="ignore"):  # of two members with one name
            path = write_zip(home / "d.zip", files)
        form = rng.choice([None, *FORMS])
        try:
            known = collect(path, home / "out" / "unpacked", form=form)
        except DownloadError as problem:
            assert len(str(problem)) < 2000
            continue
        names = [entry.name for entry in known.submissions]
        assert len({name.lower() for name in names}) == len(names)
        for entry in known.submissions:
            assert entry.path.resolve().is_relative_to((home / "out" / "unpacked").resolve())
            assert entry.name.isascii() and entry.name.isprintable() and "/" not in entry.name
            document = entry.signed({"notes": []})
            assert all(note.isprintable() and len(note) < 300 for note in document["notes"])
        assert {path.name for path in home.iterdir()} <= {"d.zip", "out"}
