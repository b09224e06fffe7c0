"""Uploads whose bytes are the attack: bombs, climbing names, links, devices, odd encodings, broken archives."""

import io
import os
import struct
import tarfile
import zipfile
import zlib

from tests.attacks.attack import ALL, upload, write, zipped

MIB = 2**20


def a_tar(folder, honest, *members):
    """A .tar.gz of the honest files and of these members: (TarInfo, content or None)."""
    path = folder / "submission.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in honest.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for member, content in members:
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return path


def a_member(name, kind=tarfile.REGTYPE, target=""):
    """A tar member of a kind that a student's own program would not make."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def a_zip_with(folder, honest, *members):
    """A .zip of the honest files and of these members: (name or ZipInfo, content)."""
    path = zipped(folder, honest)
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@upload("sampling", harmless=False, tries="Unpacks to a gigabyte.", spoils=ALL)
def zip_bomb(folder, honest):
    path = zipped(folder, honest)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.bin", "w") as member:
        for _ in range(1024):
            member.write(bytes(MIB))
    return path


@upload(
    "sampling",
    harmless=False,
    tries="Says that it is small and unpacks to more: the sizes in its directory are forged.",
    sabotages_itself=True,
)
def zip_bomb_with_forged_sizes(folder, honest):
    path = zipped(folder, honest)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(300 * MIB)) + packer.flush()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("forged.py", packed)
    raw = bytearray(path.read_bytes())
    for signature, method, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        place = raw.rindex(
            signature, 0, raw.rindex(b"forged.py") if signature == b"PK\x01\x02" else raw.index(b"forged.py")
        )
        raw[place + method : place + method + 2] = struct.pack("<H", 8)
        raw[place + size : place + size + 4] = struct.pack("<I", 10)
    path.write_bytes(raw)
    return path


@upload("sampling", harmless=False, tries="Nests an archive in an archive, for a grader that unpacks them all.")
def archive_in_an_archive(folder, honest):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(64 * MIB))
    return a_zip_with(folder, honest, *[(f"{number}.zip", inner.getvalue()) for number in range(10)])


@upload("sampling", tries="Has three thousand members.", spoils=ALL)
def too_many_members(folder, honest):
    return a_zip_with(folder, honest, *[(f"{number}.txt", b"") for number in range(3000)])


@upload("sampling", tries="Climbs out of the folder by its members' names, in every spelling.")
def climbing_names(folder, honest):
    from grader.course import ROOT

    names = ("../escaped.py", "../../../../srv/escaped.py", f"{folder}/escaped.py", "..\\escaped.py", "C:\\escaped.py")
    return a_zip_with(folder, honest, *[(name, b"raise SystemExit") for name in (*names, f"/{ROOT}/grader/escaped.py")])


@upload("sampling", tries="Climbs out of the folder by links, hard and symbolic, and writes through them.")
def links_in_an_archive(folder, honest):
    return a_tar(
        folder,
        honest,
        (a_member("door", tarfile.SYMTYPE, ".."), None),
        (a_member("door/escaped.py"), b"escaped = True\n"),
        (a_member("users", tarfile.SYMTYPE, "/etc/passwd"), None),
        (a_member("hard", tarfile.LNKTYPE, "/etc/passwd"), None),
        (a_member("sampling_too.py", tarfile.LNKTYPE, "sampling.py"), None),
    )


@upload("sampling", harmless=False, tries="Holds devices, a pipe and a file with the setuid bit.")
def devices_in_an_archive(folder, honest):
    rooted = a_member("root.sh")
    rooted.mode = 0o6777
    return a_tar(
        folder,
        honest,
        (a_member("null", tarfile.CHRTYPE), None),
        (a_member("disk", tarfile.BLKTYPE), None),
        (a_member("pipe", tarfile.FIFOTYPE), None),
        (a_member("odd", b"Z"), None),
        (rooted, b"#!/bin/sh\n"),
    )


@upload("sampling", spoils=ALL, tries="Puts a link to the hidden tests in the place of its module.")
def a_link_as_the_module(folder, honest):
    from grader.course import ROOT

    write(folder, {name: text for name, text in honest.items() if name != "sampling.py"})
    os.symlink(ROOT / "solutions" / "sampling.py", folder / "sampling.py")
    return folder


@upload("sampling", tries="Puts links to other folders, and a circle of them, beside its module.")
def links_in_a_folder(folder, honest):
    write(folder, honest)
    os.symlink("/", folder / "everything")
    os.symlink(folder, folder / "circle")
    os.symlink("/dev/zero", folder / "endless.py")
    return folder


@upload(
    "sampling",
    tries="Puts a pipe where a module is looked for, which blocks whoever opens it.",
    spoils=ALL,
    harmless=False,
)
def a_pipe_as_the_module(folder, honest):
    write(folder, {name: text for name, text in honest.items() if name != "sampling.py"})
    os.mkfifo(folder / "sampling.py")
    return folder


@upload("sampling", tries="Holds a folder forty levels deep and a name of 250 characters.")
def deep_folders(folder, honest):
    return write(folder, {**honest, "/".join(["d"] * 40) + "/deep.py": "x = 1\n", "n" * 250: "x"})


@upload("sampling", tries="Has two members of one name: the wrong one for a person, the right one for the grader.")
def two_of_one_name(folder, honest):
    import warnings

    path = zipped(folder, {**honest, "sampling.py": "raise SystemExit(0)\n"})
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("sampling.py", honest["sampling.py"])
    return path


@upload("sampling", tries="Says that its members are encrypted.", spoils=ALL)
def encrypted_members(folder, honest):
    path = zipped(folder, honest)
    raw = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(signature)
        while place >= 0:
            raw[place + flags] |= 1
            place = raw.find(signature, place + 4)
    path.write_bytes(raw)
    return path


@upload("sampling", tries="Ends in the middle.", spoils=ALL)
def a_truncated_archive(folder, honest):
    path = zipped(folder, honest)
    path.write_bytes(path.read_bytes()[:-200])
    return path


@upload("sampling", tries="Ends in the middle of its compressed bytes.", spoils=ALL)
def a_truncated_tar(folder, honest):
    path = a_tar(folder, honest)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


@upload("sampling", tries="Is a zip by its name and noise by its content.", spoils=ALL)
def noise_as_an_archive(folder, honest):
    path = folder / "submission.zip"
    path.write_bytes(bytes(range(256)) * 400)
    return path


@upload("sampling", tries="Is empty: a file of no bytes.", spoils=ALL)
def an_empty_archive(folder, honest):
    path = folder / "submission.tar.gz"
    path.touch()
    return path


@upload("sampling", tries="Is an empty folder.", spoils=ALL)
def an_empty_folder(folder, honest):
    return folder


@upload("sampling", tries="Is a pipe.", spoils=ALL, harmless=False)
def a_pipe(folder, honest):
    path = folder / "submission.py"
    os.mkfifo(path)
    return path


@upload("sampling", tries="Is an expression so deep that Python's parser falls over it.", spoils=ALL)
def a_deep_expression(folder, honest):
    return write(
        folder, {**honest, "sampling.py": "x = " + "(" * 200_000 + ")" * 200_000 + "\n" + honest["sampling.py"]}
    )


@upload("sampling", tries="Is a chain of operators so long that the compiler falls over it.", spoils=ALL)
def a_long_expression(folder, honest):
    return write(folder, {**honest, "sampling.py": "x = " + "-" * 300_000 + "1\n" + honest["sampling.py"]})


@upload("cells", tries="Is a chain of attributes that a walk over its tree must follow to the end.", spoils=ALL)
def a_long_chain(folder, honest):
    return write(folder, {**honest, "cells.py": honest["cells.py"] + "\nx = 0 and torch" + ".nn" * 100_000 + "\n"})


@upload("sampling", tries="Contains NUL bytes.", spoils=ALL)
def nul_bytes(folder, honest):
    return write(folder, {**honest, "sampling.py": honest["sampling.py"] + "\0"})


@upload("sampling", tries="Is written in UTF-16.", spoils=ALL)
def utf_16(folder, honest):
    return write(folder, {**honest, "sampling.py": honest["sampling.py"].encode("utf-16")})


@upload("sampling", tries="Declares an encoding in which its comments are code.", spoils=ALL)
def an_encoding_that_hides_code(folder, honest):
    code = "# -*- coding: utf-7 -*-\n#+AAo-raise SystemExit(0)\n"
    return write(folder, {**honest, "sampling.py": code + honest["sampling.py"]})


@upload("sampling", tries="Has a byte order mark, carriage returns and no last line's end, which are all allowed.")
def odd_but_allowed_text(folder, honest):
    text = b"\xef\xbb\xbf" + honest["sampling.py"].replace("\n", "\r\n").rstrip().encode()
    return write(folder, {**honest, "sampling.py": text})


@upload("sampling", tries="Is a module of more than a megabyte.", spoils=ALL)
def a_large_module(folder, honest):
    return write(folder, {**honest, "sampling.py": honest["sampling.py"] + "#" * 2 * MIB})


@upload("sampling", tries="Hides torch, NumPy and Python's own modules behind files of its own.")
def modules_named_like_libraries(folder, honest):
    from sys import stdlib_module_names

    names = [*sorted(stdlib_module_names - {"__main__"})[:120], "torch", "numpy", "random", "math", "json", "os"]
    return write(folder, {**honest, **{f"{name}.py": "raise SystemExit(0)\n" for name in names}})


@upload("sampling", tries="Hides the kit's own packages behind files of its own.")
def modules_named_like_the_kit(folder, honest):
    names = ("assignments", "grader", "safetensors", "pytest", "assignments/sampling/probes", "grader/wire/values")
    return write(folder, {**honest, **{f"{name}.py": "raise SystemExit(0)\n" for name in names}})


@upload("sampling", stub=True, tries="Brings pytest settings and a conftest.py that passes every test.")
def a_conftest_that_passes(folder, honest):
    conftest = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome, report.longrepr = "passed", None
"""
    return write(folder, {**honest, "conftest.py": conftest})


@upload("sampling", stub=True, tries="Brings a pytest.ini that leaves every test out.")
def settings_that_leave_tests_out(folder, honest):
    settings = "[pytest]\naddopts = --collect-only\npython_functions = nothing\n"
    return write(folder, {**honest, "pytest.ini": settings, "tox.ini": settings, "setup.cfg": "[tool:pytest]\n"})


@upload("sampling", stub=True, tries="Brings tests of its own, under the names of the grader's.")
def tests_of_its_own(folder, honest):
    passing = "def test_all():\n    pass\n"
    names = ("test_hidden.py", "test_public.py", "test_naive.py", "assignments/sampling/test_hidden.py")
    return write(folder, {**honest, **dict.fromkeys(names, passing)})


@upload(
    "sampling", stub=True, tries="Brings start-up files that Python runs unasked: sitecustomize, .pth, compiled twins."
)
def start_up_files(folder, honest):
    leave = "import os\nos._exit(0)\n"
    return write(
        folder,
        {
            **honest,
            "sitecustomize.py": leave,
            "usercustomize.py": leave,
            "start.pth": "import os; os._exit(0)\n",
            "__pycache__/sampling.cpython-311.pyc": b"\xa7\r\r\n" + bytes(12),
            "sampling.so": b"\x7fELF",
        },
    )


@upload("sampling", tries="Is a folder that holds a package of the module's name beside the module.")
def a_package_beside_the_module(folder, honest):
    return write(folder, {**honest, "sampling/__init__.py": "raise SystemExit(0)\n"})


@upload("sampling", tries="Brings settings in YAML, JSON, TOML and pickle for a grader that reads them.")
def settings_to_be_read(folder, honest):
    settings = {"grader.yaml": "!!python/object/apply:os._exit [0]\n", "assignment.toml": "points = 10000\n"}
    return write(folder, {**honest, **settings, "weights.pt": b"cos\n_exit\n(I0\ntR.", "config.json": "[" * 100_000})


@upload("sampling", stub=True, tries="Is a notebook that is none: broken JSON, odd cells, a deep nesting.")
def a_broken_notebook(folder, honest):
    path = folder / "submission.ipynb"
    path.write_text('{"cells": [{"cell_type": "code", "source": 7}, null, ' + "[" * 50_000)
    return path
