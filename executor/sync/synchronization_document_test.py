#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/synchronization.md shows synchronization_examples_test.cc to the letter."""

import re
import sys
import unittest


class SynchronizationDocumentTest(unittest.TestCase):

    def test_shows_only_code_that_is_compiled(self):
        with open('docs/synchronization.md') as document:
            shown = re.findall(r'```cpp\n(.*?)```', document.read(), re.DOTALL)
        with open('executor/sync/synchronization_examples_test.cc') as examples:
            code = examples.read()
        self.assertTrue(shown)
        for example in shown:
            self.assertIn(example, code)


if __name__ == '__main__':
    sys.exit(unittest.main())
