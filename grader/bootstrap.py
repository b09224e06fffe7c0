"""Sets up `.venv` in the checkout: `python3 grader/bootstrap.py grade|test`; `check` in a students' bundle.

Runs on a bare Python 3.11+ with nothing installed. It says what it will download, takes a CPU build
of torch where there is no GPU, and returns at once when all is in place. It imports nothing of the
package, for that is not installed yet, and an old Python has to be able to read it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path(os.environ.get("GRADER_VENV") or ROOT / ".venv")
PYTHON = ENVIRONMENT / "bin" / "python"
EXTRAS = {"grade": "", "test": "[dev,otter]", "check": ""}
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
INSTALL = ("-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check", "--progress-bar", "off")


def main() -> int:
    """Set up for `grade`, `test` or `check`; 0 when the environment is ready."""
    kind = sys.argv[1] if len(sys.argv) == 2 else ""
    if kind not in EXTRAS:
        return complain("usage: python3 grader/bootstrap.py grade|test|check")
    if sys.version_info < (3, 11):
        return complain(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}. "
            + ("Type: python3.11 check.py" if kind == "check" else f"Type: make PYTHON=python3.11 {kind}")
        )
    stamps = {name: ENVIRONMENT / f".ready-{name}" for name in EXTRAS}
    wanted = fingerprint()
    ready = [name for name, stamp in stamps.items() if stamp.is_file() and stamp.read_text() == wanted]
    if kind in ready or "test" in ready:
        return 0
    missing = missing_modules()
    if missing:
        return complain(missing)
    try:
        install(kind)
    except (subprocess.CalledProcessError, OSError) as problem:
        what = "pip" if isinstance(problem, subprocess.CalledProcessError) else problem
        return complain(f"setting up .venv failed ({what}). Is there a connection? Then type the same command again.")
    stamps[kind].write_text(wanted)
    return 0


def fingerprint() -> str:
    """What the environment was made from: it is made anew when one of these changes."""
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"".join([*parts, str(ROOT).encode(), sys.version.encode()])).hexdigest()


def missing_modules() -> str | None:
    """One line with the command to type if Python lacks what set-up needs."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as problem:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python's {problem.name} module is missing. Type: sudo apt install python{version}-venv"
    return None


def install(kind: str) -> None:
    """Make the environment and install the kit with the extras of `kind`."""
    pinned = dict(line.split("==") for line in constraints() if "==" in line)
    gpu = has_gpu()
    build = "with CUDA, some gigabytes" if gpu else "CPU build, some 200 MB"
    print(f"Setting up .venv, once: torch {pinned['torch']} ({build}), numpy, pytest and what they need", flush=True)
    if kind == "test":
        print("and for the tests otter-grader, Jupyter's notebook tools, mypy and ruff (some 100 MB).", flush=True)
    if not PYTHON.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    if not gpu:
        install_cpu_torch(pinned["torch"])
    run([*INSTALL, "-c", "constraints.txt", "-e", f".{EXTRAS[kind]}"])
    print("Ready.", flush=True)


def install_cpu_torch(version: str) -> None:
    """Install a CPU build of torch, from what pip has at hand or from torch's own index.

    The registry's plain torch for Linux brings gigabytes of CUDA; other systems' is a CPU build.
    """
    if installed("torch") or sys.platform != "linux":
        return
    at_hand = subprocess.run(
        [str(PYTHON), *INSTALL, "--no-index", "--no-deps", f"torch=={version}"], cwd=ROOT, capture_output=True
    )
    if at_hand.returncode != 0:
        run([*INSTALL, "--no-deps", "--index-url", CPU_INDEX, f"torch=={version}"])


def installed(package: str) -> bool:
    """Whether the environment has the package already."""
    return subprocess.run([str(PYTHON), "-m", "pip", "show", "--quiet", package], capture_output=True).returncode == 0


def has_gpu() -> bool:
    """Whether an NVIDIA GPU is at hand, as far as can be told without any package."""
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def constraints() -> list[str]:
    """The lines of constraints.txt that pin something."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def run(arguments: list[str]) -> None:
    """Run the environment's Python, letting pip speak for itself if it fails."""
    subprocess.run([str(PYTHON), *arguments], cwd=ROOT, check=True, env={**os.environ, "PIP_NO_INPUT": "1"})


def complain(line: str) -> int:
    """One line on standard error; 2."""
    print(f"set-up: {line}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
