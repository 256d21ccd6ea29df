"""What a run leaves on the page that GitHub shows of a job."""

from __future__ import annotations

from seeder.cli import _render, _summary
from seeder.evidence.story import Result

FACTS = {"stack": "shop", "scenario": "checkout-ready", "runtime": "docker", "seed": 7, "as_of": "2026-01-15T12:00:00Z"}


def test_a_good_run_is_two_tables():
    result = Result("abc", seconds=4.25, split={"start": 1.5, "images": 0.5}, digest="f" * 64, facts=FACTS)
    assert _summary.markdown(result) == (
        "### seeder: ok in 4.2 s\n\n"
        "| run | stack | scenario | runtime | seed | as of | digest |\n|---|---|---|---|---|---|---|\n"
        "| `abc` | `shop` | `checkout-ready` | `docker` | `7` | `2026-01-15T12:00:00Z` | `ffffffffffffffff` |\n\n"
        "| images | start |\n|---|---|\n| 0.5 s | 1.5 s |\n\n"
    )


def test_a_failed_one_tells_why_whatever_the_text_holds(tmp_path, monkeypatch):
    message = "db: no\n```\n| a <b> |"
    result = Result(
        "abc", 122, "gate", message, (message,), "last words", bundle=str(tmp_path / "bundle"), facts={**FACTS, "stack": "a|b`c"}
    )
    page = tmp_path / "page.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    _summary.append(result)
    told = page.read_text()
    assert told.startswith("before\n### seeder: gate (exit 122)")
    assert f"````text\n{message}\nlast words\n````" in told
    assert "`a/b'c`" in told
    assert f"Evidence: `{tmp_path}/bundle`, `seeder snapshot show abc`" in told


def test_without_a_page_nothing_is_written_and_a_wrong_one_is_no_matter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    _summary.append(Result("abc"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    _summary.append(Result("abc"))
    assert list(tmp_path.iterdir()) == []


def test_what_was_never_made_is_not_said_to_have_come_from_anywhere():
    facts = {**FACTS, "origins": {"inserted": ["notes.write"], "services": []}}
    assert "inserted by notes.write" in _render.summary(Result("abc", digest="f" * 64, facts=facts))
    assert "inserted by" not in _render.summary(Result("abc", 123, "environment", "step notes: refused", facts=facts))
