"""Gradescope's autograder zip, laid out and run as Gradescope does: it grades, and keeps what it holds."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from grader import cli
from grader.course import ROOT, SOLUTIONS
from tests.downloads.samples import RIGHT, write_folder

NOBODY = 65534


@pytest.fixture(scope="module")
def autograder():
    """Gradescope's /autograder, set up, in a place that every uid may enter."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        assert cli.main(["autograder", str(root / "autograder.zip"), "-a", "cells"]) == 0
        with zipfile.ZipFile(root / "autograder.zip") as archive:
            archive.extractall(root / "source")
        (root / "autograder.zip").unlink()
        shutil.copyfile(root / "source" / "run_autograder", root / "run_autograder")
        (root / "run_autograder").chmod(0o755)
        (root / "submission_metadata.json").write_text('{"id": 1, "users": []}')
        done = script(root, "source/setup.sh")
        assert done.returncode == 0, done.stderr
        yield root


def script(root, name, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "AUTOGRADER_ROOT": str(root), **more}
    environment["AUTOGRADER_VENV"] = sys.prefix  # setting up from the network is tried by hand
    line = ["bash", str(root / name)]
    return subprocess.run(line, cwd=root, env=environment, capture_output=True, text=True, timeout=250, check=False)


def grade(root, source):
    """Hand in `cells.py` and run the autograder; its results, or None where there are none."""
    shutil.rmtree(root / "submission", ignore_errors=True)
    write_folder(root / "submission", {"cells.py": source})
    done = script(root, "run_autograder")
    results = root / "results" / "results.json"
    return done, json.loads(results.read_text()) if results.exists() else None


def test_it_holds_what_grading_needs_and_no_more(autograder):
    names = {path.relative_to(autograder / "source").as_posix() for path in (autograder / "source").rglob("*.*")}
    assert {"setup.sh", "constraints.txt", "assignments/cells/test_hidden.py", "solutions/cells.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "starter/", ".git")) or name.endswith(".pyc")]
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", str(autograder / "source" / name)], check=False).returncode == 0


def test_a_right_submission_gets_its_points_and_hidden_tests_have_numbers(autograder):
    done, results = grade(autograder, RIGHT)
    assert done.returncode == 0, done.stderr
    assert results["score"] == 18.0 and {test["tags"][0] for test in results["tests"]} == {"cells"}
    hidden = [test for test in results["tests"] if test["visibility"] == "after_published"]
    assert hidden and all(": hidden test " in test["name"] for test in hidden)
    assert (autograder / "results" / "results.json").stat().st_mode & 0o077 == 0


REACHES = """
import os
own = open(__file__).read()  # what is allowed works
for path in {paths!r}:
    for act in (lambda: open(path).read(), lambda: open(path, "a").close()):
        try:
            act()
        except OSError:
            continue
        raise SystemExit("reached " + path)
for folder in {folders!r}:
    try:
        raise SystemExit("listed " + ascii(os.listdir(folder)))
    except OSError:
        pass
"""


@pytest.fixture(params=["as it comes", "as in a container"])
def container(request, autograder):
    """The autograder where namespaces can be had, and where they can't, as in most containers."""
    namespaced = autograder / "source" / "grader" / "sandbox" / "namespaced.py"
    kept = namespaced.read_text()
    if request.param == "as in a container":
        namespaced.write_text(
            kept.replace("def find_bubblewrap() -> str | None:\n", "def find_bubblewrap():\n    return\n")
        )
        assert namespaced.read_text() != kept
    yield autograder
    namespaced.write_text(kept)


def test_the_students_code_reaches_neither_tests_nor_results(container):
    source = container / "source"
    cells = [f"assignments/cells/{name}.py" for name in ("test_hidden", "oracle")]
    paths = [str(source / name) for name in [*cells, "solutions/cells.py", "run_autograder"]]
    paths += [str(container / name) for name in ("submission_metadata.json", "results/results.json")]
    folders = [str(source), str(container / "results")]
    done, results = grade(container, REACHES.format(paths=paths, folders=folders) + RIGHT)
    if results is None and "--require-isolation split" in done.stderr:
        pytest.skip("this machine has no Landlock, so there is no grade")
    assert results["score"] == 18.0, results["tests"][0]["output"]
    _, results = grade(container, REACHES.format(paths=["/dev/null"], folders=[]) + RIGHT)
    assert results["score"] == 0.0  # so it would have been seen


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another uid")
def test_another_uid_can_read_the_submission_and_nothing_else(autograder):
    grade(autograder, RIGHT)
    reads = (
        "import sys\nfor p in sys.argv[1:]:\n try: open(p).close(); print('read')\n except OSError: print('refused')"
    )
    paths = ["submission/cells.py", "source/assignments/cells/test_hidden.py", "source/solutions/cells.py"]
    done = subprocess.run(
        ["python3", "-c", reads, *(str(autograder / path) for path in [*paths, "results/results.json"])],
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["read", "refused", "refused", "refused"]


def test_where_the_grader_fails_there_is_no_grade(autograder):
    oracle = autograder / "source" / "assignments" / "cells" / "oracle.py"
    kept = oracle.read_text()
    (autograder / "results" / "results.json").write_text('{"score": 18}')  # of an earlier run
    try:
        oracle.write_text("raise OSError('the disk is gone')\n" + kept)
        done, results = grade(autograder, RIGHT)
    finally:
        oracle.write_text(kept)
    assert done.returncode == 1 and results is None and "not the submission's fault" in done.stderr
    assert not list((autograder / "results").iterdir())


def test_the_same_kit_gives_the_same_zip_and_a_students_bundle_gives_none(tmp_path, monkeypatch, capsys):
    from grader.release import autograder as made

    content = made.autograder_zip(["--seed=1"])
    assert content == made.autograder_zip(["--seed=1"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        modes = {member.filename: member.external_attr >> 16 for member in archive.infolist()}
    assert modes["run_autograder"] == modes["setup.sh"] == 0o755 and modes["grader/cli.py"] == 0o644
    assert SOLUTIONS.is_relative_to(ROOT)
    monkeypatch.setattr(made, "SOLUTIONS", tmp_path / "nowhere")
    assert cli.main(["autograder", str(tmp_path / "x.zip")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "x.zip").exists()
