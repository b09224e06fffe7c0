"""Gradescope's "Download Submissions": `submission_86175589/` folders and `submission_metadata.yml` beside them.

The metadata is Ruby's YAML, its keys with a colon in front; its values are read as
texts, so no tag in it makes an object. Several submitters are a group: the grade is each one's. Lateness is not in it.
"""

from __future__ import annotations

from typing import Any

import yaml

from grader.downloads.arrival import Arrival, DownloadError, Part, Student, moment
from grader.downloads.box import Box

METADATA = "submission_metadata.yml"
METADATA_LIMIT = 512 * 2**20  # it holds every student's every earlier output
GROUP_LIMIT = 50
DEPTH_LIMIT = 60
PASSED_OVER = (":results", ":history")  # outputs of every run, which may be large


def is_one(box: Box) -> bool:
    """Whether the metadata lies there."""
    return METADATA in box.files


def arrivals(box: Box) -> tuple[list[Arrival], list[str]]:
    """A submission for each that the metadata or a folder tells of. Raises DownloadError."""
    if METADATA not in box.files:
        raise DownloadError(f"{box.path} has no {METADATA}. Use Gradescope's Download Submissions.")
    table = _metadata(box.read(METADATA, METADATA_LIMIT))
    tops = set(box.folders) | set(box.files)
    found = []
    for key, told in table.items():
        if not isinstance(told, dict):
            raise DownloadError(f"{METADATA} is not as Gradescope writes it, at {key[:80]!r}. Download it again.")
        found.append(_arrival(key, told, key in tops))
    for top in box.folders:
        if top not in table:
            arrival = Arrival(top, [Student()], [Part(top)])
            arrival.notes.append("Gradescope's metadata doesn't say whose it is")
            found.append(arrival)
    return found, [name for name in box.files if name != METADATA and name not in table]


def _arrival(key: str, told: dict[str, Any], there: bool) -> Arrival:
    students = []
    submitters = told.get(":submitters")
    for one in submitters[:GROUP_LIMIT] if isinstance(submitters, list) else []:
        if isinstance(one, dict):
            name, sid, email = (_text(one.get(field)) for field in (":name", ":sid", ":email"))
            students.append(Student(name=name, sid=sid, email=email))
    number = key.removeprefix("submission_")
    label = f"{' and '.join(student.name or student.email for student in students)}_{number}" if students else key
    arrival = Arrival(label, list(dict.fromkeys(students)) or [Student()], at=moment(_text(told.get(":created_at"))))
    if there:
        arrival.parts.append(Part(key))
    else:
        arrival.notes.append("Gradescope lists this submission and has no files of it")
    return arrival


def _text(value: Any) -> str:
    return value.strip()[:300] if isinstance(value, str) and value not in ("null", "~") else ""


def _metadata(content: bytes) -> dict[str, Any]:
    """The metadata as tables, lists and texts. Raises DownloadError.

    Built from the parser's events: PyYAML's own way from them to objects recurses, in C, until it crashes.
    """
    root: list[Any] = []
    stack: list[tuple[Any, list[str]]] = [(root, [])]  # what is being filled, and the key that waits for its value
    anchors: dict[str, Any] = {}
    try:
        for event in yaml.parse(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            elif isinstance(event, yaml.ScalarEvent):
                value = event.value
            elif isinstance(event, yaml.AliasEvent):
                value = anchors[event.anchor]
            else:
                if isinstance(event, yaml.CollectionEndEvent):
                    stack.pop()
                continue
            if event.anchor and not isinstance(event, yaml.AliasEvent):
                anchors[event.anchor] = value
            _add(value, *stack[-1])
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append((value, []))
                if len(stack) > DEPTH_LIMIT:
                    raise ValueError("it is nested too deeply")
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, KeyError) as problem:
        line = str(problem).partition("\n")[0]
        raise DownloadError(f"{METADATA} is no YAML ({line}). Download it again.") from None
    if len(root) != 1 or not isinstance(root[0], dict):
        raise DownloadError(f"{METADATA} is not as Gradescope writes it. Download it again.")
    return root[0]


def _add(value: Any, container: Any, waiting: list[str]) -> None:
    """Put a value where it belongs: at the end of a list, or under the key that came before it."""
    if isinstance(container, list):
        container.append(value)
    elif not waiting:
        waiting.append(value if isinstance(value, str) else "")
    elif (key := waiting.pop()) not in PASSED_OVER:
        container[key] = value
