"""`grader release`: what the students' bundle holds, that nothing else is inside, and that it works on its own."""

from __future__ import annotations

import base64
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

from grader import cli
from grader.choices import ChoiceError, Choices, as_toml, read_choices
from grader.course import ASSIGNMENTS, ROOT, SOLUTIONS, STARTER, chosen, select, whole_course
from grader.diagnosis import load_misconceptions, mutate
from grader.release.bundle import make_bundle
from grader.release.pack import write_bundle
from tests.release import leaks
from tests.support import grade_folder, without_timing

NAMES = tuple(assignment.name for assignment in whole_course())
SMALL = Choices(
    title="Sequences, autumn",
    assignments=("cells", "gradient_flow"),
    notebooks=True,
    points={"cells": 36.0},
    due={"cells": "2026-10-01"},
)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The bundle of two assignments, notebooks included."""
    return make_bundle(SMALL)


@pytest.fixture(scope="module")
def bundle(files, tmp_path_factory) -> Path:
    """The same, written as a folder."""
    folder = tmp_path_factory.mktemp("release") / "course"
    write_bundle(files, folder, "folder")
    return folder


RUN = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in str(finder)]  # of the checkout's grader
from grader.cli import main
sys.exit(main())
"""


def in_bundle(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the grader of a bundle, and no other, in the bundle's folder."""
    return subprocess.run(
        [sys.executable, "-P", "-c", RUN, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / ".kit"), "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


# What it holds


def test_the_files_are_these_and_no_others(files):
    own = {"README.md", "check.py", ".gitignore", ".github/workflows/check.yml"}
    own |= {f".kit/{name}" for name in ("pyproject.toml", "constraints.txt", "LICENSE", "course.toml")}
    own |= {f".kit/assignments/{name}" for name in ("__init__.py", "scripted.py", "cells/by_library.py")}
    for name in SMALL.assignments:
        own |= {f"{name}.py", f"handouts/{name}.md", f"notebooks/{name}.ipynb"}
        inside = ("__init__.py", "probes.py", "test_public.py", "assignment.toml", "fingerprints.json")
        own |= {f".kit/assignments/{name}/{file}" for file in inside}
    rest = set(files) - own
    assert own <= set(files)
    assert all(re.fullmatch(r"\.kit/grader/[a-z_/]+\.py", name) for name in rest), rest
    assert not any("release" in name or "report" in name or "classroom" in name for name in rest)


def test_a_bundle_of_what_builds_on_cells_has_the_stand_in_and_not_the_rest():
    made = make_bundle(Choices(assignments=("gradient_flow", "language_model")))
    assert {name for name in made if "/cells/" in name} == {
        ".kit/assignments/cells/__init__.py",
        ".kit/assignments/cells/by_library.py",
        ".kit/assignments/cells/stand_in.py",
    }


def test_a_bundle_of_what_leans_on_a_part_of_itself_has_the_stand_in():
    made = make_bundle(Choices(assignments=("sampling",)))
    own = (ASSIGNMENTS / "sampling" / "stand_in.py").read_bytes()
    assert made[".kit/assignments/sampling/stand_in.py"] == own
    table = json.loads(made[".kit/assignments/sampling/fingerprints.json"])
    texts = table["replies"]["stand-in"]
    assert "test_text_at_a_high_temperature" in texts and "test_draws_by_default" not in texts
    assert "text-temperature-twice" in texts["test_text_at_a_high_temperature"]
    assert not any(who.startswith("sampler-") for by_id in texts.values() for who in by_id)


def test_points_dates_and_wording_are_the_courses(files):
    readme = files["README.md"].decode()
    assert readme.startswith("# Sequences, autumn\n")
    assert "| `cells.py` | 36 | 60 to 90 minutes | 2026-10-01 |" in readme
    handout = files["handouts/cells.md"].decode()
    assert "**36 points** (18 in public tests, 18 in hidden ones)" in handout
    assert "python3 check.py -a cells" in handout and "grader check" not in handout
    assert "then type: python3 check.py -a cells" in files["cells.py"].decode()
    assert "**36 points**" not in files["notebooks/gradient_flow.ipynb"].decode()
    assert tomllib.loads(files[".kit/course.toml"].decode())["points"] == {"cells": 36.0}
    assert tomllib.loads(files[".kit/assignments/cells/assignment.toml"].decode())["hidden_tests"] == 17


def test_the_stubs_are_the_starter_in_the_bundles_words(files):
    for name in SMALL.assignments:
        words = (STARTER / f"{name}.py").read_text().replace("grader check", "python3 check.py")
        assert files[f"{name}.py"].decode() == words


def test_a_fingerprint_holds_hashes_and_means_and_the_words_for_students(files):
    for name in SMALL.assignments:
        known = {m.id: m for m in load_misconceptions(select([name])[0])}
        table = json.loads(files[f".kit/assignments/{name}/fingerprints.json"])
        assert set(table) == {"misconceptions", "replies"}
        for row in table["misconceptions"]:
            assert set(row) == {"id", "of", "says", "same_as"}
            assert (row["says"], row["of"]) == (known[row["id"]].says, known[row["id"]].of)
        for by_test in table["replies"].values():
            for by_id in by_test.values():
                assert set(by_id) <= {"solution", *(row["id"] for row in table["misconceptions"])}
                for one in (sketch for sketches in by_id.values() for sketch in sketches):
                    _has_the_form_of_a_sketch(one)


def _has_the_form_of_a_sketch(sketch: dict) -> None:
    digest = re.compile(r"[0-9a-f]{12}")
    if "raised" in sketch:
        assert set(sketch) == {"raised", "builtin", "on_purpose", "meaning"}
        assert digest.fullmatch(sketch["raised"]) and sketch["builtin"].isidentifier()
        assert sketch["meaning"] is None or digest.fullmatch(sketch["meaning"])
    else:
        assert set(sketch) == {"equal", "close"} and digest.fullmatch(sketch["equal"])
        for group in sketch["close"]:
            assert len(group) <= 5 and all(isinstance(number, float | int) for number in group)


def test_the_workflow_is_yaml_and_runs_the_bundles_command(files):
    workflow = yaml.safe_load(files[".github/workflows/check.yml"])
    steps = workflow["jobs"]["public-tests"]["steps"]
    assert "python3 check.py" in " ".join(step.get("run", "") for step in steps)
    assert workflow["permissions"] == {"contents": "read"}


# That nothing else is inside


@pytest.mark.parametrize("form", ["folder", "zip", "git"])
def test_nothing_secret_is_inside(form, files, tmp_path):
    out = tmp_path / "out" / "course"
    write_bundle(files, out, form)
    assert leaks.find(out.parent) == []


@pytest.mark.long
@pytest.mark.parametrize("form", ["zip", "git"])
def test_nothing_secret_is_inside_the_whole_course(form, tmp_path):
    write_bundle(make_bundle(Choices(notebooks=True)), tmp_path / "out" / "course", form)
    assert leaks.find(tmp_path / "out") == []


STEP = "h = torch.tanh(x_t @ self.W_x.T + h_prev @ self.W_h.T + self.bias)"
SECRETS = {
    "solution": STEP,
    "hidden test": "test_rnn_in_float64",
    "oracle": "case = oracle.wide_case(RNN, rng, batch=1, input_size=3, hidden_size=5)",
    "edit": "candidate = torch.sigmoid(candidate)",
    "symptom": "The order i, f, o, g of some courses; trains from its own weights, fails with given ones.",
}


def plain(folder: Path, secret: str) -> None:
    (folder / "notes.txt").write_text(f"see {secret} there")


def in_a_name(folder: Path, secret: str) -> None:
    (folder / secret).write_text("")


def in_an_archive(folder: Path, secret: str) -> None:
    (folder / "deep").mkdir()
    plain(folder / "deep", secret)
    with tarfile.open(folder / "inner.tar.gz", "w:gz") as archive:
        archive.add(folder / "deep" / "notes.txt", "a/notes.txt")
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.write(folder / "inner.tar.gz", "inner.tar.gz")
    shutil.rmtree(folder / "deep")
    (folder / "inner.tar.gz").unlink()


def in_a_zips_comment(folder: Path, secret: str) -> None:
    with zipfile.ZipFile(folder / "empty.zip", "w") as archive:
        archive.comment = secret.encode()


def in_an_output(folder: Path, secret: str) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["so:\n", f'"""{secret}"""\n']}
    cell = {"cell_type": "code", "source": [], "outputs": [output], "metadata": {}}
    (folder / "book.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))


def in_metadata(folder: Path, secret: str) -> None:
    (folder / "book.ipynb").write_text(json.dumps({"cells": [], "metadata": {"author": {"note": secret}}}))


def in_bytecode(folder: Path, secret: str) -> None:
    (folder / "made.py").write_text(f"def f():\n    {secret!r}\n    return 1\n")
    py_compile.compile(str(folder / "made.py"), cfile=str(folder / "made.pyc"))
    (folder / "made.py").unlink()


def in_base64(folder: Path, secret: str) -> None:
    (folder / "data.txt").write_text("data: " + base64.b64encode(secret.encode()).decode())


def in_hexadecimal(folder: Path, secret: str) -> None:
    (folder / "data.txt").write_text("data: " + secret.encode().hex())


def in_utf_16(folder: Path, secret: str) -> None:
    (folder / "notes.txt").write_text(secret, encoding="utf-16")


def in_a_deleted_commit(folder: Path, secret: str) -> None:
    write_bundle({"notes.txt": secret.encode()}, folder / "repository", "git")
    (folder / "repository" / "notes.txt").unlink()
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", str(folder / "repository")]
    subprocess.run([*git, "commit", "--quiet", "-am", "away"], check=True)
    subprocess.run([*git, "gc", "--quiet"], check=True)


def in_a_commits_message(folder: Path, secret: str) -> None:
    write_bundle({"a": b""}, folder / "repository", "git")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", str(folder / "repository")]
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", secret], check=True)


PLACES = [
    plain,
    in_a_name,
    in_an_archive,
    in_a_zips_comment,
    in_an_output,
    in_metadata,
    in_bytecode,
    in_base64,
    in_hexadecimal,
    in_utf_16,
    in_a_deleted_commit,
    in_a_commits_message,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_leak_is_seen_wherever_it_hides(place, tmp_path):
    for number, secret in enumerate(SECRETS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert leaks.find(folder) == []
        place(folder, secret)
        assert leaks.find(folder), secret


def test_bytecode_of_a_solution_is_seen_without_its_source(tmp_path):
    py_compile.compile(str(SOLUTIONS / "training.py"), cfile=str(tmp_path / "made.pyc"))
    assert "BEGIN SOLUTION" in {leak.what for leak in leaks.find(tmp_path)}


def test_what_can_not_be_looked_into_is_reported(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"\x00\x9f\x92\x96")
    assert [leak.what for leak in leaks.find(tmp_path)] == ["bytes that can't be looked into"]


def test_every_secret_file_is_known_to_the_search():
    for path in leaks.secret_files():
        found = [line for line in leaks.secrets()["line"] if line in path.read_text()]
        assert len(found) >= 5, path


# The forms


def test_the_same_sources_give_the_same_bytes(files, tmp_path):
    for form in ("zip", "git"):
        for name in ("one", "two"):
            write_bundle(files, tmp_path / name / "course", form)
        if form == "zip":
            assert (tmp_path / "one" / "course").read_bytes() == (tmp_path / "two" / "course").read_bytes()
            for name in ("one", "two"):
                (tmp_path / name / "course").unlink()
    heads = [
        subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path / name / "course", capture_output=True, check=True)
        for name in ("one", "two")
    ]
    assert heads[0].stdout == heads[1].stdout


def test_a_repository_has_one_clean_commit(files, tmp_path):
    write_bundle(files, tmp_path / "course", "git")

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=tmp_path / "course", capture_output=True, text=True, check=True)
        return done.stdout

    assert git("log", "--format=%an %ae %s") == "Course course@localhost The assignments\n"
    assert git("status", "--porcelain", "--ignored") == ""
    assert set(git("ls-files").split()) == set(files)


def test_the_command_says_what_it_made_and_refuses_to_overwrite(tmp_path, capsys):
    options = tmp_path / "options.toml"
    options.write_text('assignments = ["gradient_flow"]\n[points]\ngradient_flow = 20\n')
    out = str(tmp_path / "course.zip")
    assert cli.main(["release", out, "--options", str(options)]) == 0
    said = capsys.readouterr()
    assert "gradient_flow (20)" in said.out and "So that points agree: cp" in said.out
    assert zipfile.ZipFile(out).namelist()[0].startswith("course/")
    assert cli.main(["release", out, "--options", str(options)]) == 2
    assert "exists already" in capsys.readouterr().err
    for wrong in (tmp_path / "nowhere.toml", tmp_path / "course.zip"):
        assert cli.main(["release", str(tmp_path / "more"), "--options", str(wrong)]) == 2
        said = capsys.readouterr().err
        assert wrong.name in said and "leave --options out" in said and len(said.splitlines()) == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".release")]


# The options file


def test_choices_survive_being_written(tmp_path):
    choices = Choices(
        "T\"'\\ é\U0001f600\x7f", "Hello\n\nyou", "", ("cells",), True, {"cells": 2.5}, {"cells": "later"}
    )
    (tmp_path / "course.toml").write_text(as_toml(choices), encoding="utf-8")
    assert read_choices(tmp_path / "course.toml", NAMES) == choices


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("titel = 'x'", "no key 'titel'"),
        ("assignments = ['poetry']", "no assignment 'poetry'"),
        ("assignments = 'cells'", "has to be a list"),
        ("title = 3", "has to be text"),
        ("[points]\ncells = -1", "above 0"),
        ("[points]\ncells = true", "above 0"),
        ("[points]\ncells = nan", "above 0"),
        ("[due]\ncells = 3", "a date"),
        ("title = ", "no TOML"),
        ("a = " + "[" * 5000, "no TOML"),
    ],
)
def test_an_option_that_can_not_be_followed_is_named(text, says, tmp_path):
    path = tmp_path / "course.toml"
    path.write_text(text)
    with pytest.raises(ChoiceError, match=says):
        read_choices(path, NAMES)


def test_dates_come_as_dates_or_words(tmp_path):
    path = tmp_path / "course.toml"
    path.write_text('[due]\ncells = 2026-10-01\nbatching = 2026-10-08T18:00:00\nsampling = "week 5"\n')
    assert read_choices(path, NAMES).due == {
        "cells": "2026-10-01",
        "batching": "2026-10-08 18:00",
        "sampling": "week 5",
    }


def test_the_points_of_the_course_are_those_of_the_grade(grade_own, monkeypatch):
    scaled = chosen(Choices(points={"gradient_flow": 20.0}, assignments=("gradient_flow",)))
    monkeypatch.setattr("tests.support.select", lambda names: scaled)
    files = {f"{name}.py": (SOLUTIONS / f"{name}.py").read_text() for name in ("gradient_flow", "cells")}
    document = grade_own(files, ["gradient_flow"])
    assert (document["score"], document["max_score"]) == (20.0, 20.0)


# That it works on its own


def test_the_stubs_of_a_bundle_are_checked_and_worth_nothing_yet(bundle):
    done = in_bundle(bundle, "check", GRADER_COMMAND="python3 check.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "not implemented yet" in done.stdout
    assert "Then: python3 check.py -a cells" in done.stdout
    assert "25 hidden tests run when you hand in" in " ".join(done.stdout.split())
    assert "/ 18 " in done.stdout  # half of the 36 points that this course gives


def test_a_right_answer_passes_in_a_bundle(bundle, tmp_path):
    work = shutil.copytree(bundle, tmp_path / "work")
    for name in SMALL.assignments:
        shutil.copy(SOLUTIONS / f"{name}.py", work)
    done = in_bundle(work, "check")
    assert "All public tests pass" in done.stdout, done.stdout + done.stderr
    assert "all tests pass" not in done.stdout.lower()


def test_commands_that_a_bundle_does_not_have_say_so(bundle, tmp_path):
    for words in (["grade", "."], ["batch", ".", "--out", str(tmp_path / "out")], ["release", "x"], ["build"]):
        done = in_bundle(bundle, *words)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "students' bundle" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_bundle_handed_in_whole_is_a_submission(bundle, tmp_path, trusted_sandbox):
    work = shutil.copytree(bundle, tmp_path / "work")
    shutil.copy(SOLUTIONS / "cells.py", work)
    whole = grade_folder(work, ["cells"], trusted_sandbox).document
    alone = tmp_path / "alone" / "work"
    alone.mkdir(parents=True)
    shutil.copy(SOLUTIONS / "cells.py", alone)
    assert without_timing(whole) == without_timing(grade_folder(alone, ["cells"], trusted_sandbox).document)


NAMES_EACH = """
import json, pathlib, sys
from grader.course import select
from grader.grade import grade
from grader.options import GradeOptions, start_sandbox
options = GradeOptions(select([sys.argv[1]]), hidden=False, rung="split")
with start_sandbox(options) as sandbox:
    for folder in sorted(pathlib.Path(sys.argv[2]).iterdir()):
        document = grade(folder, options, sandbox).document
        tests = document["assignments"][0]["tests"]
        print(json.dumps([folder.name, {t["name"]: [t["misconception"], t["message"]] for t in tests}]))
"""


def same_names(name: str, bundle: Path, folder: Path, sample: slice) -> None:
    """Hold what a bundle says of each misconception against what the checkout says of it."""
    assignment = select([name])[0]
    for misconception in load_misconceptions(assignment)[sample]:
        work = folder / misconception.id
        work.mkdir(parents=True)
        for need in assignment.needs:
            shutil.copy(SOLUTIONS / f"{need}.py", work)
        (work / assignment.file).write_text(mutate(name, misconception))
    said = []
    for root in (ROOT, bundle / ".kit"):
        done = subprocess.run(
            [sys.executable, "-P", "-c", NAMES_EACH, name, str(folder)],
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        said.append([json.loads(line) for line in done.stdout.splitlines()])
    assert said[0] == said[1]
    assert any(found for _, tests in said[0] for found, _ in tests.values())


def test_a_bundle_names_the_mistakes_that_a_checkout_names(bundle, tmp_path):
    same_names("gradient_flow", bundle, tmp_path / "work", slice(None, None, 8))


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_names_every_mistake_that_a_checkout_names(name, tmp_path):
    write_bundle(make_bundle(Choices(assignments=(name,))), tmp_path / "bundle", "folder")
    same_names(name, tmp_path / "bundle", tmp_path / "work", slice(None))
