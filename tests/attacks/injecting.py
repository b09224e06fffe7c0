"""Attacks on whoever reads the result: control sequences, commands, markup and formulas in texts and names."""

from tests.attacks.attack import ALL, at_import, instead_of, upload, write, zipped

RNN_FORWARD = "cells.RNNCellFromScratch.forward"
ONE_TEST = {"loses": ("test_rnn_without_c",)}  # `forward` with two arguments is asked for by this test alone
HOSTILE_NAMES = (
    "\x1b[2Jcleared.py",
    "<script>alert(1)<\\script>.py",
    "=HYPERLINK(1).py",
    "::error::done.py",
    "\u202egnp.py",
    "a\nb.py",
    "'; drop table.py",
    "$(touch x).py",
    "-rf.py",
    "\udcff.py",
)


@instead_of(RNN_FORWARD, tries="Clears the reader's screen and writes full marks there.", **ONE_TEST)
def terminal_sequences(honest, *given):
    if len(given) == 3:
        raise ValueError(
            "\x1b[2J\x1b[1;1H\x1b[32mATTACK 100 of 100\x1b[0m\r\x1b]0;title\x07\x1b]52;c;YQ==\x07\x9b31m\b\b\b"
        )
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Prints the same, for a grader that shows what was printed.", **ONE_TEST)
def terminal_sequences_printed(honest, *given):
    if len(given) == 3:
        print("\x1b[2J\x1b[1;1H\x1b[32mATTACK 100 of 100\x1b[0m\r\n::error::ATTACK\n##[error]ATTACK")
        raise ValueError("ATTACK")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Writes commands that GitHub's runner obeys when they are in a log.", **ONE_TEST)
def workflow_commands(honest, *given):
    if len(given) == 3:
        raise ValueError(
            "ATTACK\n::error::ATTACK\n  ::add-mask::a\n::stop-commands::x\n##[set-env name=PATH]/tmp\n::warning ::y"
        )
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Hides a command behind so many words that a wrapped line begins with it.", **ONE_TEST)
def a_workflow_command_in_a_wrapped_line(honest, *given):
    if len(given) == 3:
        raise ValueError(" ".join(f"{'w' * n} ::error::ATTACK" for n in range(1, 30)))
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Puts scripts and markup into a message.", **ONE_TEST)
def markup(honest, *given):
    if len(given) == 3:
        raise ValueError(
            "ATTACK <script>alert(1)</script><img src=x onerror=alert(1)> [bold red]x[/] ```\n# all passed\n```"
        )
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Puts a spreadsheet's formula into a message.", **ONE_TEST)
def formulas(honest, *given):
    if len(given) == 3:
        raise ValueError('=HYPERLINK("http://example.org","ATTACK")')
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Turns the reading order round, and uses letters that look like others.", **ONE_TEST)
def text_that_reads_backwards(honest, *given):
    if len(given) == 3:
        raise ValueError(
            "ATTACK \u202e dessap \u2066 \u200b\u200d\ufeff \u2028new line\u2029 p\u0430ssed \ud800 \ue000"
        )
    return honest(*given)


@instead_of(
    RNN_FORWARD, tries="Puts this machine's paths, its process number and an address into a message.", **ONE_TEST
)
def facts_of_the_machine(honest, *given):
    if len(given) == 3:
        import os
        import sys
        import tempfile

        raise ValueError(f"ATTACK {os.getcwd()} {tempfile.gettempdir()} {sys.prefix} pid {os.getpid()} {object()!r}")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Raises with a text of a hundred megabytes.", **ONE_TEST)
def a_text_without_end(honest, *given):
    if len(given) == 3:
        raise ValueError("ATTACK " * 15_000_000)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Sends a message on a journey through a regular expression.", **ONE_TEST)
def a_text_that_is_hard_to_clean(honest, *given):
    if len(given) == 3:
        raise ValueError("/a" * 2000 + "0x" * 2000 + "pid" * 2000)
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Names its exception with control sequences and commands.", **ONE_TEST)
def a_hostile_exception_name(honest, *given):
    if len(given) == 3:
        raise type("\x1b[31m\n::error::ATTACK\n", (Exception,), {})("x")
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Names what it returns with control sequences and commands.", **ONE_TEST)
def a_hostile_type_name(honest, *given):
    if len(given) == 3:
        return type("\x1b[31m\n::error::ATTACK\n<b>", (), {})(), None
    return honest(*given)


@instead_of(RNN_FORWARD, tries="Claims another file and line for its exception.", **ONE_TEST)
def a_hostile_file_name(honest, *given):
    if len(given) == 3:
        import os

        code = compile("raise ValueError('ATTACK')", os.path.join(os.getcwd(), "\x1b[31m\n::error::ATTACK.py"), "exec")
        exec(code)
    return honest(*given)


@instead_of(
    RNN_FORWARD,
    spoils=("RNNCellFromScratch",),
    keeps=("test_rnn_parameters",),
    tries="Has every hidden test carry the student's words.",
)
def words_for_hidden_tests(honest, *given):
    print("ATTACK printed")
    raise ValueError("ATTACK raised")


@at_import("sampling", spoils=ALL, tries="Writes control sequences and commands into the message of a failed import.")
def a_hostile_import():
    raise ImportError("\x1b[2J\n::error::ATTACK", name="\x1b[31m", path="/\x1b[2J")


@upload("sampling", spoils=ALL, tries="Hides commands and control sequences in the source line that a message quotes.")
def a_hostile_line_of_source(folder, honest):
    return write(folder, {**honest, "sampling.py": "x = 1 ++ ;; # \x1b[31m ::error::ATTACK <script>\n"})


@upload("cells", spoils=("LSTMCellFromScratch",), tries="Hides them in the line that shows a cell of the library.")
def a_hostile_line_beside_a_library_cell(folder, honest):
    cell = "self.bias = nn.Parameter(bias); self.x = nn.LSTMCell(1, 1) # \x1b[31m ::error::ATTACK ##[error]"
    return write(folder, {**honest, "cells.py": honest["cells.py"].replace("self.bias = nn.Parameter(bias)", cell)})


@upload("sampling", tries="Is an archive whose members have hostile names.")
def hostile_names_in_an_archive(folder, honest):
    import zipfile

    path = zipped(folder, honest)
    with zipfile.ZipFile(path, "a") as archive:
        for name in (*HOSTILE_NAMES[:-1], "../::error::x", "/##[error]x", "..\\=1+1"):
            archive.writestr(zipfile.ZipInfo(name), b"")
    return path


@upload("sampling", tries="Is a folder whose files have hostile names, links among them.")
def hostile_names_in_a_folder(folder, honest):
    import os

    write(folder, {**honest, **{name.replace("/", "_"): "" for name in HOSTILE_NAMES}})
    os.symlink("/", folder / "::error::link\x1b[31m")
    return folder


@upload("sampling", tries="Is itself called like a command for GitHub's runner.")
def a_hostile_name(folder, honest):
    return zipped(folder, honest, "::error::ATTACK ##[error]x")


@upload("sampling", tries="Is itself called by control characters, in more than a hundred letters.")
def a_long_hostile_name(folder, honest):
    return zipped(folder, honest, "\x1b[31m\u202e" + "é" * 100)
