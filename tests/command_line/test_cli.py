"""The command line: exit statuses, one line for every complaint, and standard output kept clean."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader import cli
from grader.course import ROOT, SOLUTIONS, STARTER
from tests.support import write_files

SOLUTION = (SOLUTIONS / "cells.py").read_text()


def grader(*arguments: str, cwd=None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd or ROOT,
        env={**os.environ, "COLUMNS": "100", **environment},
        check=False,
    )


@pytest.fixture
def solved(tmp_path):
    return str(write_files(tmp_path / "ada", {"cells.py": SOLUTION}))


def test_json_on_standard_output_is_the_document_alone(solved):
    done = grader("grade", solved, "-a", "cells", "--json", "-", "--require-isolation", "split")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert (document["submission"], document["score"], document["max_score"]) == ("ada", 18.0, 18.0)
    assert document["isolation"]["level"] in ("namespaced", "landlock", "split")
    assert document["complete"] is True
    for test in document["assignments"][0]["tests"]:
        assert {"name", "visibility", "status", "score", "max_score", "message", "misconception"} <= set(test)


def test_a_table_and_a_document_in_a_file(solved, tmp_path):
    target = tmp_path / "out.json"
    done = grader("grade", solved, "-a", "cells", "--json", str(target), "--require-isolation", "split")
    assert done.returncode == 0
    assert "18 of 18 points" in done.stdout
    assert json.loads(target.read_text())["score"] == 18.0
    assert "\x1b" not in done.stdout


def test_below_the_minimum_is_one(tmp_path):
    folder = write_files(tmp_path / "stub", {"cells.py": (STARTER / "cells.py").read_text()})
    done = grader("grade", str(folder), "-a", "cells", "--min-score", "50", "--require-isolation", "split")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == ["grader: 0.0 % is below --min-score 50."]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "nowhere"], "nowhere does not exist"),
        (["grade", ".", "-a", "poetry"], "no assignment 'poetry'"),
        (["check", "nowhere"], "nowhere does not exist"),
        (["grade"], "required: PATH"),
        (["frobnicate"], "invalid choice"),
        (["grade", ".", "--seed", "many"], "invalid int"),
        (["grade", ".", "--require-isolation", "total"], "invalid choice"),
        (["grade", ".", "--json", "/nowhere/at/all.json"], "can't be written"),
        (["grade", "a" * 300], "does not exist"),
        (["grade", ".", "--min-score", "nan"], "'nan' is no number of percent"),
        (["grade", ""], "argument PATH: it is empty"),
        (["check", ""], "argument PATH: it is empty"),
        (["check", "docs", "--watch", "--zip", "x.zip"], "--zip goes with a single check"),
        (["batch", ".", "--out", ""], "argument --out: it is empty"),
        (["batch", ".", "--out", "README.md"], "a file. Give --out a folder"),
        (["batch", ".", "--out", "README.md/more"], "a file. Give --out a folder"),
        (["batch", ".", "--out", "o", "--scheduler", "foo"], "no address of a scheduler, such as tcp://host:8786"),
        (["batch", ".", "--out", "o", "--scheduler", "http://foo:1"], "no address of a scheduler"),
        (["batch", "nowhere", "--out", "o"], "Give the folder of all submissions"),
        (["report", "nowhere"], "nowhere does not exist. Give the folder that grader batch has written"),
        (["export", "nowhere", "--format", "csv"], "Give the folder that grader batch has written"),
        (["release", "docs"], "docs holds files already"),
        (["grade", ".", "--json", "."], "no regular file"),
        ([], "required"),
    ],
)
def test_unusable_input_is_two_and_one_line(arguments, says):
    done = grader(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "name"),
    [
        *(("check --zip", name) for name in ("cells.py", "data.zip", "mine", "no/x.zip")),
        *(("grade --json", name) for name in ("cells.py", "mine.json")),
    ],
)
def test_what_was_handed_in_is_not_overwritten(option, name, solved):
    work = Path(solved)
    (work / "data.zip").write_text("no zip")
    (work / "mine.json").write_text('{"layers": 2}')
    (work / "mine").mkdir()
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    command, option = option.split()
    done = grader(command, solved, "-a", "cells", option, str(work / name))
    assert (done.returncode, done.stdout) == (2, "") and f"Give {option}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before


def test_nor_is_the_upload_itself_but_an_earlier_document_is(solved):
    done = grader("grade", f"{solved}/cells.py", "-a", "cells", "--json", f"{solved}/cells.py")
    assert done.returncode == 2 and "part of what was handed in" in done.stderr
    (Path(solved) / "grade.json").touch()  # as mktemp does
    for _ in range(2):
        line = ["grade", solved, "-a", "cells", "--json", f"{solved}/grade.json", "--require-isolation", "split"]
        assert grader(*line).returncode == 0


def test_a_share_is_not_rounded_up_to_the_minimum(solved, monkeypatch, capsys):
    monkeypatch.setattr("grader.grade_command.percent", lambda document: 99.96)
    line = ["grade", solved, "-a", "batching", "--require-isolation", "split", "--min-score", "100"]
    assert cli.main(line) == 1
    assert capsys.readouterr().err == "grader: 99.9 % is below --min-score 100.\n"


def test_isolation_below_the_floor_is_three(solved, monkeypatch, capsys):
    for rung in ("namespaced", "landlock"):  # a machine that offers neither
        monkeypatch.setattr(f"grader.sandbox.{rung}.command", lambda *_: None)
    assert cli.main(["grade", solved, "-a", "cells"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "grader doctor" in said.err and "--require-isolation split" in said.err
    assert cli.main(["grade", solved, "-a", "cells", "--require-isolation", "split", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["isolation"]["level"] == "split"
    assert "read-secrets" in document["isolation"]["gaps"]


def test_a_bubblewrap_that_does_not_work_is_one_rung_lower(solved, tmp_path):
    broken = tmp_path / "bin" / "bwrap"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2; exit 1\n")
    broken.chmod(0o755)
    path = f"{broken.parent}:{os.environ['PATH']}"
    done = grader("grade", solved, "-a", "cells", "--require-isolation", "namespaced", PATH=path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "'namespaced' is required" in done.stderr
    assert "Permission denied" in " ".join(grader("doctor", PATH=path).stdout.split())


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "cells.py is not in the submission"),
        ({"notes.txt": "hello"}, "cells.py is not in the submission"),
        ({"cells.py": "def broken(:\n"}, "SyntaxError"),
        ({"cells.py": "x = 1\n"}, "does not define"),
        ({"cells.py": "raise SystemExit(0)\n"}, "Importing cells.py failed"),
        ({"cells.py": "import os; os._exit(0)\n"}, "ended before it answered"),
        ({"cells.py": "RNNCellFromScratch = LSTMCellFromScratch = GRUCellFromScratch = None\n"}, "TypeError"),
        ({"cells.py": SOLUTION.replace("__init__(self, input_size, hidden_size)", "__init__(self)")}, "positional"),
    ],
)
def test_bad_input_is_graded_and_said(files, says, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    done = grader("grade", str(folder), "-a", "cells", "--require-isolation", "split")
    assert done.returncode == 0, done.stderr
    assert "0 of 18 points" in done.stdout
    assert says in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr


def test_check_runs_public_tests_only_and_says_what_is_left(solved):
    done = grader("check", solved, "-a", "cells")
    assert done.returncode == 0
    assert "9 of 9 points of the public tests" in done.stdout
    assert "17 hidden tests run when you hand in" in done.stdout
    assert "all tests pass" not in done.stdout.lower()


def test_check_looks_at_the_current_folder(solved):
    assert "9 of 9 points" in grader("check", "-a", "cells", cwd=solved).stdout


def test_check_pdb_stops_where_the_code_fails(tmp_path):
    folder = write_files(tmp_path / "stub", {"cells.py": (STARTER / "cells.py").read_text()})
    done = subprocess.run(
        [sys.executable, "-m", "grader", "check", str(folder), "-a", "cells", "--pdb"],
        input="where\nq\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NotImplementedError" in done.stdout and "(Pdb)" in done.stdout
    assert f"{folder}/cells.py" in done.stdout


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("grader.classroom", "this is a students' bundle, which has no grader.classroom"),
        ("torch", "torch is not installed"),
    ],
)
def test_a_module_that_is_not_here_is_one_line_with_the_command_to_type(missing, says, solved, monkeypatch, capsys):
    def absent(*_: object) -> int:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setitem(cli.COMMANDS, "check", absent)
    assert cli.main(["check", solved]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Type: " in said.err
    assert (said.out, len(said.err.strip().splitlines())) == ("", 1)


def test_check_pdb_carries_nothing_from_one_test_to_the_next(tmp_path):
    # Probes of seq2seq compute in float64; the tests after them draw their inputs in float32.
    folder = write_files(tmp_path / "right", {"seq2seq.py": (SOLUTIONS / "seq2seq.py").read_text()})
    done = grader("check", str(folder), "-a", "seq2seq", "--pdb")
    assert "All public tests pass" in done.stdout.splitlines()[-1], done.stdout[-600:]


def test_doctor_shows_the_rungs():
    done = grader("doctor", "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0
    assert findings["level"] in findings["rungs"]
    assert set(findings["rungs"]["split"]["observed"].values()) <= {"held", "open", "unclear"}
    assert "Submissions are graded at the level" in grader("doctor").stdout


def test_a_document_goes_through_a_link_and_leaves_it(solved, tmp_path):
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_text("")
    link.symlink_to(target)
    done = grader("grade", solved, "-a", "cells", "--json", str(link), "--require-isolation", "split")
    assert done.returncode == 0
    assert link.is_symlink() and json.loads(target.read_text())["score"] == 18.0


def test_a_full_disk_is_three_and_one_line(solved):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grader", "grade", solved, "-a", "cells", "--require-isolation", "split"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr and "disk full" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["grade", "SOLVED", "-a", "cells", "--json", "-"]])
def test_so_it_is_with_help_and_documents(arguments, solved):
    arguments = [solved if each == "SOLVED" else each for each in arguments]
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "grader", *arguments]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1) and "disk full" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_with_few_letters_is_shown_what_it_can_show(tmp_path, encoding):
    folder = write_files(tmp_path / "bad", {"cells.py": SOLUTION.replace("1 - z", "z")})
    done = grader("check", str(folder), "-a", "cells", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stdout.isascii() and done.stderr == ""
    assert "\nx cells: gru one step (public, failed)" in done.stdout and ", -" in done.stdout
    assert grader("check", f"{tmp_path}/no✗where", PYTHONIOENCODING=encoding).returncode == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_stop_nothing(closed, solved, tmp_path):
    target = tmp_path / "out.json"
    line = (
        f"'{sys.executable}' -m grader grade '{solved}' -a cells --require-isolation split --json '{target}' {closed}"
    )
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(target.read_text())["score"] == 18.0


@pytest.mark.parametrize("shown", [[], ["--json", "-"]])
def test_a_reader_that_goes_away_changes_no_status(shown, tmp_path):
    folder = write_files(tmp_path / "empty", {"cells.py": ""})
    options = ["-a", "cells", "--require-isolation", "split", "--min-score", "50", *shown]
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "grader", "grade", str(folder), *options]
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    os.close(writing)
    assert done.returncode == 1 and done.stderr.splitlines() == ["grader: 0.0 % is below --min-score 50."]


def test_watching_ends_when_nobody_reads(solved):
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "grader", "check", solved, "-a", "cells", "--watch"]
    done = subprocess.run(line, stdout=writing, stdin=subprocess.PIPE, cwd=ROOT, timeout=120, check=False)
    os.close(writing)
    assert done.returncode == 0


def test_a_folder_that_is_gone_is_said(tmp_path):
    line = f"cd {tmp_path} && mkdir gone && cd gone && rmdir ../gone && '{sys.executable}' -m grader check"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2 and done.stderr.startswith("grader: the folder you are in is gone. Type: cd")


def test_no_columns_are_as_many_as_are_usual(solved):
    assert grader("check", solved, "-a", "cells", COLUMNS="0").stdout == grader("check", solved, "-a", "cells").stdout


def test_no_colour_and_narrow_terminals(solved):
    narrow = grader("grade", solved, "-a", "cells", "--require-isolation", "split", COLUMNS="40")
    assert max(len(line) for line in narrow.stdout.splitlines()) <= 40
