"""JUnit XML as GitLab and most CI systems read it.

A suite is an assignment of a submission; every test case's class name holds the submission's, for GitLab
keeps the first of two cases with one name only. What failed stands in the element's text, which all
readers show; points stand in properties.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from grader.export.escape import xml_text
from grader.messages import gist


def report(documents: Sequence[dict[str, Any]]) -> str:
    """One file for any number of submissions. `error` stands for whatever is no plain wrong answer."""
    root = ET.Element("testsuites")
    for document in documents:
        for row in document["assignments"]:
            root.append(_suite(document["submission"], row))
    _count(root, list(root.iter("testcase")))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(submission: str, row: dict[str, Any]) -> ET.Element:
    suite = ET.Element("testsuite", name=xml_text(f"{submission}: {row['name']}"))
    _properties(suite, {"score": row["score"], "max_score": row["max_score"], "bonus": row.get("bonus", 0.0)})
    for test in row["tests"]:
        seconds = float((test.get("timing") or {}).get("duration_s", 0.0))
        case = ET.SubElement(
            suite,
            "testcase",
            classname=xml_text(f"{submission}.{row['name']}"),
            name=xml_text(test["name"]),
            time=f"{seconds:.3f}",
        )
        points = {"score": test["score"], "max_score": test["max_score"], "visibility": test["visibility"]}
        _properties(case, points)
        if test["status"] != "passed":
            kind = "failure" if test["status"] == "failed" else "error"
            failed = ET.SubElement(
                case, kind, type=test["status"], message=xml_text(gist(test["message"]).partition("\n")[0])
            )
            failed.text = xml_text(test["message"])
    _count(suite, suite.findall("testcase"))
    return suite


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", str(sum(case.find("error") is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _properties(element: ET.Element, values: dict[str, Any]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=str(value))
