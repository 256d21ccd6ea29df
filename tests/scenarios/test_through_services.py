"""A dataset's own program, and waiting until services have done what loading through them began; each within its limit."""

from tests.scenarios.failing import change, evidence, gone, proper, result, run


def _seed(folder, words, more=""):
    """The lookups come with a program."""
    change(
        folder, "manifest.yaml", "path: testdata/reference/kinds}", f"path: testdata/reference/kinds, seed: {{command: {words}{more}}}}}"
    )


def test_a_program_loads_with_the_environments_addresses(project):
    folder = project("small")
    _seed(folder, '[sh, -c, "echo $SEEDER_WEB_URL > said; test $SEEDER_SEED = 7"]')
    proper(run(folder, "local"), 0)
    assert (folder / "said").read_text().startswith("http://")


def test_a_program_that_fails_is_told_with_its_last_lines(project, home):
    folder = project("small")
    _seed(folder, '[sh, -c, "echo no such region; exit 3"]')
    proper(run(folder, "local"), 123, "kinds@1.0.0: `sh -c echo no such region; exit 3` ended with code 3", "    | no such region")
    gone(folder, home)


def test_a_program_that_takes_longer_than_its_limit_is_ended(project, home):
    folder = project("small")
    _seed(folder, "[sleep, '600']", ", within: 500ms")
    said = run(folder, "local")
    proper(said, 123, "sleep", "did not end within 0.5 s", "give it longer in the manifest: `seed: {within: ...}`")
    evidence(folder)
    gone(folder, home)


def test_what_never_settles_is_given_up_at_the_stacks_limit(project, home):
    folder = project("small")
    change(folder, "compose.yaml", "      migrate: {sql: migrations}\n", "      migrate: {sql: migrations}\n      settled: select false\n")
    change(folder, "compose.yaml", "volumes:\n  db-data:", "x-seeder: {settle: {within: 500ms}}\nvolumes:\n  db-data:")
    said = run(folder, "local")
    proper(
        said, 123, "small: not ready after 0.5 s: db: `select false` answers False", "give it longer: `x-seeder: {settle: {within: ...}}`"
    )
    assert result(folder)["ended_by"] == "environment"
    gone(folder, home)
