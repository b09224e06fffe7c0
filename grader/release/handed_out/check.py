"""Sets up and checks, with one command: python3 check.py

    python3 check.py                       every assignment
    python3 check.py -a cells              one of them
    python3 check.py -a cells --watch      again on every save; h for a hint, q to quit
    python3 check.py -a cells --pdb        stop in the debugger where your code fails
    python3 check.py --zip hand-in.zip     also write what you hand in
    python3 check.py play                  train your model and let it write

The first time it makes the folder .venv and says what it downloads. It needs Python 3.11 or newer.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMANDS = ("check", "play", "plot", "doctor")


def main() -> int:
    if os.name == "nt":
        print("check.py runs on Linux and macOS; on Windows inside WSL (wsl --install, then Ubuntu).", file=sys.stderr)
        return 2
    said = {"GRADER_VENV": str(HERE / ".venv"), "GRADER_COMMAND": "python3 check.py"}
    environment = {**os.environ, **said}
    setup = subprocess.run([sys.executable, str(HERE / ".kit" / "grader" / "bootstrap.py"), "check"], env=environment)
    if setup.returncode:
        return setup.returncode
    words = sys.argv[1:]
    command = words.pop(0) if words[:1] and words[0] in COMMANDS else "check"
    os.chdir(HERE)
    grader = str(HERE / ".venv" / "bin" / "grader")
    return os.execve(grader, [grader, command, *words], environment)


if __name__ == "__main__":
    raise SystemExit(main())
