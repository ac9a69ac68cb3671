"""Messages made up for these tests."""

from __future__ import annotations


def lines(*segments: str, end: str = "\r") -> bytes:
    """A message of these lines."""
    return "".join(segment + end for segment in segments).encode()


MSH = r"MSH|^~\&|EHR|CLINIC^1.2.3^ISO|LINE|BILLING|20260102030405-0600||ADT^A08^ADT_A01|MSG-1|P|2.5.1"
PID = (
    "PID|1||100001^^^CLINIC&1.2.3&ISO^MR~999^^^SSA^SS||ORCHARD^ALMA^Q~MEADOW^ALMA||19620320|F|||"
    '1 ELM ST^""^SPRINGFIELD^IL^62701|""|555-0100'
)
ADT = lines(MSH, "EVN|A08|20260102030405", PID, "PV1|1|O|ROOM^1", "ZPV|own|kept^as~it&is", "DG1|1||I10", "DG1|2||E11.9")

DFT = lines(
    r"MSH|^~\&|EHR|CLINIC|LINE|BILLING|20260102||DFT^P03^DFT_P03|MSG-2|P|2.5.1",
    "PID|1||100001",
    "FT1|1|||20260102||CG|99213|||1||100.00||||||||||||99213",
    "NTE|1||first",
    "PR1|1||99213",
    "FT1|2|||20260102||CG|85025|||1||20.50",
    "PR1|1||85025",
    "PR1|2||36415",
    "DG1|1||I10",
    "IN1|1|PLAN|PAYER01",
)
