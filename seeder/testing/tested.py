"""What a session of tests tells at its end: on the terminal, and as Markdown for the page that GitHub shows of a job."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from seeder import page

# How a test says what the command line says with an option.
_SPOKEN = (
    (re.compile(r"add --set (\w+)=\S+"), r'give it in the mark: scenario("...", \1=...)'),
    (re.compile(r"--set (\w+)(=[^\s:]*)?"), r"scenario(\1\2)"),
    (re.compile(r"--set\b"), "scenario(...)"),
    (re.compile(r"add --scenario NAME"), 'name it in the mark: scenario("NAME", ...), or add --seeder-scenario NAME'),
    (re.compile(r"(?<![\w-])--(runtime|target|scenario|no-cache)\b"), r"--seeder-\1"),
)


@dataclass
class Summary:
    """Under pytest-xdist those of the workers come to where it is told."""

    resets: list[float] = field(default_factory=list)  # how long each took, in seconds
    bundles: list[tuple[str, str]] = field(default_factory=list)  # failed test, folder
    slept: dict[str, float] = field(default_factory=dict)
    began: dict[str, str] = field(default_factory=dict)  # tests that began at another state than the seeded one, and how that came about
    ended: list[str] = field(default_factory=list)  # services that died, and how
    stay: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        self.resets += other.resets
        self.bundles += other.bundles
        self.slept |= other.slept
        self.began |= other.began
        self.ended += other.ended
        self.stay += other.stay
        self.left += other.left

    def lines(self) -> list[str]:
        slept = sorted(self.slept.items(), key=lambda pair: -pair[1])
        times = len(self.resets)
        often = "once" if times == 1 else f"{times} times, median"
        told = [f"the environment was taken back {often}{',' if times == 1 else ''} {self.median}"] if times else []
        told += [f"{test}: {path}" for test, path in self.bundles]
        told += [f"{test} began at another state than the seeded: {how}" for test, how in self.began.items()]
        return [*told, *(f"{test} slept {seconds:.1f} s" for test, seconds in slept), *self.ended, *self.stay, *self.left]

    @property
    def median(self) -> str:
        import statistics  # pytest starts without it

        return f"{statistics.median(self.resets) * 1000:.0f} ms" if self.resets else "-"

    def append(self) -> None:
        """To the job's page, where there is one and something to tell."""
        if self.lines():
            page.append(self.markdown)

    def markdown(self) -> str:
        counts = {"resets": len(self.resets), "median": self.median, "bundles": len(self.bundles), "began elsewhere": len(self.began)}
        lines = ["### seeder: tests", "", f"| {' | '.join(counts)} |", "|---" * len(counts) + "|"]
        lines += [f"| {' | '.join(map(str, counts.values()))} |"]
        if self.bundles:
            lines += ["", "| failed | bundle |", "|---|---|"]
            lines += [f"| {page.code(test)} | {page.code(path)} |" for test, path in self.bundles]
        if self.began:
            lines += ["", "| began at another state | |", "|---|---|"]
            lines += [f"| {page.code(test)} | {how} |" for test, how in self.began.items()]
        return "\n".join([*lines, *(f"\n{line}" for line in (*self.ended, *self.stay, *self.left)), "", ""])


def spoken(text: str) -> str:
    """What seeder tells of a problem, with a test's words for what the command line says with options."""
    for said, instead in _SPOKEN:
        text = said.sub(instead, text)
    return text
