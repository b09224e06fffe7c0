"""`python -m grader`, the same as the console command `grader`."""

from grader.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
