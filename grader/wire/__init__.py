"""What crosses between the trusted process and the student's: frames of plain data, never objects.

A frame is a length-prefixed JSON header and a safetensors body. Nothing here runs code that the
other side chose; nothing here knows what a test is. `values`, which needs torch, is imported by
name where it is needed, so that a sandbox can be started before torch is loaded here.
"""

from grader.wire.frames import FRAME_LIMIT, WireError, read_frame, receive_exactly, write_frame

__all__ = ["FRAME_LIMIT", "WireError", "read_frame", "receive_exactly", "write_frame"]
