"""HL7 v2 text to segments and back, acknowledgements, MLLP framing and batch files.

Bytes come in through `Framer` or `split_batch`, and `read` makes a `Message` of them that decodes a field when it is
asked for. `acknowledge` and `write` make bytes. Nothing here does I/O. What comes in raises nothing but
`kernel.errors.Unreadable`, whose texts say where and never what.
"""

from hl7v2.acknowledge import Ack, AckError, AckPlan, ack_plan, acknowledge, parse_ack
from hl7v2.batch import BatchFile, BatchFinding, split_batch
from hl7v2.delimiters import DEFAULT, Delimiters
from hl7v2.escapes import escape, unescape
from hl7v2.fields import Field
from hl7v2.message import Group, Message, MessageType, Party, Segment
from hl7v2.mllp import Fault, Frame, Framer, frame
from hl7v2.path import Path, compile_path
from hl7v2.read import read
from hl7v2.timestamps import Timestamp, format_timestamp, parse_timestamp
from hl7v2.tree import NULL, Null, Repeated, repeat
from hl7v2.write import write

__all__ = [
    "DEFAULT",
    "NULL",
    "Ack",
    "AckError",
    "AckPlan",
    "BatchFile",
    "BatchFinding",
    "Delimiters",
    "Fault",
    "Field",
    "Frame",
    "Framer",
    "Group",
    "Message",
    "MessageType",
    "Null",
    "Party",
    "Path",
    "Repeated",
    "Segment",
    "Timestamp",
    "ack_plan",
    "acknowledge",
    "compile_path",
    "escape",
    "format_timestamp",
    "frame",
    "parse_ack",
    "parse_timestamp",
    "read",
    "repeat",
    "split_batch",
    "unescape",
    "write",
]
