"""How much is read, at most, of what was handed in (contract §5), and how much is said about it."""

from __future__ import annotations

PACKED_LIMIT = 64 * 2**20
UNPACKED_LIMIT = 256 * 2**20
HEADERS_LIMIT = 16 * 2**20  # of a tarball, beside its contents
MEMBER_LIMIT = 2000
NOTEBOOK_LIMIT = 32 * 2**20
MODULE_LIMIT = 2**20
KEPT_LIMIT = 24 * 2**20
NAMES_LIMIT = 2**19
DEPTH_LIMIT = 16
NAME_LIMIT = 200
PART_LIMIT = 255  # bytes: what a file system takes

# of a notebook
CELL_LIMIT = 2**20
CELLS_CODE_LIMIT = 4 * 2**20  # of all its code cells together
STATEMENTS_LIMIT = 10_000

# of the summary
NOTES_LIMIT = 50
FINDINGS_LIMIT = 20
CODE_LIMIT = 200  # characters of a line that is quoted
