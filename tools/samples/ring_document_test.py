#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/ring.md shows compiled code verbatim."""

import re
import sys
import unittest

_SOURCES = ['tools/samples/multi_writer.cc', 'executor/ring/ring_nested_test.cc']


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def contains(lines, shown):
    return any(lines[i:i + len(shown)] == shown for i in range(len(lines)))


class RingDocumentTest(unittest.TestCase):

    def test_shows_code_that_is_compiled(self):
        with open('docs/ring.md') as document:
            examples = re.findall(r'```cpp\n(.*?)```', document.read(), re.DOTALL)
        sources = []
        for name in _SOURCES:
            with open(name) as source:
                sources.append(lines_of(source.read()))
        self.assertEqual(len(examples), 2)
        for example in examples:
            shown = lines_of(example)
            self.assertTrue(any(contains(source, shown) for source in sources), example)


if __name__ == '__main__':
    sys.exit(unittest.main())
