"""What crosses between the trusted process and the student's: frames of plain data, never objects.

A frame is a length-prefixed JSON header and a safetensors body. Nothing here runs code that the
other side chose; nothing here knows what a test is.
"""

from grader.wire.frames import FRAME_LIMIT, WireError, read_frame, receive_exactly, write_frame
from grader.wire.values import Opaque, decode, encode

__all__ = ["FRAME_LIMIT", "Opaque", "WireError", "decode", "encode", "read_frame", "receive_exactly", "write_frame"]
