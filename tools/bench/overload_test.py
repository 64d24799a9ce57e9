#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""overload.py measures both backends without an error. Not how well they do."""

import os
import re
import subprocess
import sys
import unittest

_OVERLOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'overload.py')
_PROGRAMS = sys.argv[1:]
del sys.argv[1:]


class Overload(unittest.TestCase):

    def test_each_backend(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest('it needs two CPUs')
        for backend in ('auto', 'epoll'):
            done = subprocess.run(
                [_OVERLOAD, '--seconds=1', '--backends=' + backend, '--connections=8',
                 '--work=100us', '--cpus=%d,%d' % (cpus[0], cpus[-1]), *_PROGRAMS],
                capture_output=True, text=True, check=False, timeout=200)
            self.assertRegex(done.stdout, r'^%s +peak \d+/s; .* 0 errors\n$' % re.escape(backend),
                             done.stderr)


if __name__ == '__main__':
    unittest.main()
