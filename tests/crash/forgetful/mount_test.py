#!/usr/bin/env python3
"""The forgetful file system through the kernel: what a program on it sees, before and after a cut.
Exits 77, which ctest calls skipped, where nothing can be mounted."""
import os
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import power_loss  # noqa: E402
from trial import harness  # noqa: E402


class Mounted(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(harness.directory())
        self.disk = power_loss.Disk(self.directory / "machine", "posix")
        self.addCleanup(self.disk.unmount)
        self.disk.mount(seed=1)
        self.root = self.disk.mountpoint

    def cut(self, after=0):
        self.disk.cut_after(after)
        self.assertRegex(self.disk.wait_for_the_cut(5), "^cut ")

    def power_on(self):
        self.disk.unmount()
        self.disk.mount(seed=2)

    def keep(self, name, text):
        """Written, synced, and so is its name."""
        path = self.root / name
        with open(path, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self.sync_directory(path.parent)
        return path

    def sync_directory(self, path):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(directory)
        os.close(directory)

    def lost_by_some_seed(self, change, lost):
        """Whether `change`, not synced, is undone by the cut of one of a few seeds."""
        for seed in range(20):
            self.disk.unmount()
            self.disk.mount(seed)
            change()
            self.cut()
            self.power_on()
            if lost():
                return True
        return False

    def test_what_was_synced_is_there_after_a_cut(self):
        self.keep("f", "kept")
        (self.root / "d").mkdir()
        self.sync_directory(self.root)
        self.keep("d/g", "too")
        os.rename(self.root / "f", self.root / "h")
        self.sync_directory(self.root)
        self.cut()
        self.power_on()
        self.assertEqual(sorted(os.listdir(self.root)), ["d", "h"])
        self.assertEqual((self.root / "h").read_text(), "kept")
        self.assertEqual((self.root / "d/g").read_text(), "too")

    def test_a_write_that_was_not_synced_is_lost(self):
        path = self.root / "f"

        def overwrite():
            self.keep("f", "old")
            path.write_text("new and longer")
        self.assertTrue(self.lost_by_some_seed(overwrite, lambda: path.read_text() == "old"))

    def test_a_rename_that_was_not_synced_is_lost(self):
        path = self.root / "f"

        def replace():
            self.keep("f", "old")
            self.keep("f.tmp", "new")
            os.rename(self.root / "f.tmp", path)
        self.assertTrue(self.lost_by_some_seed(replace, lambda: path.read_text() == "old"))

    def test_an_append_is_torn(self):
        path = self.root / "f"

        def append():
            self.keep("f", "begin ")
            with open(path, "a") as file:
                file.write("x" * 5000)
        self.assertTrue(self.lost_by_some_seed(append, lambda: 6 < len(path.read_bytes()) < 5006))

    def test_nothing_works_after_a_cut(self):
        path = self.keep("f", "kept")
        with open(path, "r+") as file:
            self.cut()
            for call in (lambda: os.fsync(file.fileno()), lambda: os.pwrite(file.fileno(), b"x", 0),
                         lambda: os.listdir(self.root), lambda: os.statvfs(self.root)):
                self.assertRaises(OSError, call)

    def test_the_cut_comes_at_the_change_that_was_named(self):
        self.disk.cut_after(2)
        (self.root / "1").touch()
        (self.root / "2").mkdir()
        self.assertRaises(OSError, (self.root / "3").mkdir)

    def test_an_unmount_without_a_cut_keeps_all(self):
        (self.root / "f").write_text("never synced")
        self.power_on()
        self.assertEqual((self.root / "f").read_text(), "never synced")

    def test_sqlite_finds_what_it_needs(self):
        """Shared memory of its write-ahead log, locks, and files that outlive their names."""
        one, two = (sqlite3.connect(self.root / "db") for _ in range(2))
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE t (x)")
        one.execute("INSERT INTO t VALUES (1)")
        one.commit()
        self.assertEqual(two.execute("SELECT x FROM t").fetchall(), [(1,)])
        os.unlink(self.root / "db")
        self.assertEqual(two.execute("SELECT x FROM t").fetchall(), [(1,)])
        two.close()
        one.close()


if __name__ == "__main__":
    if not power_loss.mountable():
        print("skipped: there is no /dev/fuse to mount with")
        sys.exit(77)
    unittest.main()
