"""How long a page takes until Chromium has drawn the charts near the screen.

Why: a page holds its figures and the library that draws them, and a year of them is large.

    python benchmarks/pages.py plans/huainan/report.html

The seconds are the least of several loads, from the start of loading.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

RUNS = 3
sys.path.insert(0, str(Path(__file__).parent.parent))


def main() -> None:
    """Print a row for each page."""
    from tests.support.screen import chromium, near_drawn_s, opened

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+", help="report.html of a folder")
    given = parser.parse_args()
    print("| page | charts drawn after s | file MB |")
    print("| --- | ---: | ---: |")
    with chromium() as browser:
        for file in given.pages:
            seconds = []
            for _ in range(RUNS):
                with opened(browser, file.resolve()) as page:
                    seconds.append(near_drawn_s(page))
            print(f"| {file} | {min(seconds):.2f} | {file.stat().st_size / 1e6:.2f} |", flush=True)


if __name__ == "__main__":
    main()
