#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What loadgen prints, writes and returns, with a real server."""

import csv
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

_SERVER, _LOADGEN = sys.argv[1:3]
del sys.argv[1:]

_SVG = '{http://www.w3.org/2000/svg}'
# Keys that scripts read.
_CLOSED_KEYS = ['requests_per_second', 'megabytes_per_second', 'p50_us', 'p90_us', 'p99_us', 'p999_us',
                'max_us', 'requests', 'connections', 'short', 'size', 'pipeline', 'duration_s',
                'client_cpu_us_per_request', 'client_cpu_share', 'errors']
_OPEN_KEYS = ['goodput_per_second', 'offered_per_second', 'offered', 'sent', 'answered', 'dropped',
              'lost', 'backlog', 'p50_us', 'p999_us', 'phases', 'errors', 'late', 'unanswered']


class LoadgenTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([_SERVER, '--listen=127.0.0.1:0'], stdout=subprocess.PIPE,
                                      universal_newlines=True)
        cls.address = re.match(r'listening on (\S+)', cls.server.stdout.readline()).group(1)
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()
        cls.server.stdout.close()
        cls.folder.cleanup()

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def run_loadgen(self, *flags, code=0):
        done = subprocess.run([_LOADGEN, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=100)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def load(self, *flags, code=0):
        return self.run_loadgen('--connect=' + self.address, '--connections=4', '--warmup=20ms',
                                *flags, code=code)

    def check_svg(self, name):
        root = xml.etree.ElementTree.parse(self.file(name)).getroot()
        self.assertEqual(root.tag, _SVG + 'svg')
        with open(self.file(name), encoding='utf-8') as file:
            self.assertIsNone(re.search(r'\b(nan|inf)\b', file.read()))
        return [element.get('class') for element in root.iter() if element.get('class')]

    def check_series(self, result, answers):
        series = result['series']
        self.assertGreater(len(series), 10)
        self.assertLess(len(series), 130)
        self.assertEqual(sum(row['requests'] for row in series), answers)
        self.assertEqual(sum(row['bytes'] for row in series), answers * result['size'])
        self.assertAlmostEqual(sum(row['duration_s'] for row in series), result['duration_s'], 3)
        self.assertAlmostEqual(max(row['max_us'] or 0 for row in series), result['max_us'], 2)

    def test_a_closed_loop(self):
        done = self.load('--duration=300ms', '--json', '--csv=' + self.file('a.csv'),
                         '--plot=' + self.file('a.svg'), '--server-pid=%d' % self.server.pid)
        self.assertEqual(done.stderr, '')
        result = json.loads(done.stdout)
        for key in _CLOSED_KEYS + ['server_cpu_us_per_request', 'server_cpu_share']:
            self.assertIn(key, result)
        self.check_series(result, result['requests'])
        percentiles = dict(map(tuple, result['percentiles']))
        self.assertEqual(percentiles[50], result['p50_us'])
        self.assertEqual(percentiles[99.9], result['p999_us'])
        self.assertEqual(percentiles[100], result['max_us'])
        with open(self.file('a.csv'), newline='', encoding='utf-8') as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(sum(int(row['requests']) for row in rows), result['requests'])
        classes = self.check_svg('a.svg')
        for name in ['curve', 'rate', 'p50', 'p99', 'max', 'point p99']:
            self.assertIn(name, classes)

    def test_an_open_loop(self):
        done = self.load('--phases=1000x200ms,2000x200ms', '--json', '--plot=' + self.file('b.svg'))
        result = json.loads(done.stdout)
        for key in _OPEN_KEYS:
            self.assertIn(key, result)
        self.assertEqual(sum(row['offered'] for row in result['series']), result['offered'])
        self.assertIn('offered', self.check_svg('b.svg'))

    def test_the_table_and_the_object_of_a_run(self):
        done = self.load('--duration=200ms', '--short', '--output=' + self.file('c.json'))
        self.assertIn('requests/s', done.stdout)
        with open(self.file('c.json'), encoding='utf-8') as file:
            result = json.load(file)
        self.assertTrue(result['short'])
        self.assertIn('one for each request', result['load'])

    def test_thresholds(self):
        self.load('--duration=100ms', '--fail-if=p99>30s,errors>0', '--fail-if=rate<1')
        done = self.load('--duration=100ms', '--fail-if=p50>1ns,max>30s', '--fail-if=rate<1000000000',
                         code=3)
        said = done.stderr.splitlines()
        self.assertEqual(len(said), 2, said)
        self.assertRegex(said[0], r'^loadgen: p50>1ns: it is \d')
        self.assertRegex(said[1], r'^loadgen: rate<1000000000: it is \d')
        self.assertIn('requests/s', done.stdout)
        done = self.load('--fail-if=p98>1ms', code=2)
        self.assertIn("no figure is named 'p98'", done.stderr)

    def test_files_that_cannot_be_written_end_it_at_once(self):
        done = self.load('--duration=1h', '--csv=/nowhere/a.csv', code=1)
        self.assertIn('/nowhere/a.csv', done.stderr)

    def test_comparing(self):
        for name in ['d.json', 'e.json']:
            self.load('--duration=200ms', '--output=' + self.file(name))
        files = [self.file('d.json'), self.file('e.json')]
        done = self.run_loadgen('--compare', *files, '--plot=' + self.file('d.svg'))
        self.assertEqual(done.stderr, '')
        self.assertRegex(done.stdout, r'p99.9 .* \d\.\d\d\n')
        self.assertEqual(self.check_svg('d.svg').count('curve'), 2)
        done = self.run_loadgen('--fail-if=p50>1%', '--compare=' + files[0], files[1], code=1)
        self.assertRegex(done.stderr, r'^loadgen: e: p50>1%: it is \d')
        self.run_loadgen('--compare', *files, '--fail-if', 'rate<1%')

    def test_comparing_what_is_no_run(self):
        with open(self.file('f.json'), 'w', encoding='utf-8') as file:
            file.write('{"requests_per_second": 1')
        done = self.run_loadgen('--compare', self.file('f.json'), self.file('f.json'), code=2)
        self.assertIn('f.json: the JSON is cut off', done.stderr)
        done = self.run_loadgen('--compare', '/nowhere/a', '/nowhere/b', code=2)
        self.assertIn('/nowhere/a', done.stderr)
        done = self.run_loadgen('--compare', '/nowhere/a', code=2)
        self.assertIn('B.json is missing', done.stderr)

    def on_a_terminal(self, *flags):
        parent, child = pty.openpty()
        process = subprocess.Popen([_LOADGEN, '--connect=' + self.address, '--duration=1200ms',
                                    '--connections=1', *flags], stdout=child, stderr=child)
        os.close(child)
        said = b''
        while True:
            try:
                part = os.read(parent, 4096)
            except OSError:  # the terminal has no other end any more
                break
            if not part:
                break
            said += part
        os.close(parent)
        self.assertEqual(process.wait(), 0, said)
        return said.decode()

    def test_a_terminal_has_a_live_line(self):
        self.assertRegex(self.on_a_terminal(), r'\r\x1b\[K  1 s  \S+/s  p50 .*  0 errors  \d s left')

    def test_nothing_else_has_one(self):
        self.assertNotIn('left', self.on_a_terminal('--quiet'))
        self.assertNotIn('left', self.on_a_terminal('--json'))
        self.assertEqual(self.load('--duration=1100ms').stderr, '')


if __name__ == '__main__':
    unittest.main()
