"""What a learning platform hands out of a class, told as who handed in what, when, and whether late.

A module for each platform reads the names in its download (`canvas`, `moodle`, `gradescope`, `clones`,
`plain`) and nothing else; `box` opens folder and zip alike, `roster` reads a list of the class, `layout`
puts a student's files where they can be graded. Whose grade goes where is `grader.export`'s affair.
"""

from grader.downloads.arrival import Arrival, DownloadError, Part, Student, moment
from grader.downloads.read import FORMS, Class, Entry, collect

__all__ = ["FORMS", "Arrival", "Class", "DownloadError", "Entry", "Part", "Student", "collect", "moment"]
