#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that are too long and folders that are too full are found."""

import sys
import unittest

sys.path.insert(0, 'tools')
import lint  # noqa: E402


class LengthTest(unittest.TestCase):

    def test_a_source_may_have_450_lines(self):
        self.assertEqual(lint.check_length('net/a.cc', 'x\n' * 450), [])
        self.assertIn('net/a.cc: 451 lines, 450 at most: split it',
                      lint.check_length('net/a.cc', 'x\n' * 451)[0])

    def test_so_may_a_test(self):
        self.assertEqual(len(lint.check_length('net/a_test.cc', 'x\n' * 451)), 1)

    def test_a_header_may_have_300_lines(self):
        self.assertEqual(lint.check_length('net/a.h', 'x\n' * 300), [])
        self.assertEqual(len(lint.check_length('net/a.h', 'x\n' * 301)), 1)


class FolderTest(unittest.TestCase):

    def test_a_folder_may_have_26_files_besides_tests_and_benchmarks(self):
        files = ['net/%d%s' % (i, end) for i in range(13) for end in ('.h', '.cc')]
        others = ['net/%d%s' % (i, end) for i in range(13)
                  for end in ('_test.cc', '_benchmark.cc')]
        self.assertEqual(lint.check_folders(files + others), [])
        said = lint.check_folders(files + others + ['net/one_more.h'])
        self.assertEqual(len(said), 1)
        self.assertIn('net: 27 files besides tests, 26 at most: move', said[0])

    def test_folders_below_it_are_counted_for_themselves(self):
        files = ['net/%s/%d.h' % (folder, i) for folder in 'ab' for i in range(26)]
        self.assertEqual(lint.check_folders(files), [])


class ThreadsTest(unittest.TestCase):

    def check(self, source, build):
        files = {'net/a_test.cc': source, 'net/BUILD.bazel': build}
        return lint.check_threads(['net/a_test.cc'], files.get)

    def test_a_test_that_starts_threads_says_so(self):
        starts = '#include <thread>\n'
        self.assertIn('net/a_test.cc: starts threads',
                      self.check(starts, 'ringway_test(\n    name = "a_test",\n)\n')[0])
        self.assertEqual(self.check(
            starts, 'ringway_test(\n    name = "a_test",\n    threads = True,\n)\n'), [])
        self.assertEqual(self.check('', 'ringway_test(\n    name = "a_test",\n)\n'), [])

    def test_that_another_test_says_so_is_not_enough(self):
        self.assertEqual(len(self.check(
            '#include "ringway/runtime/runtime.h"\n',
            'ringway_test(\n    name = "a_test",\n)\n\n'
            'ringway_test(\n    name = "b_test",\n    threads = True,\n)\n')), 1)

    def test_its_source_may_be_one_of_several(self):
        self.assertEqual(self.check(
            '#include <thread>\n',
            'ringway_test(\n    name = "b_test",\n    srcs = [\n        "a_test.cc",\n    ],\n'
            '    threads = True,\n)\n'), [])


class TogetherTest(unittest.TestCase):

    def test_the_sources_of_a_folder_are_read_together(self):
        files = {'net/a.cc': '', 'net/b.cc': '', 'net/a_test.cc': '', 'net/testing/c.cc': '',
                 'net/d.cc': 'int main() {}\n', 'core/e.cc': '',
                 'net/f.cc': 'extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data) {}\n'}
        self.assertEqual(lint.checked_together(files, files.get),
                         [('core/e.cc',), ('net/a.cc', 'net/b.cc')])


if __name__ == '__main__':
    unittest.main()
