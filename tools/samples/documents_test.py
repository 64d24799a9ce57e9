#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents show compiled code verbatim."""

import re
import sys
import unittest

# A document, how many examples it has, and where they come from.
_DOCUMENTS = [
    ('docs/ring.md', 2, ['tools/samples/multi_writer.cc', 'executor/ring/ring_nested_test.cc']),
    ('docs/networking.md', 7, ['tools/samples/networking.cc']),
    ('docs/files.md', 9, ['fs/files_examples_test.cc']),
    ('docs/http.md', 7, ['http/server/http_examples_test.cc', 'http/client/http_client_examples_test.cc']),
    ('docs/tls.md', 6, ['net/tls/tls_examples_test.cc']),
]


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def contains(lines, shown):
    return any(lines[i:i + len(shown)] == shown for i in range(len(lines)))


class DocumentsTest(unittest.TestCase):

    def test_show_code_that_is_compiled(self):
        for document, n_examples, sources in _DOCUMENTS:
            with self.subTest(document):
                with open(document) as file:
                    examples = re.findall(r'```cpp\n(.*?)```', file.read(), re.DOTALL)
                sources_lines = []
                for name in sources:
                    with open(name) as source:
                        sources_lines.append(lines_of(source.read()))
                self.assertEqual(len(examples), n_examples)
                for example in examples:
                    shown = lines_of(example)
                    self.assertTrue(any(contains(lines, shown) for lines in sources_lines), example)


if __name__ == '__main__':
    sys.exit(unittest.main())
