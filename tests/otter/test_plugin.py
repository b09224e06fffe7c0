"""The plug-in with the real Otter: what an archive gives, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbformat import v4

pytest.importorskip("otter", reason="Otter comes with the extra [otter]")

from otter.test_files import GradingResults

from grader.course import SOLUTIONS, select
from grader.otter import IsolatedGrading, plugin
from grader.otter.plugin import NoVerdict
from grader.otter.questions import as_questions
from tests.otter.course import ISOLATED, generated, handed_in, notebook, otter, otter_run
from tests.support import grade_folder, write_files

GRADIENT_FLOW_TESTS = select(["gradient_flow"])[0].folder
GRADIENT_FLOW = (SOLUTIONS / "gradient_flow.py").read_text(encoding="utf-8")
WRONG = (
    GRADIENT_FLOW.replace("def largest_singular_value(", "def unused(")
    + "\n\ndef largest_singular_value(W):\n    return 0.5\n"
)


def names_of(path: Path) -> list[str]:
    """The tests of a file, without `test_`."""
    return re.findall(r"^def test_(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


HIDDEN_NAMES = [
    name
    for name in names_of(GRADIENT_FLOW_TESTS / "test_hidden.py")
    if not any(name in public for public in names_of(GRADIENT_FLOW_TESTS / "test_public.py"))
]


def test_a_question_is_shown_as_otter_shows_it(tmp_path, trusted_sandbox):
    archive = generated(tmp_path / "course", {"plugins": [ISOLATED]}, {"gradient_flow": ""})
    work = handed_in(tmp_path / "work", WRONG, "1 / 0", "%matplotlib inline\nprint('never run')")
    run = otter_run(archive, work, tmp_path / "run")
    assert run.status == 0, run.printed
    assert run.results is not None
    public, question = run.results["tests"]
    document = grade_folder(work, ["gradient_flow"], trusted_sandbox).document
    assert 0 < document["score"] < document["max_score"]
    assert (question["name"], question["score"], question["max_score"]) == ("gradient_flow", document["score"], 8)
    assert (question["visibility"], public["visibility"]) == ("hidden", "visible")
    assert (public["name"], public["status"]) == ("Public Tests", "failed")
    assert "singular values written out" in public["output"] and "hidden test" not in public["output"]
    assert "hidden test 1" in question["output"]
    assert len(HIDDEN_NAMES) > 5
    assert not [name for name in HIDDEN_NAMES if name in json.dumps(run.results).replace(" ", "_")]
    assert "dropped, for Jupyter" in run.results["output"]
    assert "isolation: " in run.printed and "never run" not in run.printed


def test_a_course_that_cannot_be_graded_gets_no_result(tmp_path):
    archive = generated(tmp_path / "course", {"plugins": [ISOLATED]}, {"gradient_flow": "", "q1": ""})
    run = otter_run(archive, handed_in(tmp_path / "work", "x = 1"), tmp_path / "run")
    assert run.status != 0 and run.results is None
    assert "there is no assignment for the question 'q1'" in run.printed


@pytest.mark.long
def test_a_course_from_master_to_results(tmp_path):
    master = (SOLUTIONS / "notebooks" / "gradient_flow.ipynb").read_text(encoding="utf-8")
    (tmp_path / "gradient_flow.ipynb").write_text(
        master.replace(
            "- grader.otter.IsolatedGrading", "- grader.otter.IsolatedGrading: {require_isolation: split, seed: 3}"
        )
    )
    done = otter(tmp_path, "assign", "gradient_flow.ipynb", "dist")
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    untouched = tmp_path / "dist" / "student" / "gradient_flow.ipynb"
    solved = json.loads(untouched.read_text(encoding="utf-8"))
    solved["cells"].insert(5, {**v4.new_code_cell(GRADIENT_FLOW)})
    (tmp_path / "ada.ipynb").write_text(json.dumps(solved), encoding="utf-8")
    for work, points in ((untouched, 0), (tmp_path / "ada.ipynb", 8)):
        run = otter_run(archive, work, tmp_path / f"run-{points}")
        assert run.status == 0, run.printed
        assert run.points("gradient_flow") == points
    assert "is not implemented yet" in otter_shown(tmp_path / "run-0")


def otter_shown(folder: Path) -> str:
    """The row that students see."""
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"][0]["output"]


DOCUMENT: dict[str, Any] = {
    "notes": ["a note"],
    "isolation": {"level": "split", "gaps": ["files"]},
    "assignments": [
        {
            "name": "cells",
            "tests": [
                {"name": "test_a_b", "visibility": "public", "status": "passed", "max_score": 2.0, "message": ""},
                {"name": "test_c", "visibility": "public", "status": "failed", "max_score": 1.5, "message": "so not"},
                {"name": "test_d", "visibility": "hidden", "status": "timeout", "max_score": 4.0, "message": "slow"},
                {"name": "test_e", "visibility": "hidden", "status": "passed", "max_score": 0.5, "message": ""},
            ],
        }
    ],
}
for each in DOCUMENT["assignments"][0]["tests"]:
    each |= {"of": "RNNCellFromScratch", "misconception": None, "review": "like a library cell"}


def test_a_document_in_otters_terms():
    question = as_questions(DOCUMENT)["cells"]
    assert (question.score, question.possible) == (2.5, 8.0)
    assert [(case.name, case.hidden) for case in question.test_cases] == [
        ("a b", False),
        ("c", False),
        ("hidden test 1", True),
        ("hidden test 2", True),
    ]
    assert not question.passed_all_public
    assert "so not" in question.summary(public_only=True) and "slow" not in question.summary(public_only=True)
    assert "slow" in question.summary()


@pytest.fixture
def laid_out(tmp_path, monkeypatch):
    """A submission's folder as Otter has it when it calls the plug-in, and the plug-in."""

    def lay(files: dict[str, str | bytes], questions: tuple[str, ...] = ("cells",), **config: Any) -> Any:
        tests = {f"tests/{name}.py": "" for name in questions}
        folder = write_files(tmp_path / "autograder" / "submission", {**files, **tests, "__init__.py": ""})
        monkeypatch.chdir(folder)
        made = IsolatedGrading(str(folder / next(iter(files))), {}, config.pop("settings", {}))
        given = {"pdf": False, "token": None, "grade_from_log": False, **config}
        return folder, made, SimpleNamespace(**given)

    return lay


def everything_in(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def graded_as(monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]) -> dict[str, Any]:
    """Let the grader find this; what it was given is kept."""
    given: dict[str, Any] = {}

    def graded(path: Path, assignments: list[str], settings: Any) -> dict[str, Any]:
        given.update(files=everything_in(path), assignments=assignments, settings=settings)
        return document

    monkeypatch.setattr(plugin, "_graded", graded)
    return given


def test_nothing_that_was_handed_in_is_left_where_otters_kernel_runs(laid_out, monkeypatch):
    work = notebook("x = 1")
    files = {"work.ipynb": work, "otter/__init__.py": "x", ".OTTER_LOG": "x", "usercustomize.py": "x", "cells.py": "y"}
    folder, made, config = laid_out(files)
    given = graded_as(monkeypatch, DOCUMENT)
    made.before_grading(config)
    assert list(everything_in(folder)) == ["work.ipynb"]
    assert json.loads(everything_in(folder)["work.ipynb"])["cells"] == []
    assert made.before_execution(json.loads(work)).cells == []
    assert given["files"] == {**files, "__init__.py": ""}
    assert given["assignments"] == ["cells"]
    assert {path.name for path in folder.parent.iterdir()} == {"submission"}
    results = GradingResults([])
    made.after_grading(results)
    assert (results.total, results.possible, results.output) == (2.5, 8.0, "a note")
    report = made.generate_report()
    assert "split; not held: files" in report and "RNNCellFromScratch: like a library cell" in report
    assert "test_d" not in report


@pytest.mark.parametrize("wish", [{"pdf": True}, {"token": "x"}])
def test_a_pdf_is_made_of_the_students_notebook_and_not_executed(laid_out, monkeypatch, wish):
    work = notebook("x = 1")
    folder, made, config = laid_out({"work.ipynb": work, "otter.py": "x"}, **wish)
    graded_as(monkeypatch, DOCUMENT)
    made.before_grading(config)
    assert everything_in(folder) == {"work.ipynb": work}
    assert made.before_execution(json.loads(work)).cells == []
    assert json.loads(everything_in(folder)["work.ipynb"])["cells"] == []


@pytest.mark.parametrize(("name", "kept"), [("hw1.py", False), ("cells.py", True)])
def test_a_script_counts_as_otter_counts_it(laid_out, monkeypatch, name, kept):
    folder, made, config = laid_out({name: "class RNNCellFromScratch:\n    pass\n"})
    given = graded_as(monkeypatch, DOCUMENT)
    made.before_grading(config)
    assert everything_in(folder) == {name: ""}
    made.before_execution(None)
    assert [file for file in given["files"] if file.endswith(".ipynb")] == ([] if kept else ["hw1.ipynb"])
    if not kept:
        assert "RNNCellFromScratch" in json.loads(given["files"]["hw1.ipynb"])["cells"][0]["source"]


@pytest.mark.parametrize(
    ("questions", "why"), [(("cells", "q1"), "question 'q1'.*named as assignments: cells, "), ((), "no question")]
)
def test_a_question_that_only_otter_could_run_is_refused(laid_out, questions, why):
    folder, made, config = laid_out({"work.ipynb": notebook()}, questions)
    (folder / "tests").mkdir(exist_ok=True)
    with pytest.raises(NoVerdict, match=why):
        made.before_grading(config)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"isolation": "split"}, "no setting 'isolation'. It has: require_isolation, seed"),
        ({"require_isolation": "none"}, "no isolation level 'none'. There are: split, "),
        ({"seed": "7"}, "seed has to be a whole number, not '7'"),
    ],
)
def test_settings_nobody_knows_are_refused_when_the_archive_is_made(settings, why):
    with pytest.raises(NoVerdict, match=why):
        IsolatedGrading("", {}, settings).during_generate({}, None)


def test_grading_from_a_log_is_refused(laid_out):
    with pytest.raises(NoVerdict, match="grade_from_log"):
        IsolatedGrading("", {}, {}).during_generate({"grade_from_log": True}, None)
    _, made, config = laid_out({"work.ipynb": notebook()}, grade_from_log=True)
    with pytest.raises(NoVerdict, match="grade_from_log"):
        made.before_grading(config)


def test_without_a_verdict_there_is_no_result(laid_out, monkeypatch):
    _, made, config = laid_out({"work.ipynb": notebook()}, settings={"require_isolation": "split"})
    made.before_grading(config)
    monkeypatch.setattr(plugin.sys, "executable", "/bin/false")
    with pytest.raises(NoVerdict, match="no verdict, so no grade"):
        made.before_execution(None)
