#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md shows the minimal samples verbatim."""

import re
import sys
import unittest


_SAMPLES = ['tools/samples/minimal_echo.cc', 'tools/samples/minimal_http.cc']


def code_of(name):
    with open(name) as sample:
        return re.sub(r'^(//.*\n|\n)+', '', sample.read())


class ReadmeTest(unittest.TestCase):

    def test_shows_the_samples_that_are_compiled(self):
        with open('README.md') as readme:
            shown = re.findall(r'```cpp\n(.*?)```', readme.read(), re.DOTALL)
        self.assertEqual(shown, [code_of(name) for name in _SAMPLES])

    def test_the_samples_are_short(self):
        for name in _SAMPLES:
            self.assertLessEqual(code_of(name).count('\n'), 25, name)


if __name__ == '__main__':
    sys.exit(unittest.main())
