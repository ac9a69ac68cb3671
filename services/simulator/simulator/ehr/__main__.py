"""`python -m simulator.ehr --seed 7 --count 5 --out DIR`: writes a file per bundle, and outcomes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from simulator.ehr import stories


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator.ehr", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    return parser.parse_args()


def main() -> None:
    """Write `NNNNN-<kind>-<k>.json` for each bundle and a line per story in `stories.jsonl`."""
    options = _arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "stories.jsonl").open("w", encoding="utf-8") as index:
        for number, story in enumerate(stories(options.seed, options.count, options.today)):
            files = [f"{number:05d}-{story.kind}-{k}.json" for k in range(len(story.bundles))]
            for name, content in zip(files, story.bundles, strict=True):
                (options.out / name).write_bytes(content)
            row = asdict(story) | {"bundles": files}
            index.write(json.dumps(row, sort_keys=True) + "\n")


main()
