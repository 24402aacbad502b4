"""What a slow reader of a long log costs the runner, and whether it gets all of it.

    python -m tests.bench.slow_reader [MB_A_SECOND]

On a lab machine of its own, which goes again: a job's container prints 120 MB, its limit is 100 MiB
(104857600 bytes), and one reader follows at MB_A_SECOND (default 1) through the runner's published
port, while guard and Docker bring the output faster. Compared is the memory of the runner's
container before with the most of it meanwhile: its control group's without inactive files. Each
byte is compared with what the job printed. Ends with 1 when the growth is not within what is
allowed, a byte is missing or another, or no marker says that there was more.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

from tests.bench import memory, reader
from tests.bench.there import begun, machine, pid, printed

LINE = b"0" * 199 + b"7\n"
LIMIT = 100 << 20
"""As tests/lab/runner_stand.sh has it of the job `floods`, which prints such lines."""
IDLE_SECONDS = 10
LOOK_SECONDS = 0.25
MOST_MB = 16


def expected() -> str:
    """Return the SHA-256 of what is kept of the job's output."""
    return hashlib.sha256((LINE * (LIMIT // len(LINE) + 1))[:LIMIT]).hexdigest()


def main(rate: float) -> None:
    """Print the figures."""
    with machine("bench-reader") as box:
        # What the runner loads for the first job and the first reader is not the long log's.
        printed(box, reader, "greets", 1e6)
        time.sleep(IDLE_SECONDS)
        looking = begun(box, memory, pid(box, "dkr-claw-runner"), LOOK_SECONDS)
        time.sleep(2 * LOOK_SECONDS)
        read = json.loads(printed(box, reader, "floods", rate * 1e6))
        looking.terminate()
        looked, _ = looking.communicate()
    figures = [[float(word) for word in line.split()] for line in looked.splitlines()]
    before, most = figures[0][0], max(total for total, _ in figures)
    own = max(anonymous for _, anonymous in figures) - figures[0][1]
    is_whole = (read["bytes"], read["sha256"]) == (LIMIT, expected())
    say = sys.stdout.write
    say(
        f"runner before: {before:.1f} MB, at most meanwhile: {most:.1f} MB, "
        f"grown by {most - before:.1f} MB ({MOST_MB} allowed), {own:.1f} of them anonymous pages\n"
    )
    say(
        f"output read: {read['bytes']} of {LIMIT} bytes, {'each' if is_whole else 'not each'} as "
        f"printed, in {read['seconds']:.0f} s, then: {', '.join(read['events'])}\n"
    )
    if most - before > MOST_MB or not is_whole or read["events"] != ["truncated", "end"]:
        sys.exit(1)


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 1.0)
