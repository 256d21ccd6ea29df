"""Write all datasets."""

from __future__ import annotations

from pathlib import Path

from golden import reference, scenarios
from golden.checkout import World

TESTDATA = Path(__file__).resolve().parents[3] / "testdata"


def main() -> None:
    reference.write(TESTDATA / "reference/shop")
    World().write(TESTDATA / "golden/checkout")
    scenarios.write(TESTDATA / "golden")


if __name__ == "__main__":
    main()
