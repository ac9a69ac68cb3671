"""Speed and memory of libs/x12 beside its peers, on the same generated files in one run.

Each measurement is a process of its own: median of the CPU seconds of several runs, and the peak of its memory.
Peers are no dependencies: they are installed by pip into an environment in a temporary folder, and one that does not
install is left out and named. A line ends with what the worker says: segments, findings, breaks, claims or rows.
Options: `--runs N`, `--sizes 1000,50000`, `--limit SECONDS` for one measurement.
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
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

# this file is called like the library that it measures
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent]

PEERS = {"pyx12": ("837P", "835"), "edi-835-parser": ("835",), "oxedi": ("835",)}
MARKS = {"837P": "mark: 5,000 claims/s", "835": "mark: 10 MB/s"}
_CHUNK = 1 << 18


# ---- what is measured, each in a process of its own ----


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def read_only(path: str) -> int:
    """Segments, nothing else."""
    import x12

    return sum(len(batch) for batch, _ in x12.batches(_chunks(path)))


def read_check(path: str) -> int:
    """Read and checked at SNIP 1 to 5, an 835 balanced too: the number of findings."""
    import x12

    return sum(1 for _ in x12.check_stream(_chunks(path)))


def read_balance(path: str) -> int:
    """Read and balanced: the number of sums that fail."""
    import x12

    return sum(len(item.report.breaks) for item in x12.balance_stream(_chunks(path)))


def views(path: str) -> int:
    """Read into the typed views: the number of claims."""
    import x12
    from x12.views.claim import read_837p
    from x12.views.remittance import read_835

    sets = x12.transaction_sets(_chunks(path))
    return sum(len(read_837p(item)) if item.code == "837" else len(read_835(item).claims) for item in sets)


def pyx12(path: str) -> int:
    """Validated against its maps: 0 when valid."""
    import io
    import logging

    from pyx12 import params, x12n_document

    logging.disable(logging.CRITICAL)
    return 0 if x12n_document.x12n_document(params.params(), path, io.StringIO(), None) else 1


def edi_835_parser(path: str) -> int:
    """Parsed and made a table."""
    import edi_835_parser

    return len(edi_835_parser.parse(path, debug=True).to_dataframe())


def oxedi(path: str) -> int:
    """Parsed, checked and made tables: the number of findings."""
    import oxedi

    return len(oxedi.parse_file(path).diagnostics)


WORKERS: dict[str, Callable[[str], int]] = {
    "x12 read": read_only,
    "x12 read+check": read_check,
    "x12 read+balance": read_balance,
    "x12 views": views,
    "pyx12": pyx12,
    "edi-835-parser": edi_835_parser,
    "oxedi": oxedi,
}


def work(name: str, path: str, runs: int) -> None:
    """The body of a measuring process."""
    seconds = []
    said = 0
    for _ in range(runs):
        started = time.process_time()
        said = WORKERS[name](path)
        seconds.append(time.process_time() - started)
    # not getrusage: that begins with the size of the parent
    status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines() if ":" in row)
    peak = int(status["VmHWM"].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "said": said}))


# ---- the files ----

_LAST = ["ORCHARD", "MEADOW", "BROOK", "FIELD", "HARBOR", "RIDGE", "GROVE", "LAKE", "STONE", "WILLOW"]
_FIRST = ["ALMA", "FINN", "IRIS", "OTTO", "NELL", "HUGO", "VERA", "CARL", "RUTH", "EMIL"]
_VISITS = ("99203", "99213", "99214", "99215", "93000", "80053", "85025", "36415", "71046", "97110", "20610", "11721")
_DIAGNOSES = ("E119", "I10", "E785", "M545", "J069", "N390", "K219", "F329", "R079", "Z0000", "M25561", "G43909")
_DAY = date(2026, 1, 2)


def _npi(rng: random.Random) -> str:
    digits = "1" + "".join(rng.choices("0123456789", k=8))
    doubled = (str(int(digit) * 2) if at % 2 == 0 else digit for at, digit in enumerate(digits))
    total = 24 + sum(int(digit) for text in doubled for digit in text)
    return digits + str(-total % 10)


def make_837p(claims: int) -> str:
    """Made-up professional claims in one transaction set: one to four lines, now and then a dependent or a referral."""
    from x12 import Envelope
    from x12.views import claim as view
    from x12.views.parties import Address, Contact, Diagnosis, Member, Payer, Provider

    rng = random.Random(837)
    home = [Address(f"{rng.randint(1, 999)} ELM ST", "SPRINGFIELD", "IL", f"62701{rng.randint(1000, 9999)}")
            for _ in range(200)]  # fmt: skip
    doctors = [Provider(_npi(rng), rng.choice(_LAST), rng.choice(_FIRST), taxonomy="207Q00000X") for _ in range(40)]
    submitter = view.Submitter(id="SUB01", name="BILLING OFFICE", contact=Contact("DESK", "8005550100"))
    billing = view.BillingProvider(npi=_npi(rng), tax_id="123456789", name="ELM CLINIC", address=home[0])

    def person(number: int, related: str = "") -> Member:
        born = date(1940, 1, 1) + timedelta(days=rng.randint(0, 25_000))
        return Member(rng.choice(_LAST), rng.choice(_FIRST), "" if related else f"MEM{number:07d}", born,
                      rng.choice("FM"), address=rng.choice(home), relationship=related)  # fmt: skip

    def one(number: int) -> view.Claim837:
        day = _DAY + timedelta(days=rng.randint(0, 25))
        lines = tuple(
            view.ClaimLine(
                code=rng.choice(_VISITS), modifiers=("25",) if rng.random() < 0.2 else (), pointers=(1,),
                charge_cents=rng.randint(10, 400) * 100 + rng.choice((0, 50, 25)), units=str(rng.randint(1, 3)),
                date_from=day, line_control=f"{number}L{at}",
            )
            for at in range(1, rng.randint(2, 5))
        )  # fmt: skip
        codes = rng.sample(_DIAGNOSES, rng.randint(1, 4))
        return view.Claim837(
            control_number=f"C{number:09d}", total_cents=sum(line.charge_cents for line in lines),
            place_of_service=rng.choice(("11", "22", "02")), submitter=submitter,
            receiver=view.Receiver(id="REC01", name="CLEARING HOUSE"), billing=billing, subscriber=person(number),
            payer=Payer("PAYER01", "FIRST PAYER"), patient=person(number, "19") if rng.random() < 0.1 else None,
            coverage=view.Coverage(filing_indicator=rng.choice(("CI", "MB")), group_number=f"GRP{number % 50:03d}"),
            diagnoses=tuple(Diagnosis(code, "ABF" if at else "ABK") for at, code in enumerate(codes)), lines=lines,
            rendering=rng.choice(doctors), referring=rng.choice(doctors) if rng.random() < 0.2 else None,
            prior_authorization=f"AUTH{number:06d}" if rng.random() < 0.1 else "",
        )  # fmt: skip

    envelope = Envelope(sender_id="SENDER", receiver_id="RECEIVER", control_number=1,
                        created=datetime(2026, 2, 3, 4, 5, tzinfo=UTC))  # fmt: skip
    return view.build_837p([one(number) for number in range(claims)], envelope)


def make_835(claims: int) -> str:
    """Made-up payments in one transaction set: one to four lines, adjustments, a denial now and then."""
    from x12 import Envelope
    from x12.views import remittance as view
    from x12.views.parties import Address, Adjustment, Contact

    rng = random.Random(835)
    npi = _npi(rng)

    def line(number: int, at: int, day: date, denied: bool) -> view.LinePayment:
        charge = rng.randint(10, 400) * 100 + rng.choice((0, 50, 25))
        allowed = 0 if denied else charge * rng.randint(40, 90) // 100
        share = allowed // 5 if rng.random() < 0.5 else 0
        adjustments = [Adjustment("CO", "16" if denied else "45", charge - allowed)]
        adjustments += [Adjustment("PR", "2", share)] if share else []
        return view.LinePayment(
            code=rng.choice(_VISITS), modifiers=("25",) if rng.random() < 0.2 else (), charge_cents=charge,
            paid_cents=allowed - share, units=str(rng.randint(1, 3)), date_from=day, adjustments=tuple(adjustments),
            line_control=f"{number}L{at}", allowed_cents=allowed or None, remark_codes=("N290",) if denied else (),
        )  # fmt: skip

    def one(number: int) -> view.ClaimPayment:
        day = _DAY + timedelta(days=rng.randint(0, 25))
        denied = rng.random() < 0.08
        lines = tuple(line(number, at, day, denied) for at in range(1, rng.randint(2, 5)))
        patient = view.RemitPerson(last=rng.choice(_LAST), first=rng.choice(_FIRST), id=f"MEM{number:07d}",
                                   id_qualifier="MI")  # fmt: skip
        return view.ClaimPayment(
            control_number=f"C{number:09d}", status="1", charge_cents=sum(item.charge_cents for item in lines),
            paid_cents=sum(item.paid_cents for item in lines), payer_claim_number=f"2026{number:011d}",
            patient_responsibility_cents=sum(
                item.amount_cents for found in lines for item in found.adjustments if item.group == "PR"
            ),
            filing_indicator="12", place_of_service="11", frequency="1", patient=patient, lines=lines,
            rendering=view.RemitPerson(last=rng.choice(_LAST), first=rng.choice(_FIRST), id=npi, id_qualifier="XX"),
            received_date=day + timedelta(days=3),
        )  # fmt: skip

    found = tuple(one(number) for number in range(claims))
    remittance = view.Remittance(
        payer=view.RemitPayer(name="FIRST PAYER", address=Address("1 OAK ST", "PEORIA", "IL", "616020000"),
                              id="PAYER01", contact=Contact("EDI", "8005550102")),
        payee=view.RemitPayee(name="ELM CLINIC", npi=npi, tax_id="123456789"), claims=found,
        amount_cents=sum(item.paid_cents for item in found), payment_date=date(2026, 2, 3), trace_number="EFT0001",
        trace_origin="1512345678",
    )  # fmt: skip
    envelope = Envelope(sender_id="SENDER", receiver_id="RECEIVER", control_number=1,
                        created=datetime(2026, 2, 3, 4, 5, tzinfo=UTC))  # fmt: skip
    return view.build_835(remittance, envelope)


MAKERS: dict[str, Callable[[int], str]] = {"837P": make_837p, "835": make_835}


# ---- the run ----


def install_peers(folder: Path) -> tuple[Path, list[str]]:
    """An environment with the peers that install; those that do not are said."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    there = []
    for peer in PEERS:
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode == 0:
            there.append(peer)
        else:
            print(f"{peer} does not install here and is left out")
    return python, there


def measure(python: Path, name: str, path: Path, runs: int, limit: float) -> dict[str, object] | None:
    """One measuring process; None when it fails or takes too long."""
    command = [str(python), str(Path(__file__).resolve()), "--worker", name, str(path), "--runs", str(runs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def report(python: Path, name: str, path: Path, claims: int, options: argparse.Namespace) -> None:
    """Measure and print one line."""
    large = 3 if name.startswith("x12 ") else 1
    result = measure(python, name, path, options.runs if claims <= 5_000 else large, options.limit)
    if result is None:
        print(f"  {name:<18} failed, or took more than {options.limit:.0f} s")
        return
    seconds = result["seconds"]
    middle = statistics.median(seconds)  # type: ignore[arg-type]
    print(
        f"  {name:<18} {claims / middle:>10,.0f} claims/s {path.stat().st_size / 1e6 / middle:>8.2f} MB/s "
        f"{result['peak_mb']:>7.0f} MB peak   median {middle:.3f} s of {len(seconds)}, "  # type: ignore[arg-type]
        f"best {min(seconds):.3f} s; says {result['said']}"  # type: ignore[call-overload]
    )


def main() -> None:
    """Make the files, install the peers, measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sizes", default="1000,50000")
    parser.add_argument("--limit", type=float, default=600.0)
    parser.add_argument("--worker", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=3, metavar=("CODE", "FILE", "CLAIMS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        code, file, claims = options.make
        Path(file).write_text(MAKERS[code](int(claims)))
        return
    if options.worker:
        work(options.worker[0], options.worker[1], options.runs)
        return
    print(f"Python {platform.python_version()}, {platform.machine()}; CPU seconds of one core")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers, there = install_peers(folder / "peers")
        for size in map(int, options.sizes.split(",")):
            for code in MAKERS:
                path = folder / f"{code}-{size}.edi"
                subprocess.run(
                    [sys.executable, str(Path(__file__).resolve()), "--make", code, str(path), str(size)], check=True
                )
                print(f"{code}, {size:,} claims, {path.stat().st_size / 1e6:.1f} MB ({MARKS[code]} read and checked)")
                for own in ("x12 read", "x12 read+check", "x12 read+balance", "x12 views"):
                    if code == "835" or own != "x12 read+balance":
                        report(Path(sys.executable), own, path, size, options)
                for peer in there:
                    if code in PEERS[peer]:
                        report(peers, peer, path, size, options)


if __name__ == "__main__":
    main()
