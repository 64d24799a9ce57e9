#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_servers.py reads all requests, and answers of servers."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare_servers  # pylint: disable=wrong-import-position


class CompareServers(unittest.TestCase):

    def test_reads_all_requests(self):
        tests = compare_servers.all_requests()
        self.assertGreater(len(tests), 400)
        plainest = next(test for test in tests if test.title == 'the plainest request')
        self.assertEqual(plainest.bytes, b'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
        self.assertEqual((plainest.verdict, plainest.reason), ('200', 'must 9112/3'))
        self.assertFalse([test.title for test in tests if not test.bytes])

    def test_decodes_escapes(self):
        self.assertEqual(compare_servers.decode(r'a\r\n\t\0\\\xffb'), 'a\r\n\t\0\\\xffb')
        self.assertEqual(compare_servers.decode(r'\{2*a\{2*b}\r}c'), 'abb\rabb\rc')

    def test_knows_what_was_accepted(self):
        verdict = compare_servers.verdict_of
        self.assertEqual(verdict(b''), '')
        self.assertEqual(verdict(b'HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\nok'
                                 b'HTTP/1.0 400 X\r\n\r\nbad'), '200 400')
        self.assertEqual(verdict(b'HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 X\r\n\r\n'), '200')
        self.assertEqual(verdict(b'HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n'
                                 b'HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n'), '200 200')
        self.assertEqual(verdict(b'<html>'), 'text')

    def test_compares_what_is_accepted(self):
        self.assertTrue(compare_servers.same('200 400', '200 501'))
        self.assertFalse(compare_servers.same('200 400', '200 200'))
        self.assertFalse(compare_servers.same('200 400', '200'))


if __name__ == '__main__':
    unittest.main()
