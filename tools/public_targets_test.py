#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Differences between BUILD files and docs/targets.md are found."""

import sys
import unittest

sys.path.insert(0, 'tools')
import public_targets  # noqa: E402

_BUILD = '''
package(default_visibility = ["//visibility:private"])

ringway_library(
    name = "tcp",
    visibility = ["//visibility:public"],
)

ringway_library(
    name = "core_of_it",
    visibility = ["//:__subpackages__"],
)

ringway_library(
    name = "own",
)

ringway_public_library(
    name = "net",
    deps = [":tcp"],
)
'''
_DOCUMENT = '''# Targets

## `@ringway//net:tcp`

Streams.

Headers: `ringway/net/tcp.h`,
`ringway/net/connect.h`.

```cpp
#include "ringway/net/tcp.h"
```
'''


class PublicTargetsTest(unittest.TestCase):

    def test_finds_what_every_workspace_may_use(self):
        self.assertEqual(public_targets.public_targets_of('net', _BUILD), ['//net:tcp', '//net'])

    def test_reads_headers_and_example(self):
        self.assertEqual(
            public_targets.documented_targets(_DOCUMENT),
            {'//net:tcp': (['net/tcp.h', 'net/connect.h'], '#include "ringway/net/tcp.h"\n')})

    def compare(self, public, exists=True):
        targets = public_targets.documented_targets(_DOCUMENT)
        return '\n'.join(public_targets.compare(public, targets, lambda header: exists))

    def test_has_nothing_to_say_of_a_true_document(self):
        self.assertEqual(self.compare(['//net:tcp']), '')

    def test_names_a_target_that_is_not_described(self):
        self.assertIn('//runtime is visible', self.compare(['//net:tcp', '//runtime']))

    def test_names_a_target_that_is_not_public(self):
        self.assertIn('//net:tcp, which is no public', self.compare([]))

    def test_names_a_header_that_does_not_exist(self):
        self.assertIn('net/connect.h, which does not', self.compare(['//net:tcp'], exists=False))

    def test_names_an_example_of_something_else(self):
        targets = {'//net:tcp': (['net/tcp.h'], '#include "ringway/net/udp.h"\n')}
        self.assertIn('includes none of its headers',
                      public_targets.compare(['//net:tcp'], targets, lambda _: True)[0])

    def check_page(self, text, public=('//net:tcp',), exists=True):
        return '\n'.join(
            public_targets.check_page('docs/a.md', text, public, lambda header: exists))

    def test_a_page_that_shows_code_names_header_and_target(self):
        code = '\n```cpp\nint i;\n```\n'
        said = self.check_page('# A' + code)
        self.assertIn('names no header', said)
        self.assertIn('names no target', said)
        self.assertEqual(
            self.check_page('Header `ringway/net/tcp.h`, target `@ringway//net:tcp`.' + code), '')
        self.assertEqual(self.check_page('# No code'), '')

    def test_what_a_page_names_is_there(self):
        self.assertIn('net/tcp.h, which does not',
                      self.check_page('`ringway/net/tcp.h`', exists=False))
        self.assertIn('//net:core, which is no public',
                      self.check_page('`@ringway//net:core`'))


if __name__ == '__main__':
    sys.exit(unittest.main())
