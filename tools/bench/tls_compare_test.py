#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every server that tls_compare.py knows starts, answers, and ends on SIGTERM.

Not its speed: a row for each measurement, whatever its figures.
"""

import os
import subprocess
import sys
import unittest

_COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tls_compare.py')
_PROGRAMS = sys.argv[1:]
del sys.argv[1:]


class TlsCompare(unittest.TestCase):

    def test_each_server(self):
        cpus = sorted(os.sched_getaffinity(0))
        done = subprocess.run(
            [_COMPARE, '--rounds=1', '--duration=0.5', '--warmup=0.05',
             '--server-cpu=%d' % cpus[0], '--load-cpu=%d' % cpus[-1]] + _PROGRAMS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = [line for line in done.stdout.splitlines() if ' us' in line]
        self.assertEqual(len(rows), 8, done.stdout)


if __name__ == '__main__':
    unittest.main()
