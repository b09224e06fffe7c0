"""Archives for intake: zips and tarballs made by hand, so that each field of each header can lie by itself.

Most cases are sound but for one to three lies, and hold a module under a name that counts, so that the
reader gets as far as it would with an honest upload. `Archives` feeds `reading.read`, the function that
the limited child runs, in one long-lived process under the child's own limits; `Received` goes the
whole way through `receive`, with a child for each. After each case the promises are looked at: nothing
outside the folder, nothing over the limits, a summary that is small.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import random
import re
import shutil
import stat
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.course import SOLUTIONS, load_course
from grader.intake import receive
from grader.intake.inside import limits, reading
from grader.intake.receive import job_for, limit_reading
from grader.messages import printable
from tests.fuzz.campaign import MIB

SUMMARY_LIMIT = 8 * MIB
CELLS = (SOLUTIONS / "cells.py").read_bytes()
SOURCES = (
    CELLS,
    b"from torch import nn\nclass LSTMCellFromScratch(nn.Module):\n    def __init__(s):\n        s.c = nn.LSTM(1, 2)\n",
    b"x = 1\n",
    b"",
    b"\xef\xbb\xbfx = 1\r\ny = 2\r",
    b"x = 1\0",
    "x = 'é'".encode("latin-1"),
    b"# -*- coding: rot13 -*-\nk = 1",
    b"def broken(:\n",
    b"x = " + b"(" * 90 + b"1" + b")" * 90,
    b"# " + b"y" * 5000,
)
NAMES = (
    *("cells.py", "cells.py", "cells.py", "batching.py", "helpers/scale.py", "notes.txt", "cells/__init__.py"),
    *("./cells.py", "a//cells.py", "Cells.py", "cells.PY", "cells.py/x.py", "data.bin", "cells", "hw.zip"),
)
BAD_NAMES = (
    *(
        "../up.py",
        "/abs.py",
        "a/../../up.py",
        "..",
        ".",
        "",
        "/",
        "//",
        "C:\\x.py",
        "c:x.py",
        "\\\\host\\x.py",
        "a\\..\\..\\b.py",
    ),
    *(
        "a\0b.py",
        "x" * 255 + ".py",
        "é" * 200 + ".py",
        "d/" * 300 + "x.py",
        "\x1b[2J.py",
        "\u202egnp.py",
        "nul",
        "a:b",
        "~/x",
    ),
    *(
        "__MACOSX/._cells.py",
        ".git/config",
        "__pycache__/cells.pyc",
        "torch.pth",
        "x.so",
        " ",
        "-rf",
        "a\nb.py",
        "x" * 60_000,
    ),
)
RARE = 0.001


class Archives:
    """A hundred thousand of these went through; figures in tests/benchmarks/RESULTS.md."""

    growth_limit = 16 * MIB
    peak_limit = 512 * MIB
    ending = ".archive"

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="grader-fuzz-")
        self.limited = False

    def make(self, rng: random.Random) -> bytes:
        """The first byte says which: z for .zip, t for .tar.gz; the rest is the archive."""
        if rng.random() < 0.5:
            return b"z" + _cut(_zip(rng), rng)
        return b"t" + _tarball(rng)

    def feed(self, case: bytes) -> str:
        """Read it as the limited child does."""
        if not self.limited:  # once, and only in the process that runs the cases
            limit_reading(cpu_s=None)
            self.limited = True
        path, folder = self._lay(case)
        try:
            summary = reading.read({**job_for(path, load_course()), "folder": str(folder), "skip": []})
            assert len(json.dumps(summary)) <= SUMMARY_LIMIT, "the summary is over its limit"
            files = {name: folder.joinpath(*name.split("/")) for name in summary["files"]}
            assert all(file.is_file() and not file.is_symlink() for file in files.values())
            self._check({name: file.stat().st_size for name, file in files.items()}, folder)
            return _outcome(summary.get("whole", ""), list(files), summary["unreadable"], summary["notes"])
        finally:
            shutil.rmtree(folder.parent)

    def _lay(self, case: bytes) -> tuple[Path, Path]:
        parent = Path(tempfile.mkdtemp(dir=self._home.name))
        path = parent / ("ada.zip" if case[:1] == b"z" else "ada.tar.gz")
        path.write_bytes(case[1:])
        folder = parent / "inner"
        folder.mkdir()
        return path, folder

    def _check(self, sizes: dict[str, int], folder: Path) -> None:
        """What must hold of anything that was read."""
        assert set(os.listdir(folder.parent)) == {
            "inner",
            *(p for p in os.listdir(folder.parent) if p.startswith("ada")),
        }
        assert len(os.listdir(folder.parent)) == 2 and len(os.listdir(self._home.name)) == 1, "a file outside"
        assert sum(sizes.values()) <= limits.KEPT_LIMIT and len(sizes) <= limits.MEMBER_LIMIT
        for name, size in sizes.items():
            parts = name.split("/")
            assert name and ".." not in parts and "" not in parts and "\0" not in name and not name.startswith("/")
            assert size <= limits.MODULE_LIMIT or not name.endswith(".py")


class Received(Archives):
    """The same archives through the whole of intake; sources that kill a parser too."""

    def make(self, rng: random.Random) -> bytes:
        """As for `Archives`; one in forty holds a bomb for the parser."""
        if rng.random() < 0.025:
            bomb = rng.choice((b"x = " + b"-" * 200_000 + b"1", b"(" * 50_000, b"if x:\n" * 99, b"x" + b".a" * 100_000))
            return b"z" + _build_zip([Member("cells.py", bomb)], rng)
        return super().make(rng)

    def feed(self, case: bytes) -> str:
        """Receive it; nothing may be raised."""
        path, folder = self._lay(case)
        try:
            submission = receive(path, load_course())
            self._check({name: len(content) for name, content in submission.files.items()}, folder)
            assert submission.name == "ada" and len(submission.notes) <= limits.NOTES_LIMIT + 1
            for text in (submission.whole, *submission.notes, *submission.unreadable.values()):
                assert len(text) <= 200 and "\n" not in text and printable(text) == text, repr(text)
            return _outcome(submission.whole, list(submission.files), submission.unreadable, submission.notes)
        finally:
            shutil.rmtree(folder.parent)


def _outcome(whole: str, files: list[str], unreadable: dict[str, str], notes: list[str]) -> str:
    if whole:
        return f"nothing can be read: {whole}"
    said = {"a module elsewhere" if "does not count" in note else re.split(r"[:(]", note)[0].strip() for note in notes}
    if "cells.py" in unreadable:
        return "read: cells.py is unreadable: " + re.sub(r"\d+", "N", unreadable["cells.py"])
    there = "there" if "cells.py" in files else "not there"
    return f"read: cells.py is {there}; {min(said, default='all is kept')}"


def _content(rng: random.Random) -> bytes:
    if rng.random() < RARE:
        return rng.choice((b"#" * (MIB + 1), b"#" * MIB, b"\0" * (30 * MIB), rng.randbytes(2 * MIB)))
    return rng.choice(SOURCES) if rng.random() < 0.8 else rng.randbytes(rng.randrange(600))


def _name(rng: random.Random) -> str:
    return rng.choice(NAMES if rng.random() < 0.75 else BAD_NAMES)


# --- zip --------------------------------------------------------------------------------------


class Member:
    """One member of a zip; every field may be changed after it was made right."""

    def __init__(self, name: str, content: bytes, method: int = 8) -> None:
        packers: dict[int, Callable[[bytes], bytes]] = {0: bytes, 12: bz2.compress, 14: _zip_lzma}
        self.packed = packers.get(method, _deflated)(content)
        flag = 0 if name.isascii() else 0x800
        raw = name.encode("utf-8", "surrogatepass")[:65_000]
        self.local = {
            "version": 20,
            "flags": flag,
            "method": method,
            "crc": zlib.crc32(content),
            "name": raw,
            "extra": b"",
        }
        self.local.update(packed=len(self.packed), size=len(content))
        self.central = {
            **self.local,
            "attributes": (stat.S_IFREG | 0o644) << 16,
            "offset": None,
            "disk": 0,
            "comment": b"",
        }


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _zip_lzma(content: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    packed = lzma.compress(content, lzma.FORMAT_RAW, filters=filters)
    return b"\x09\x04\x05\x00" + b"\x5d" + struct.pack("<I", 1 << 16) + packed


def _zip(rng: random.Random) -> bytes:
    wrap = rng.choice(("", "", "", "hw/", "ada-hw1/", "./", "a/b/", "hw\\"))
    members = [Member(wrap + "cells.py", rng.choice(SOURCES))] if rng.random() < 0.8 else []
    for _ in range(rng.choice((0, 1, 2, 4))):
        members.append(Member(wrap + _name(rng), _content(rng), rng.choice((0, 8, 8, 8, 12, 14))))
    if rng.random() < RARE:
        members += [Member(f"{wrap}f{i}.txt", b"") for i in range(rng.choice((1_990, 2_001)))]
    if members and rng.random() < 0.1:
        members.append(Member(_name(rng), _build_zip([Member("cells.py", CELLS)], rng)))  # an archive inside
    if members:
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            _lie(rng.choice(members), rng)
    rng.shuffle(members)
    return _build_zip(members, rng, lies=rng.random() < 0.25)


NUMBERS = (0, 1, 99, 100, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def _lie(member: Member, rng: random.Random) -> None:
    """Make one field of a member false, in its own header, in the directory, or in both."""
    where: list[dict[str, Any]] = rng.choice(([member.local], [member.central], [member.local, member.central]))
    field = rng.choice(
        ("size", "packed", "crc", "method", "flags", "name", "extra", "attributes", "offset", "data", "zip64")
    )
    value: Any = rng.choice(NUMBERS)
    if field == "method":
        value = rng.choice((0, 1, 6, 8, 9, 12, 14, 93, 95, 98, 99, 0xFFFF))
    elif field == "flags":
        value = rng.choice((0x1, 0x8, 0x20, 0x40, 0x41, 0x800, 0x2000, 0xFFFF))
    elif field == "name":
        value = rng.choice(
            (_name(rng).encode("utf-8", "replace")[:65_000], b"\xff\xfe.py", rng.randbytes(8), b"a\0.py")
        )
    elif field in ("extra", "zip64"):
        field = "extra"
        wide = struct.pack("<HH", 1, rng.choice((8, 16, 24, 28, 3))) + struct.pack(
            "<QQQ", *rng.choices((*NUMBERS, 2**63, 2**64 - 1), k=3)
        )
        value = rng.choice((wide, wide, wide[:9], b"\x75\x70\x05\x00\x01abcd", rng.randbytes(7), b"\x01\x00\xff\xff"))
        if rng.random() < 0.7:
            member.central.update(size=0xFFFFFFFF, packed=rng.choice((0xFFFFFFFF, member.central["packed"])))
    elif field == "attributes":
        kinds = (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, 0, 0xF000)
        value = (rng.choice(kinds) | 0o777) << 16 | rng.choice((0, 0x10))
    elif field == "data":
        kept = len(member.packed)
        member.packed = rng.choice(
            (_flipped(member.packed, rng), member.packed[: rng.randrange(kept + 1)], b"\xff" * kept)
        )
        return
    for header in where:
        if field in header or field == "offset":
            header[field] = value


def _shared_fields(header: dict[str, Any]) -> tuple[bytes, int, int, int]:
    """What both headers of a member have in common: flags, method and time; checksum and sizes."""
    numbers = (header[key] & 0xFFFFFFFF for key in ("crc", "packed", "size"))
    return struct.pack("<HHHH", header["flags"] & 0xFFFF, header["method"], 0, 33), *numbers


def _build_zip(members: list[Member], rng: random.Random, lies: bool = False) -> bytes:
    out = bytearray(rng.choice((b"MZ\x90", b"PK\x03\x04", b"\0" * 50)) if lies and rng.random() < 0.1 else b"")
    directory = bytearray()
    for member in members:
        offset, h = len(out), member.local
        out += struct.pack("<IH8sIIIHH", 0x04034B50, h["version"], *_shared_fields(h), len(h["name"]), len(h["extra"]))
        out += h["name"] + h["extra"] + member.packed
        c = member.central
        at = (offset if c["offset"] is None else c["offset"]) & 0xFFFFFFFF
        rest = (0, c["disk"], 0, c["attributes"] & 0xFFFFFFFF, at)
        directory += struct.pack("<IHH8s", 0x02014B50, 0x0314, c["version"], _shared_fields(c)[0])
        directory += struct.pack("<IIIHHHHHII", *_shared_fields(c)[1:], len(c["name"]), len(c["extra"]), *rest)
        directory += c["name"] + c["extra"]
    start, size, count, comment = len(out), len(directory), len(members), b""
    wide = b""
    if lies:
        how = rng.randrange(7)
        if how == 0:
            count = rng.choice((0, 1, 0xFFFF, 2001, count + 1))
        elif how == 1:
            size = rng.choice((0, 1, size - 1, size + 1, 0xFFFFFFFF, 0x7FFFFFFF)) & 0xFFFFFFFF
        elif how == 2:
            start = rng.choice((0, 1, start + 1, start - 1, 0xFFFFFFFF)) & 0xFFFFFFFF
        elif how == 3:
            comment = rng.choice((b"x" * 65_535, b"PK\x05\x06" + b"\0" * 18, rng.randbytes(30)))
        elif how == 4:  # zip64's end of directory, honest or not
            numbers = rng.choices((count, size, start, *NUMBERS, 2**63, 2**64 - 1), k=4)
            wide = struct.pack(
                "<IQHHIIQQQQ",
                0x06064B50,
                44,
                45,
                45,
                0,
                0,
                *(numbers if rng.random() < 0.6 else (count, count, size, start)),
            )
            wide += struct.pack(
                "<IIQI",
                0x07064B50,
                rng.choice((0, 0, 1)),
                rng.choice((start + size, start + size, 0, 2**64 - 1)),
                rng.choice((1, 1, 2)),
            )
            count, size, start = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
        elif how == 5:
            directory += rng.choice((bytes(directory) * 3, rng.randbytes(46), b"PK\x01\x02"))
            size = len(directory)
        elif how == 6 and directory:
            directory = bytearray(_flipped(bytes(directory), rng))
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count & 0xFFFF, count & 0xFFFF, size, start, len(comment))
    return bytes(out + directory + wide + end + comment)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(rng.randrange(1, 4) if flipped else 0):
        at = rng.randrange(len(flipped))
        flipped[at] = rng.choice((rng.randrange(256), flipped[at] ^ 1 << rng.randrange(8)))
    return bytes(flipped)


def _cut(archive: bytes, rng: random.Random) -> bytes:
    """Now and then flip bytes anywhere, cut, double, or splice."""
    how = rng.random()
    if how > 0.1 or not archive:
        return archive
    if how < 0.04:
        return _flipped(archive, rng)
    start, end = sorted((rng.randrange(len(archive)), rng.randrange(len(archive))))
    return rng.choice((archive[:end], archive[start:], archive[:start] + archive[end:], archive + archive))


# --- tar --------------------------------------------------------------------------------------

KINDS = (
    b"0",
    b"\0",
    b"7",
    b"1",
    b"2",
    b"3",
    b"4",
    b"5",
    b"6",
    b"S",
    b"L",
    b"K",
    b"x",
    b"g",
    b"X",
    b"A",
    b"D",
    b"M",
    b"N",
    b"V",
    b"\xff",
)


def _tarball(rng: random.Random) -> bytes:
    wrap = rng.choice(("", "", "", "hw/", "./", "ada-hw1/", "a/b/"))
    blocks = []
    if rng.random() < 0.15:
        blocks.append(_pax(rng, b"g"))
    parts = [(wrap + "cells.py", rng.choice(SOURCES))] if rng.random() < 0.8 else []
    parts += [(wrap + _name(rng), _content(rng)) for _ in range(rng.choice((0, 1, 2, 4)))]
    if rng.random() < RARE:
        parts += [(f"{wrap}f{i}.txt", b"") for i in range(rng.choice((1_990, 2_001)))]
    rng.shuffle(parts)
    lying = rng.randrange(len(parts)) if parts and rng.random() < 0.6 else -1
    for number, (name, content) in enumerate(parts):
        if number == lying:
            blocks += _lying_member(name, content, rng)
        else:
            blocks.append(_entry(name.encode("utf-8", "surrogatepass"), content))
    tar = b"".join(blocks) + b"\0" * rng.choice((1024, 1024, 10_240, 512, 0, 700))
    if rng.random() < 0.05:
        tar = _flipped(tar, rng)
    how = rng.random()
    if how < 0.02:
        return rng.choice((tar, bz2.compress(tar), lzma.compress(tar), _build_zip([Member("cells.py", CELLS)], rng)))
    if how < 0.05:
        middle = len(tar) // 2
        return gzip.compress(tar[:middle], 1) + gzip.compress(tar[middle:], 1)
    packed = gzip.compress(tar, rng.choice((0, 1, 6)), mtime=0)
    if how < 0.08:  # flags of the outer header that announce more fields
        packed = packed[:3] + bytes([rng.choice((2, 4, 8, 16, 31, 0xE0))]) + packed[4:]
    elif how < 0.1:
        packed += rng.choice((b"\0" * 600, b"junk", packed))
    return _cut(packed, rng)


def _entry(name: bytes, content: bytes, kind: bytes = b"0", **lies: Any) -> bytes:
    """A header and its content; `lies` replace fields of the header by raw bytes."""
    numbers = {"mode": b"0000644\0", "uid": b"0000000\0", "gid": b"0000000\0", "size": b"%011o\0" % len(content)}
    texts = {"mtime": b"0" * 11 + b"\0", "checksum": b" " * 8, "kind": kind, "link": b"", "magic": b"ustar\x0000"}
    fields: dict[str, bytes] = {"name": name[:100], **numbers, **texts, "rest": b""}
    fields.update({key: value for key, value in lies.items() if key != "sum_"})
    widths = {
        "name": 100,
        "mode": 8,
        "uid": 8,
        "gid": 8,
        "size": 12,
        "mtime": 12,
        "checksum": 8,
        "kind": 1,
        "link": 100,
        "magic": 8,
        "rest": 247,
    }
    header = bytearray(b"".join(fields[key][:width].ljust(width, b"\0") for key, width in widths.items()))
    header[148:156] = lies.get("sum_") or b"%06o\0 " % sum(header)
    return bytes(header) + content + b"\0" * (-len(content) % 512)


def _lying_member(name: str, content: bytes, rng: random.Random) -> list[bytes]:
    raw = name.encode("utf-8", "surrogatepass")
    how = rng.randrange(10)
    if how == 0:
        return [
            _entry(raw, content, rng.choice(KINDS), link=rng.choice((b"/etc/passwd", b"cells.py", b"../x", raw[:100])))
        ]
    if how == 1:
        sizes = (
            b"77777777777\0",
            b"-0000000001\0",
            b"\x80" + b"\0" * 10 + b"\x09",
            b"\xff" * 12,
            b"\x80" + b"\xff" * 11,
            b"zzz",
            b"",
            b"00000000000\0",
            b"\x80\0\0\0\x7f" + b"\xff" * 7,
        )
        return [_entry(raw, content, rng.choice((b"0", b"0", b"L", b"x", b"S")), size=rng.choice(sizes))]
    if how == 2:
        long = rng.choice(
            (raw + b"\0", b"x" * 60_000, b"a/" * 5_000 + b"\0", b"", b"\xff\xfe.py\0", b"../" * 50 + b"up.py\0")
        )
        return [_entry(b"././@LongLink", long, rng.choice((b"L", b"K"))), _entry(raw, content)]
    if how in (3, 4, 5):
        return [
            _pax(rng, rng.choice((b"x", b"x", b"g", b"X"))),
            _entry(raw, content, rng.choice((b"0", b"0", b"S", b"2"))),
        ]
    if how == 6:  # an old GNU sparse member: offsets and lengths in the header, and maybe more of them behind
        numbers = (b"%011o\0" % 0, b"%011o\0" % 512, b"%011o\0" % 100_000, b"77777777777\0", b"\xff" * 12, b"garbage")
        pairs = b"".join(rng.choice(numbers).ljust(12, b"\0") for _ in range(8))
        rest = b"\0" * 41 + pairs + bytes([rng.choice((0, 0, 1))]) + rng.choice(numbers)
        return [_entry(raw, content, b"S", rest=rest, magic=b"ustar  \0")]
    if how == 7:
        return [_pax(rng, b"x") for _ in range(rng.choice((2, 20, 1_500 if rng.random() < 0.05 else 3)))] + [
            _entry(raw, content)
        ]
    if how == 8:
        return [_entry(raw, content, sum_=rng.choice((b"000000\0 ", b"garbage!", b"\xff" * 8, b"-00001\0 ")))]
    return [
        _entry(
            raw,
            content,
            mtime=rng.choice((b"\xff" * 12, b"garbage")),
            uid=b"\x80\xff\xff\xff\xff\xff\xff\xff",
            magic=rng.choice((b"ustar  \0", b"\0" * 8, b"ustar\x0099")),
        )
    ]


def _pax(rng: random.Random, kind: bytes) -> bytes:
    """An extended header of one to four records, some of them no records."""
    names = (
        b"path",
        b"linkpath",
        b"size",
        b"mtime",
        b"uid",
        b"hdrcharset",
        b"comment",
        b"GNU.sparse.map",
        b"GNU.sparse.major",
        b"GNU.sparse.minor",
        b"GNU.sparse.size",
        b"GNU.sparse.realsize",
        b"GNU.sparse.name",
        b"GNU.sparse.numblocks",
        b"GNU.sparse.offset",
        b"GNU.sparse.numbytes",
    )
    values = (
        b"cells.py",
        b"../up.py",
        b"/abs.py",
        b"0",
        b"1",
        b"99999999999999",
        b"-1",
        b"nan",
        b"1e999",
        b"BINARY",
        b"0,10,20,5",
        b"0,",
        b"\xff\xfe",
        b"x" * 3_000,
        b"1" * 1_500,
        b"a\nb",
        b"",
        b"\xed\xa0\x80",
    )
    out = b""
    for _ in range(rng.choice((1, 1, 2, 4))):
        record = b" " + rng.choice(names) + b"=" + rng.choice(values) + b"\n"
        length = len(record) + 1
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        said = str(length).encode()
        if rng.random() < 0.15:
            said = rng.choice((b"0", b"1", b"-5", b"99999", b"1" * 400, b"9" * 5_000, b"x", b""))
        out += said + record
    if rng.random() < 0.1:
        out = _flipped(out, rng)
    return _entry(b"PaxHeaders/x", out, kind)
