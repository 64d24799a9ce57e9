#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count_tests.py on reports as Bazel and GoogleTest write them."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import count_tests

_CASE = '<testcase name="A" classname="S" status="run" result="completed">%s</testcase>'


class CountTests(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self._events = []

    def _path(self, name):
        return os.path.join(self._folder.name, name)

    def _result(self, label, status, xml, attempt=1):
        """Adds the event of one finished test binary."""
        path = self._path('test %d.xml' % len(self._events))
        if xml is not None:
            with open(path, 'w', encoding='utf-8') as file:
                file.write('<testsuites><testsuite>%s</testsuite></testsuites>' % xml)
        self._events.append({
            'id': {'testResult': {'label': label, 'run': 1, 'shard': 1, 'attempt': attempt}},
            'testResult': {
                'status': status,
                'testActionOutput': [
                    {'name': 'test.log', 'uri': 'file:///nowhere'},
                    {'name': 'test.xml', 'uri': 'file://' + path.replace(' ', '%20')},
                ],
            },
        })

    def _completed(self, label, success):
        self._events.append({'id': {'targetCompleted': {'label': label}},
                             'completed': {'success': True} if success else {}})

    def _count(self, exit_code):
        """What the program prints last, and its exit status."""
        path = self._path('asan.json')
        with open(path, 'w', encoding='utf-8') as file:
            for event in self._events:
                file.write(json.dumps(event) + '\n')
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = count_tests.main([path, str(exit_code)])
        return out.getvalue().splitlines()[-1], status

    def test_counts_cases_and_not_binaries(self):
        self._result('//:a', 'PASSED', _CASE % '' * 3)
        self._result('//:b', 'PASSED', _CASE % '' * 2)
        self.assertEqual(self._count(0), ('5 passed, 0 failed, 0 skipped', 0))

    def test_a_skipped_or_disabled_case_has_not_passed(self):
        disabled = '<testcase name="D" status="notrun" result="suppressed"/>'
        self._result('//:a', 'PASSED', _CASE % '' + _CASE % '<skipped message="m"/>' + disabled)
        self.assertEqual(self._count(0), ('1 passed, 0 failed, 2 skipped', 0))

    def test_a_failed_case_fails_the_run(self):
        self._result('//:a', 'FAILED', _CASE % '' + _CASE % '<failure message="m"/>')
        self.assertEqual(self._count(3), ('1 passed, 1 failed, 0 skipped', 1))

    def test_a_binary_that_fails_after_its_cases_passed_is_one_failure(self):
        self._result('//:leaks', 'FAILED', _CASE % '')
        self.assertEqual(self._count(3), ('1 passed, 1 failed, 0 skipped', 1))

    def test_a_crash_without_a_report_is_one_failure(self):
        self._result('//:crash', 'FAILED', None)
        self.assertEqual(self._count(3), ('0 passed, 1 failed, 0 skipped', 1))

    def test_only_the_last_attempt_counts(self):
        self._result('//:flaky', 'FAILED', _CASE % '<failure/>', attempt=1)
        self._result('//:flaky', 'PASSED', _CASE % '', attempt=2)
        self.assertEqual(self._count(0), ('1 passed, 0 failed, 0 skipped', 0))

    def test_a_target_that_does_not_build_is_one_failure(self):
        self._result('//:a', 'PASSED', _CASE % '')
        self._completed('//:a', success=True)
        self._completed('//:broken', success=False)
        self.assertEqual(self._count(1), ('1 passed, 1 failed, 0 skipped', 1))

    def test_a_run_that_ends_badly_without_saying_why_is_one_failure(self):
        self._result('//:a', 'PASSED', _CASE % '')
        self.assertEqual(self._count(37), ('1 passed, 1 failed, 0 skipped', 1))

    def test_nothing_run_is_no_success(self):
        self.assertEqual(self._count(4), ('0 passed, 0 failed, 0 skipped', 1))


if __name__ == '__main__':
    unittest.main()
