"""The notebooks made: up to date, nothing leaks into the students', Otter takes the masters, and they run."""

from __future__ import annotations

import ast
import functools
import json
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
import torch

from grader import notebook
from grader.check.once import public_options
from grader.course import ROOT, SOLUTIONS, STARTER, load_course, select
from grader.diagnosis.local import LocalStudent
from grader.grade import grade
from grader.notebook import Namespace, check, run_public_test
from grader.release import build_notebooks, make_stub, master_notebook, student_notebook
from grader.suite.in_process import public_tests
from tests.support import grade_folder, rows_of, without_timing

COURSE = load_course()
NAMES = [assignment.name for assignment in COURSE]
GATES_CUT = "i, f, candidate, o = blocks.chunk(4, dim=1)"


def chosen(name: str):
    return COURSE if name == "all" else select([name])


def sources(text: str, kind: str = "code") -> str:
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == kind)


def solution_lines(name: str) -> set[str]:
    """The lines of a solution that are handed out nowhere, short ones aside."""
    source = (SOLUTIONS / f"{name}.py").read_text(encoding="utf-8")
    return {line.strip() for line in source.splitlines() if len(line.strip()) > 15} - handed_out()


@functools.cache
def handed_out() -> set[str]:
    stubs = [make_stub((SOLUTIONS / f"{name}.py").read_text(encoding="utf-8"), name) for name in NAMES]
    handouts = [(assignment.folder / "handout.md").read_text(encoding="utf-8") for assignment in COURSE]
    return {line.strip() for text in stubs + handouts for line in text.splitlines()}


def test_the_notebooks_are_up_to_date():
    assert build_notebooks(write=False) == [], "type: grader build"


def test_they_are_the_same_each_time_and_valid():
    for name in [*NAMES, "all"]:
        for make in (student_notebook, master_notebook):
            text = make(name, chosen(name))
            assert text == make(name, chosen(name))
            nbformat.validate(nbformat.reads(text, as_version=4))


def leaks(text: str) -> list[str]:
    """What of the solutions and of the trusted side stands in a text that students get."""
    found = [
        line for name in NAMES for line in solution_lines(name) if json.dumps(line, ensure_ascii=False)[1:-1] in text
    ]
    for assignment in COURSE:
        tree = ast.parse((assignment.folder / "test_hidden.py").read_text(encoding="utf-8"))
        public = set(public_tests(assignment))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
        found += [name for name in tests - public if re.search(rf"\b{name}\b", text)]
    return found + [word for word in ("BEGIN SOLUTION", "test_hidden", "oracle", "misconception") if word in text]


@pytest.mark.parametrize("name", [*NAMES, "all"])
def test_no_solution_and_no_hidden_test_is_in_what_students_get(name):
    text = (STARTER / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert leaks(text) == []
    assert leaks(student_notebook(name, chosen(name), solved=True)) != []  # the test can see a leak


@pytest.mark.parametrize("name", NAMES)
def test_every_public_test_is_a_case_of_the_master_and_no_hidden_one(name):
    assignment = select([name])[0]
    code = sources((SOLUTIONS / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cases = [
        node.name
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef) and ", env)" in ast.unparse(node)
    ]
    assert [case for case in cases if case.startswith("test_")] == list(public_tests(assignment))


def test_a_student_notebook_handed_in_is_worth_what_the_stubs_are(tmp_path, trusted_sandbox):
    found = grade_folder(STARTER / "notebooks" / "all.ipynb", ["cells", "batching"], trusted_sandbox).document
    assert found["score"] == 0
    assert "is not implemented yet" in json.dumps(found)


def test_a_solved_notebook_handed_in_is_worth_what_the_solutions_are(tmp_path, trusted_sandbox):
    path = tmp_path / "solutions.ipynb"
    path.write_text(student_notebook("all", COURSE, solved=True), encoding="utf-8")
    names = ["cells", "language_model", "gradient_flow"]
    found = grade_folder(path, names, trusted_sandbox).document
    found["notes"] = []  # says that the check cells are not run
    assert without_timing(found) == without_timing(grade_folder(SOLUTIONS, names, trusted_sandbox).document)


def execute(book: nbformat.NotebookNode, folder: Path, **options: bool) -> None:
    """Run all cells in a folder; once more where the kernel lost a port to somebody else before it ran one."""
    for attempt in range(3):
        try:
            where = {"metadata": {"path": str(folder)}}
            nbclient.NotebookClient(book, timeout=240, resources=where, **options).execute()
            return
        except RuntimeError as problem:
            if "died before replying" not in str(problem) or attempt == 2:
                raise


def executed(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a notebook from top to bottom in a kernel; what its cells say, as text."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.reads(text, as_version=4)
    execute(book, folder)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return "".join(output["data"]["text/plain"] if "data" in output else output["text"] for output in outputs)


def test_a_solved_notebook_runs_and_its_checks_pass(tmp_path, monkeypatch):
    said = executed(student_notebook("gradient_flow", select(["gradient_flow"]), solved=True), tmp_path, monkeypatch)
    assert "✗" not in said and said.count("✓") == 3


@pytest.mark.long
@pytest.mark.parametrize("name", [*NAMES, "all"])
def test_every_solved_notebook_runs_and_its_checks_pass(name, tmp_path, monkeypatch):
    said = executed(student_notebook(name, chosen(name), solved=True), tmp_path, monkeypatch)
    assert "✗" not in said and "✓" in said


def test_an_untouched_notebook_runs_and_says_what_is_not_written_yet(tmp_path, monkeypatch):
    said = executed((STARTER / "notebooks" / "cells.ipynb").read_text(encoding="utf-8"), tmp_path, monkeypatch)
    assert "LSTMCellFromScratch is not implemented yet." in said
    assert "Next: write LSTMCellFromScratch in its cell and run that" in said
    assert "0 of 15 public tests pass; 17 hidden tests run when you hand in." in said


def assigned(name: str, folder: Path) -> Path:
    """Let Otter Assign work on a master, its check of the solutions included; the student's version it made."""
    master = folder / f"{name}.ipynb"
    master.write_bytes((SOLUTIONS / "notebooks" / f"{name}.ipynb").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "otter", "assign", master.name, "made"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if "this machine offers the isolation 'split'" in done.stderr:
        pytest.skip("the masters ask for the isolation landlock, and this machine has none")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "❌" not in done.stdout + done.stderr
    assert list((folder / "made" / "autograder").glob("*.zip"))
    return folder / "made" / "student" / master.name


@pytest.mark.parametrize("name", ["gradient_flow", pytest.param("all", marks=pytest.mark.long)])
def test_otter_assign_takes_a_master_and_its_solutions_pass(name, tmp_path):
    pytest.importorskip("otter", reason="Otter comes with the extra [otter]")
    student = assigned(name, tmp_path).read_text(encoding="utf-8")
    assert leaks(student) == []
    for assignment in chosen(name):
        assert f'grader.check("{assignment.name}")' in sources(student)
        assert f"{assignment.name}: write" in sources(student)


@pytest.mark.long
def test_otters_student_version_checks_what_the_student_wrote(tmp_path, monkeypatch):
    pytest.importorskip("otter", reason="Otter comes with the extra [otter]")
    master = master_notebook("gradient_flow", select(["gradient_flow"]))
    (tmp_path / "gradient_flow.ipynb").write_text(master, encoding="utf-8")
    from otter.assign import main

    monkeypatch.chdir(tmp_path)
    main("gradient_flow.ipynb", "made", no_run_tests=True, no_pdfs=True)
    made = tmp_path / "made" / "student" / "gradient_flow.ipynb"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for solve in (False, True):
        book = nbformat.read(made, as_version=4)
        if solve:
            solution = (SOLUTIONS / "gradient_flow.py").read_text(encoding="utf-8")
            book.cells.insert(-2, nbformat.v4.new_code_cell(solution))
            where = next(n for n, cell in enumerate(book.cells) if cell.source.startswith("grader.check("))
            book.cells.insert(where, nbformat.v4.new_code_cell(solution))
        execute(book, made.parent)
        shown = json.dumps([output for cell in book.cells for output in cell.get("outputs", [])])
        assert ("passed!" in shown, "failed" in shown) == (solve, not solve)


def names_of(assignment_name: str) -> dict[str, object]:
    return dict(vars(LocalStudent(assignment_name).module(assignment_name)))


@pytest.mark.parametrize("assignment", COURSE, ids=lambda assignment: assignment.name)
def test_every_public_test_runs_on_a_notebooks_names(assignment):
    known = names_of(assignment.name)
    for need in assignment.needs:
        known = {**names_of(need), **known}
    for name in public_tests(assignment):
        run_public_test(assignment.name, name, known)


def test_what_check_says(capsys):
    space: dict[str, object] = {"check": check, **names_of("gradient_flow")}
    count = len(public_tests(select(["gradient_flow"])[0]))
    exec("check('gradient_flow')", space)
    assert capsys.readouterr().out == f"{count} of {count} public tests pass ✓; 8 hidden tests run when you hand in.\n"
    space["largest_singular_value"] = lambda W: 0.5
    exec("check('gradient_flow', 'largest_singular_value')", space)
    assert "✗" in capsys.readouterr().out
    exec("check('gradient_flow', 'hidden_gradient_norms')", space)
    assert "✗" not in capsys.readouterr().out
    del space["largest_singular_value"]
    exec("check('gradient_flow')", space)
    assert "the notebook has not defined largest_singular_value yet" in capsys.readouterr().out
    for wrong in ("check('cell')", "check('cells', 'LSTM')"):
        with pytest.raises(ValueError, match=r"There are|It has"):
            exec(wrong, space)


def lstm_notebook(old: str, new: str) -> dict[str, object]:
    """The names of a notebook whose cells are the solution with one change."""
    source = (SOLUTIONS / "cells.py").read_text(encoding="utf-8")
    assert source.count(old) == 1
    space: dict[str, object] = {"check": check}
    linecache.cache["<cell 1>"] = (0, None, source.replace(old, new).splitlines(keepends=True), "<cell 1>")
    exec(compile(source.replace(old, new), "<cell 1>", "exec"), space)
    return space


def test_a_check_says_what_grader_check_says(capsys, tmp_path, trusted_sandbox):
    source = (SOLUTIONS / "cells.py").read_text(encoding="utf-8")
    swapped = (GATES_CUT, GATES_CUT.replace("candidate, o", "o, candidate"))
    exec("check('cells', 'LSTMCellFromScratch')", lstm_notebook(*swapped))
    said = " ".join(capsys.readouterr().out.split())
    (tmp_path / "cells.py").write_text(source.replace(*swapped))
    options = public_options(select(["cells"]), 0)
    told = [row["message"] for row in rows_of(grade(tmp_path, options, trusted_sandbox).document, "failed").values()]
    assert " ".join(told[0].split()) in said
    assert "Likely cause: The third and fourth block" in said
    assert "17 hidden tests run when you hand in." in said


def test_a_line_of_a_cell_is_shown_and_debug_opens_there(capsys, monkeypatch):
    space = lstm_notebook("c_t = f * c_prev + i * candidate", "c_t = f @ c_prev + i * candidate")
    monkeypatch.setattr(sys, "last_exc", None, raising=False)
    exec("check('cells', 'LSTMCellFromScratch')", space)
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"line \d+ of its cell: c_t = f @ c_prev", said)
    assert "Next: %debug in a cell of its own stops there" in said
    assert isinstance(sys.last_exc, RuntimeError) and sys.last_traceback is sys.last_exc.__traceback__


def test_what_a_notebook_shows_is_escaped(monkeypatch):
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(notebook, "_show", lambda text, page: shown.append((text, page)))
    space = lstm_notebook("c_t = f * c_prev + i * candidate", "raise ValueError('<script>alert(1)</script>')")
    exec("check('cells', 'LSTMCellFromScratch')", space)
    [(text, page)] = shown
    assert "<script>" in text and "<script>" not in page and "&lt;script&gt;" in page
    assert re.sub(r"<[^>]+>", "", page).count("Next:") == text.count("Next:")


def test_a_kernel_is_given_a_page_and_the_text(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.reads((STARTER / "notebooks" / "cells.ipynb").read_text(encoding="utf-8"), as_version=4)
    execute(book, tmp_path, allow_errors=True)
    pages = [out["data"] for cell in book.cells for out in cell.get("outputs", []) if "data" in out]
    assert pages and all(page["text/html"].startswith("<pre") and page["text/plain"] for page in pages)


def test_a_check_leaves_the_notebooks_random_state_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    exec("check('batching', 'build_vocab')", {"check": check, **names_of("batching")})
    assert torch.equal(torch.rand(2), expected)


def test_siblings_are_cells_above():
    space = Namespace({"create_batches": 3})
    assert space.module("batching").create_batches == 3
