"""What reads untrusted bytes, in a limited child process: uploads, notebooks, source. It runs no student's code.

The child sees this folder and the standard library, and for a notebook nbformat: hence the relative imports,
and nothing here needs torch or another part of the grader.
"""
