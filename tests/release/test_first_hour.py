"""The bundle as a new student meets it: from the zip, in an empty environment, with the two commands of its README."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from grader.choices import Choices
from grader.course import SOLUTIONS
from grader.release.bundle import TEMPLATES, make_bundle
from grader.release.pack import write_bundle

ONE = Choices(assignments=("gradient_flow",))
BASE_PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


@pytest.mark.parametrize("name", ["check.py", "bootstrap.py"])
def test_what_runs_first_can_be_read_by_an_old_python(name):
    """So that it is our line that says which Python is needed, and not a traceback."""
    path = TEMPLATES / name if name == "check.py" else TEMPLATES.parent.parent / name
    text = path.read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))
    annotated = re.search(r"-> .*\|", text)
    assert annotated is None or "from __future__ import annotations" in text


def test_both_commands_stand_in_the_readme_and_every_file_it_names_is_there():
    files = make_bundle(ONE)
    readme = files["README.md"].decode()
    commands = re.findall(r"^python3 check\.py.*?(?= {2,}#)", readme, re.MULTILINE)
    assert commands == ["python3 check.py", "python3 check.py -a gradient_flow --watch"]
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        assert target in files, target
    for target in re.findall(r"`([\w/.]+\.(?:py|md))`", readme):
        assert target in files, target


@pytest.mark.long
def test_from_the_zip_to_all_public_tests(tmp_path):
    """Set-up, the first check, a solved check, and the workflow's own lines; nothing of this environment is used."""
    write_bundle(make_bundle(ONE), tmp_path / "course.zip", "zip")
    zipfile.ZipFile(tmp_path / "course.zip").extractall(tmp_path)
    folder = tmp_path / "course"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "GRADER"))}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, timeout=280, check=False)

    first = run(str(BASE_PYTHON), "check.py")
    if "Is there a connection?" in first.stderr:
        pytest.skip("pip finds no wheels here, neither at hand nor on the network")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.startswith("Setting up .venv, once: torch")
    assert "hidden_gradient_norms is not implemented yet" in first.stdout
    (folder / "gradient_flow.py").write_text((SOLUTIONS / "gradient_flow.py").read_text())
    second = run(str(BASE_PYTHON), "check.py", "-a", "gradient_flow")
    assert "Setting up" not in second.stdout and "All public tests pass. 8 hidden tests run" in second.stdout
    workflow = yaml.safe_load((folder / ".github/workflows/check.yml").read_text())
    kept |= {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    for step in workflow["jobs"]["public-tests"]["steps"]:
        if "run" in step:
            assert run("bash", "-e", "-c", step["run"].replace("python3", str(BASE_PYTHON))).returncode == 0
    assert "All public tests pass" in (tmp_path / "summary.md").read_text()
