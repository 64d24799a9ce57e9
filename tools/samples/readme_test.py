#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md shows tools/samples/minimal_echo.cc verbatim."""

import re
import sys
import unittest


class ReadmeTest(unittest.TestCase):

    def test_shows_the_sample_that_is_compiled(self):
        with open('README.md') as readme, open('tools/samples/minimal_echo.cc') as sample:
            shown = re.findall(r'```cpp\n(.*?)```', readme.read(), re.DOTALL)
            code = re.sub(r'^(//.*\n|\n)+', '', sample.read())
        self.assertEqual(shown, [code])


if __name__ == '__main__':
    sys.exit(unittest.main())
