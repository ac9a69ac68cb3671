"""Speed of libs/hl7v2 beside its peers, on the same generated messages in one run.

Each measurement is a process of its own: CPU seconds of several runs over messages that lie in memory as bytes. "take"
is read and the twelve fields that an interface engine asks of that type of message; all libraries must give the same
text, and a line ends with its number of characters in the messages that all of them get. Peers are no dependencies: pip
installs them into an environment in a temporary folder, and one that does not install is left out and named.
Options: `--runs N`, `--messages N`, `--limit SECONDS` for one measurement.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

MARK = "mark: 20 times python-hl7"
_LEAST = 50
PEERS = {"hl7": ("hl7", 5), "hl7apy": ("hl7apy", _LEAST)}  # module -> (package, how much less of the messages it gets)

Place = tuple[str, int, int, int, int]  # segment, field, repetition, component, subcomponent, from 1
PLACES: dict[str, list[Place]] = {
    "ADT^A08": [
        ("MSH", 7, 1, 1, 1), ("MSH", 9, 1, 2, 1), ("MSH", 10, 1, 1, 1), ("PID", 3, 1, 1, 1), ("PID", 3, 2, 1, 1),
        ("PID", 5, 1, 1, 1), ("PID", 5, 1, 2, 1), ("PID", 7, 1, 1, 1), ("PID", 11, 1, 5, 1), ("PV1", 2, 1, 1, 1),
        ("PV1", 7, 1, 1, 1), ("IN1", 36, 1, 1, 1),
    ],
    "DFT^P03": [
        ("MSH", 10, 1, 1, 1), ("PID", 3, 1, 1, 1), ("PID", 18, 1, 1, 1), ("PV1", 19, 1, 1, 1), ("FT1", 4, 1, 1, 1),
        ("FT1", 6, 1, 1, 1), ("FT1", 7, 1, 1, 1), ("FT1", 10, 1, 1, 1), ("FT1", 11, 1, 1, 1), ("FT1", 19, 2, 1, 1),
        ("FT1", 20, 1, 1, 1), ("FT1", 25, 1, 1, 1),
    ],
    "ORU^R01": [
        ("MSH", 10, 1, 1, 1), ("PID", 3, 1, 1, 1), ("PID", 5, 1, 1, 1), ("ORC", 2, 1, 1, 1), ("OBR", 3, 1, 1, 1),
        ("OBR", 4, 1, 1, 1), ("OBR", 7, 1, 1, 1), ("OBR", 16, 1, 2, 1), ("OBX", 3, 1, 1, 1), ("OBX", 5, 1, 1, 1),
        ("OBX", 6, 1, 1, 1), ("OBX", 11, 1, 1, 1),
    ],
}  # fmt: skip


# ---- what is measured, each in a process of its own; every function takes the messages of one type ----


def _paths(places: Sequence[Place]) -> list[str]:
    return [f"{segment}-{field}({repetition}).{part}.{sub}" for segment, field, repetition, part, sub in places]


def own_take(messages: list[bytes], places: list[Place]) -> int:
    """Read, and twelve fields."""
    import hl7v2

    paths = _paths(places)
    said = 0
    for data in messages:
        message = hl7v2.read(data)
        for path in paths:
            said += len(message.get(path))
    return said


def own_read(messages: list[bytes], places: list[Place]) -> int:
    """Only read."""
    import hl7v2

    return sum(bool(hl7v2.read(data)) for data in messages)


def own_all(messages: list[bytes], places: list[Place]) -> int:
    """Read, and every value of every field decoded, which is what being lazy saves."""
    import hl7v2

    return sum(len(hl7v2.read(data).tree()) for data in messages)


def own_answer(messages: list[bytes], places: list[Place]) -> int:
    """Out of MLLP frames in reads of 1,448 bytes, read, twelve fields, the answer made and framed."""
    from datetime import UTC, datetime

    import hl7v2

    paths, now = _paths(places), datetime(2026, 2, 3, tzinfo=UTC)
    stream = b"".join(map(hl7v2.frame, messages))
    framer, said = hl7v2.Framer(), 0
    for at in range(0, len(stream), 1448):
        for item in framer.feed(stream[at : at + 1448]):
            message = hl7v2.read(getattr(item, "payload"))  # noqa: B009 - a fault would be wrong here
            said += sum(len(message.get(path)) for path in paths)
            hl7v2.frame(hl7v2.acknowledge(message, "AA", control_id="1", now=now))
    return said


def hl7(messages: list[bytes], places: list[Place]) -> int:
    """python-hl7: parse, and twelve fields."""
    import hl7 as peer

    said = 0
    for data in messages:
        message = peer.parse(data.decode())
        for segment, field, repetition, part, sub in places:
            said += len(message.extract_field(segment, 1, field, repetition, part, sub))
    return said


def hl7apy(messages: list[bytes], places: list[Place]) -> int:
    """hl7apy: parse without groups and validation, its faster way, and twelve fields."""
    from hl7apy.parser import parse_message

    said = 0
    for data in messages:
        message = parse_message(data.decode(), find_groups=False)
        for segment, field, repetition, part, _ in places:
            found = getattr(getattr(message, segment.lower())[0], f"{segment}_{field}".lower())
            if len(found) < repetition:
                continue
            value = found[repetition - 1]
            parts = value.children
            said += len((parts[part - 1] if len(parts) > 1 else value).to_er7())
    return said


WORKERS: dict[str, Callable[[list[bytes], list[Place]], int]] = {
    "hl7v2 take": own_take,
    "hl7v2 read": own_read,
    "hl7v2 every value": own_all,
    "hl7v2 MLLP to ACK": own_answer,
    "hl7": hl7,
    "hl7apy": hl7apy,
}


def work(name: str, path: str, runs: int) -> None:
    """The body of a measuring process."""
    kind, *texts = json.loads(Path(path).read_text())
    less = PEERS[name][1] if name in PEERS else 1
    messages = [text.encode() for text in texts][: max(len(texts) // less, 10)]
    same = messages[: max(len(texts) // _LEAST, 10)]  # what every library gets; imports and caches are not measured
    said = WORKERS[name](same, PLACES[kind])
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        WORKERS[name](messages, PLACES[kind])
        seconds.append(time.process_time() - started)
    print(json.dumps({"seconds": seconds, "messages": len(messages), "said": said}))


# ---- the messages ----

_LAST = ["ORCHARD", "MEADOW", "BROOK", "FIELD", "HARBOR", "RIDGE", "GROVE", "LAKE", "STONE", "WILLOW"]
_FIRST = ["ALMA", "FINN", "IRIS", "OTTO", "NELL", "HUGO", "VERA", "CARL", "RUTH", "EMIL"]
_VISITS = ("99203", "99213", "99214", "99215", "93000", "80053", "85025", "36415", "71046", "97110")
_DIAGNOSES = ("E11.9", "I10", "E78.5", "M54.5", "J06.9", "N39.0", "K21.9", "F32.9", "R07.9", "Z00.00")
_TESTS = ("2345-7", "2160-0", "3094-0", "2951-2", "2823-3", "2075-0", "2028-9", "17861-6", "2885-2", "1751-7")


def _common(rng: random.Random, number: int, kind: str) -> list[str]:
    last, first = rng.choice(_LAST), rng.choice(_FIRST)
    doctor = f"1{rng.randint(0, 999999999):09d}^{rng.choice(_LAST)}^{rng.choice(_FIRST)}^^^DR^MD^^NPI"
    moment = f"202601{rng.randint(1, 28):02d}{rng.randint(8, 17):02d}{rng.randint(0, 59):02d}00"
    structure = "ADT_A01" if kind == "ADT^A08" else kind.replace("^", "_")
    phone, home = "^PRN^PH^^^217^5550100", f"{number} ELM ST^APT {number % 9}^SPRINGFIELD^IL^62701^USA^H"
    return [
        rf"MSH|^~\&|EHR|CLINIC^1.2.3^ISO|LINE|BILLING|{moment}-0600||{kind}^{structure}|M{number:08d}|P|2.5.1|||AL|NE",
        f"PID|1||{100000 + number}^^^CLINIC^MR~{number:09d}^^^SSA^SS||{last}^{first}^Q||19{rng.randint(30, 99)}0214|F||"
        f"2106-3^WHITE|{home}||{phone}|||M|CHR|A{number}",
        f"PV1|1|O|ROOM^{number % 30}^1^CLINIC||||{doctor}|{doctor}|{doctor}|MED||||1|||{doctor}|OP|V{number}"
        f"{'|' * 24}CLINIC|||||{moment}",
    ]  # fmt: skip


def make_adt(rng: random.Random, number: int) -> list[str]:
    """An update with next of kin, guarantor and two insurances."""
    header, pid, visit = _common(rng, number, "ADT^A08")
    who = f"{rng.choice(_LAST)}^{rng.choice(_FIRST)}"
    home = f"{number} ELM ST^^SPRINGFIELD^IL^62701"
    insured = f"{who}|18|19620320|{home}{'|' * 17}M{number:09d}"
    return [
        header, "EVN|A08|20260102030405", pid, f"NK1|1|{who}|SPO^SPOUSE|{home}|2175550101", visit,
        f"DG1|1||{rng.choice(_DIAGNOSES)}^^I10|||W", f"GT1|1||{who}||{home}|2175550101|||F|P|SE",
        f"IN1|1|PLAN1|PAYER01|FIRST PAYER|||5550100|GRP{number % 50}|||||||HMO|{insured}",
        f"IN1|2|PLAN2|PAYER02|SECOND PAYER|||5550100|GRP{number % 50}|||||||PPO|{insured}",
    ]  # fmt: skip


def make_dft(rng: random.Random, number: int) -> list[str]:
    """Five charges with procedures, two diagnoses, an insurance."""
    header, pid, visit = _common(rng, number, "DFT^P03")
    made = [header, "EVN|P03|20260102030405", pid, visit]
    for at in range(1, 6):
        code = rng.choice(_VISITS)
        two = "~".join(f"{diagnosis}^^I10" for diagnosis in rng.sample(_DIAGNOSES, 2))
        price, doctor = f"{rng.randint(1, 3)}|{rng.randint(20, 400)}.00", f"1234567893^{rng.choice(_LAST)}^A^^^DR^^^NPI"
        made.append(
            f"FT1|{at}|{number}-{at}||20260102|20260103|CG|{code}^VISIT^CPT|||{price}||CARDIO|||CLINIC^1^1|||"
            f"{two}|{doctor}|||O{number}||{code}^VISIT^CPT|25~59"
        )
        made.append(f"PR1|1||{code}^VISIT^CPT||20260102")
    made += [f"DG1|{at}||{rng.choice(_DIAGNOSES)}^^I10|||F" for at in (1, 2)]
    return [*made, f"IN1|1|PLAN1|PAYER01|FIRST PAYER|||5550100|GRP{number % 50}"]


def make_oru(rng: random.Random, number: int) -> list[str]:
    """One order with twenty results, some with a note."""
    header, pid, visit = _common(rng, number, "ORU^R01")
    made = [header, pid, visit, f"ORC|RE|O{number}^EHR|L{number}^LAB||CM", (
        f"OBR|1|O{number}^EHR|L{number}^LAB|24323-8^PANEL^LN|||20260102080000|||||||||1234567893^{rng.choice(_LAST)}^A||||||20260102"
        "|||F"
    )]  # fmt: skip
    for at in range(1, 21):
        value = f"{rng.randint(1, 300)}.{rng.randint(0, 9)}"
        made.append(
            f"OBX|{at}|NM|{rng.choice(_TESTS)}^RESULT^LN||{value}|mg/dL^mg/dL^UCUM|1-300|N|||F|||20260102080000"
        )
        if at % 7 == 0:
            made.append(r"NTE|1||seen by A \T\ B, repeat in a month")
    return made


MAKERS = {"ADT^A08": make_adt, "DFT^P03": make_dft, "ORU^R01": make_oru}


# ---- the run ----


def install_peers(folder: Path) -> tuple[Path, list[str]]:
    """An environment with the peers that install; those that do not are said."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    there = []
    for peer, (package, _) in PEERS.items():
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode == 0:
            there.append(peer)
        else:
            print(f"{package} does not install here and is left out")
    return python, there


def measure(python: Path, name: str, path: Path, options: argparse.Namespace) -> dict[str, object] | None:
    """One measuring process; None when it fails or takes too long."""
    command = [str(python), str(Path(__file__).resolve()), "--worker", name, str(path), "--runs", str(options.runs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=options.limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def report(python: Path, name: str, path: Path, options: argparse.Namespace) -> float:
    """Measure and print one line; the messages a second at best, 0 when there is none."""
    result = measure(python, name, path, options)
    if result is None:
        print(f"  {name:<18} failed, or took more than {options.limit:.0f} s")
        return 0.0
    seconds, count, said = result["seconds"], result["messages"], result["said"]
    middle, best = statistics.median(seconds), min(seconds)  # type: ignore[arg-type, call-overload]
    print(
        f"  {name:<18} {count / best:>10,.0f} messages/s at best, {count / middle:>10,.0f} in the middle of "  # type: ignore[operator]
        f"{len(seconds)} runs of {count}; says {said}"  # type: ignore[arg-type]
    )
    return count / best  # type: ignore[operator, no-any-return]


def main() -> None:
    """Make the messages, install the peers, measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--limit", type=float, default=600.0)
    parser.add_argument("--worker", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], options.worker[1], options.runs)
        return
    print(f"Python {platform.python_version()}, {platform.machine()}; CPU seconds of one core; {MARK}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers, there = install_peers(folder / "peers")
        for kind, maker in MAKERS.items():
            rng = random.Random(2)
            texts = ["\r".join(maker(rng, number)) + "\r" for number in range(options.messages)]
            path = folder / "messages.json"
            path.write_text(json.dumps([kind, *texts]))
            print(f"{kind}, {sum(map(len, texts)) / len(texts):,.0f} bytes each")
            speeds = {own: report(Path(sys.executable), own, path, options) for own in WORKERS if own not in PEERS}
            for peer in there:
                if speed := report(peers, peer, path, options):
                    print(f"  {'':<18} hl7v2 take is {speeds['hl7v2 take'] / speed:,.0f} times {peer}")


if __name__ == "__main__":
    main()
