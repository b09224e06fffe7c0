"""What runs in the student's process. It is staged into the sandbox file by file and holds no secret.

Nothing in this folder may import anything of `grader` but `grader.wire` and this folder.
"""
