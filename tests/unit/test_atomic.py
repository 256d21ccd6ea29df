"""Files that many write at once are whole all the time, and nothing else is left beside them."""

from concurrent.futures import ThreadPoolExecutor

from seeder.machine import atomic


def test_several_that_write_one_file_at_once_do_not_meet(tmp_path):
    path, texts = tmp_path / "file.json", [str(number) * 20_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(atomic.write, path, text) for text in texts * 5]:
            done.result()
            assert path.read_text() in texts
    assert [one.name for one in tmp_path.iterdir()] == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_says_so_already_is_left_alone(tmp_path):
    path = tmp_path / "file.json"
    atomic.write(path, "same")
    before = path.stat()
    atomic.write(path, "same")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
