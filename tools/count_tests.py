#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases over several `bazel test` runs.

usage: count_tests.py (EVENTS.json BAZEL_EXIT_CODE)...

EVENTS.json is what --build_event_json_file wrote. Prints each failed case and
ends with the line `N passed, N failed, N skipped`; exits with 1 unless
something passed and nothing failed.

What left no case behind still counts: a test that crashed, timed out or did not
build is one failed case, and so is a run of Bazel that ended badly for a reason
that no test shows.
"""

import json
import os
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

_BAZEL_SUCCESS = 0
_BAZEL_TESTS_FAILED = 3
_BAZEL_NO_TESTS = 4


class Count:

    def __init__(self):
        self.passed = 0
        self.failed = []  # one name per failed case
        self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def count_xml(label, path):
    """The cases of one test.xml, as GoogleTest or Bazel itself writes it."""
    count = Count()
    for case in ElementTree.parse(path).getroot().iter('testcase'):
        name = '.'.join(filter(None, (case.get('classname'), case.get('name'))))
        if case.find('failure') is not None or case.find('error') is not None:
            count.failed.append('%s %s' % (label, name))
        elif (case.find('skipped') is not None or case.get('result') == 'skipped'
              or case.get('status') == 'notrun'):
            count.skipped += 1
        else:
            count.passed += 1
    return count


def count_result(label, result):
    """One execution of one test binary."""
    count = Count()
    for output in result.get('testActionOutput', []):
        if output['name'] == 'test.xml':
            path = urllib.parse.unquote(urllib.parse.urlparse(output['uri']).path)
            try:
                count = count_xml(label, path)
            except (OSError, ElementTree.ParseError):
                pass
    # A sanitizer's report at exit comes after every case has passed.
    if result['status'] != 'PASSED' and not count.failed:
        count.failed.append('%s (%s)' % (label, result['status'].lower()))
    return count


def count_run(events_path, exit_code):
    """All tests of one Bazel invocation."""
    results = {}  # the last attempt of each run and shard
    not_built = []
    try:
        with open(events_path, encoding='utf-8') as events:
            for line in events:
                event = json.loads(line)
                identity = event['id']
                if 'testResult' in identity:
                    key = identity['testResult']
                    shard = (key['label'], key.get('run'), key.get('shard'))
                    results[shard] = event['testResult']
                elif 'targetCompleted' in identity:
                    if not event.get('completed', {}).get('success'):
                        not_built.append(identity['targetCompleted']['label'])
    except (OSError, ValueError):
        pass  # then the exit code alone has to tell

    count = Count()
    for (label, _, _), result in sorted(results.items(), key=lambda item: str(item[0])):
        count.add(count_result(label, result))
    count.failed += ['%s (not built)' % label for label in sorted(not_built)]
    expected = (_BAZEL_SUCCESS, _BAZEL_TESTS_FAILED, _BAZEL_NO_TESTS)
    if exit_code not in expected and not count.failed:
        count.failed.append('(bazel exited with %d)' % exit_code)
    return count


def main(arguments):
    if not arguments or len(arguments) % 2:
        print(__doc__, file=sys.stderr)
        return 2
    total = Count()
    for events_path, exit_code in zip(arguments[::2], arguments[1::2]):
        count = count_run(events_path, int(exit_code))
        name = os.path.splitext(os.path.basename(events_path))[0]
        for failed in count.failed:
            print('FAILED [%s] %s' % (name, failed))
        total.add(count)
    print('%d passed, %d failed, %d skipped' % (total.passed, len(total.failed), total.skipped))
    return 0 if total.passed and not total.failed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
