"""The workflows that docs/ci.md hands out: they are valid, and their own commands grade a class.

Set-up and what only the service's machines can do are left out; everything else is run as written.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grader.course import ROOT
from tests.downloads.samples import RIGHT, STUB, make_clones

CI = ROOT / "ci"
GITHUB = sorted((CI / "github").glob("*.yml"))
GITLAB = sorted((CI / "gitlab").glob("*.yml"))
NOT_HERE = re.compile(r"bootstrap\.py|pip install|sysctl|check\.py")


@pytest.mark.parametrize("path", [*GITHUB, *GITLAB], ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_services_own_schema_accepts_it(path):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    checker = importlib.util.find_spec("check_jsonschema")
    if checker is None:
        pytest.skip("check-jsonschema is not installed, which brings the services' schemas")
    name = "github-workflows" if path in GITHUB else "gitlab-ci"
    folder = Path(checker.origin).parent / "builtin_schemas" / "vendor"
    schema = json.loads((folder / f"{name}.json").read_text())
    jsonschema.validate(load(path), schema)
    broken = load(path)
    broken["jobs" if path in GITHUB else "image"] = 7
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def load(path):
    """A workflow; YAML 1.1 takes the key `on` for a truth value, the services don't."""
    found = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def test_nothing_that_others_write_is_pasted_into_a_script():
    assert GITHUB and GITLAB
    for path in GITHUB:
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}
        assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] and "permissions" not in job
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")  # values come in by the environment
                if step.get("uses", "").startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False


def test_the_token_is_given_to_fetching_alone():
    (job,) = load(CI / "github" / "grade.yml")["jobs"].values()
    holders = [step["name"] for step in job["steps"] if "secrets." in str(step)]
    assert holders == ["Fetch the students' work"]
    script = load(CI / "gitlab" / "grade.yml")["grade"]["script"]
    fetch = next(at for at, line in enumerate(script) if "fetch.sh" in line)
    batch = next(at for at, line in enumerate(script) if "grader batch" in line)
    assert fetch < script.index("unset STUDENTS_TOKEN") < batch


@pytest.fixture
def checkout(tmp_path):
    """A grading repository: the kit, two students' repositories, the list of them and the roster."""
    origins = make_clones(
        tmp_path / "origins",
        {
            "hw1-jane": (RIGHT, "2026-06-01T12:00:00Z"),
            "hw1-bo": (STUB, "2026-06-03T12:00:00Z"),
        },
    )
    place = tmp_path / "grading"
    (place / ".venv" / "bin").mkdir(parents=True)
    wrapper = place / ".venv" / "bin" / "grader"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m grader "$@"\n')
    wrapper.chmod(0o755)
    shutil.copytree(CI, place / "ci")
    urls = [f"file://{origins}/{name}" for name in ("hw1-jane", "hw1-bo", "hw1-gone")]
    (place / "repositories.txt").write_text("# the class\n\n" + "\n".join(urls) + "\n")
    (place / "roster.csv").write_text("github_username,name\njane,Jane Doe\nbo,Bo Lee\ngil,Gil Gone\n")
    return place


def run(script, place, more, status=0):
    environment = {
        **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
        "HOME": str(place),
        "GIT_ALLOW_PROTOCOL": "file",
        "STUDENTS_TOKEN": "s3cret",
        **more,
    }
    line = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(line, cwd=place, env=environment, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def check_grades(place):
    rows = {row["submission"]: row for row in csv.DictReader((place / "graded" / "scores.csv").open())}
    assert {name: float(row["score"]) for name, row in rows.items()} == {"hw1-bo": 0, "hw1-jane": 18, "gil": 0}
    assert [rows[name]["late"] for name in ("hw1-jane", "hw1-bo", "gil")] == ["no", "yes", ""]
    assert (place / "graded" / "junit.xml").exists() and (place / "graded" / "report" / "index.html").exists()
    assert "s3cret" not in "".join(path.read_text("latin-1") for path in place.rglob("*") if path.is_file())


DUE = "2026-06-02T00:00+00:00"
FLOOR = "-a cells --jobs 1 --require-isolation split"


def test_the_github_run_grades_a_class(checkout):
    workflow = load(CI / "github" / "grade.yml")
    (job,) = workflow["jobs"].values()
    summary = checkout / "summary.md"
    known = {**workflow["env"], "DUE": DUE, "OPTIONS": FLOOR, "REGRADE": "", "GITHUB_STEP_SUMMARY": str(summary)}
    ran = []
    for step in job["steps"]:
        if "run" in step and not NOT_HERE.search(step["run"]):
            run(step["run"], checkout, known)
            ran.append(step["name"])
    assert ran == ["Say what this machine holds back", "Fetch the students' work", "Grade", "Report"]
    check_grades(checkout)
    assert "<td>hw1&#45;jane</td><td>18 of 18</td>" in summary.read_text()


@pytest.mark.long
def test_the_gitlab_run_grades_a_class(checkout):
    workflow = load(CI / "gitlab" / "grade.yml")
    known = {**workflow["variables"], "DUE": DUE, "OPTIONS": FLOOR}
    run("\n".join(workflow["grade"]["script"]), checkout, known)
    check_grades(checkout)


def test_fetching_runs_nothing_of_a_students_and_keeps_what_it_has(checkout, tmp_path):
    origin = tmp_path / "origins" / "hw1-jane"
    hook = origin / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/trap\n")
    hook.chmod(0o755)
    (checkout / "repositories.txt").write_text(
        f"file://{origin}\next::sh -c touch% {tmp_path}/trap\nfile://{origin}/..\n--upload-pack=touch\n"
    )
    said = run("bash ci/fetch.sh repositories.txt clones", checkout, {})
    assert "1 repositories are here" in said.stdout
    assert [path.name for path in (checkout / "clones").iterdir()] == ["hw1-jane"]
    assert said.stderr.count("fetch: ") == 3 and not (tmp_path / "trap").exists()
    shutil.rmtree(origin)
    said = run("bash ci/fetch.sh repositories.txt clones", checkout, {}, status=1)
    assert "Is STUDENTS_TOKEN set" in said.stderr  # so nobody is given a 0 because a token has run out
    assert (checkout / "clones" / "hw1-jane" / "cells.py").read_text() == RIGHT


def test_forks_of_one_name_do_not_take_each_others_place(checkout, tmp_path):
    for owner in ("ada", "ben"):
        make_clones(tmp_path / owner, {"hw1": (f"# {owner}", "2026-06-01T12:00:00Z")})
    urls = [f"file://{tmp_path}/ada/hw1.git", f"file://{tmp_path}/ben/hw1", f"file://{tmp_path}/origins/hw1-jane"]
    (tmp_path / "ada" / "hw1").rename(tmp_path / "ada" / "hw1.git")
    (checkout / "repositories.txt").write_text("\n".join(urls))
    run("bash ci/fetch.sh repositories.txt clones", checkout, {})
    found = {path.parent.name: path.read_text() for path in (checkout / "clones").glob("*/cells.py")}
    assert found == {"hw1-ada": "# ada", "hw1-ben": "# ben", "hw1-jane": RIGHT}


def test_the_page_names_every_workflow_and_every_file_it_names_is_there():
    page = (ROOT / "docs" / "ci.md").read_text()
    for path in [*GITHUB, *GITLAB]:
        assert path.relative_to(ROOT).as_posix() in page
    for name in re.findall(r"\]\(\.\./([^)#]+)\)", page):
        assert (ROOT / name).exists(), name
