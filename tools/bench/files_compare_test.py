#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files_compare.py measures every cell without an error. Not how fast they are."""

import os
import subprocess
import sys
import tempfile
import unittest

_COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'files_compare.py')
_PROGRAMS = sys.argv[1:]
del sys.argv[1:]


class FilesCompare(unittest.TestCase):

    def compare(self, *more):
        cpu = min(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [_COMPARE, '--folder=' + folder, '--megabytes=16', '--rounds=1', '--seconds=0.05',
                 '--cpu=%d' % cpu, *more, *_PROGRAMS],
                capture_output=True, text=True, check=False, timeout=200)
            self.assertEqual(os.listdir(folder), [], 'it removes its file')
        return done

    # O_DIRECT is refused where the folder is on tmpfs.
    def test_cached_cells_on_each_backend(self):
        for backend in ('auto', 'epoll'):
            done = self.compare('--cells=cached-1,cached-32,cached-write-1M',
                                '--backend=' + backend)
            self.assertEqual(done.returncode, 0, done.stderr)
            for cell in ('cached-1', 'cached-32', 'cached-write-1M'):
                self.assertIn('\n| %s | ' % cell, done.stdout)

    def test_direct_cells(self):
        done = self.compare('--cells=direct-32,read-1M,write-1M')
        if 'O_DIRECT' in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('\n| direct-32 | ', done.stdout)

    def test_an_error_is_said(self):
        done = self.compare('--cells=cached-1', '--backend=none')
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r'exit code 2: .*none')


if __name__ == '__main__':
    unittest.main()
