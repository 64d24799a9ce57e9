#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_server and programs that judge servers, or attack them.

  judges_test.py SERVER CA-FILE

Runs with what the machine has of h2spec and slowhttptest; says on stderr what is missing.
"""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients  # noqa: E402

_PATIENCE_SECONDS = 60
# More than there are in an answer's way; less than any timeout of the server.
_PROMPT_SECONDS = 5
_TRIES = 5
# A port without TLS speaks HTTP/1.1, too, and answers to these bytes by that.
_NOT_HTTP2 = 'Sends invalid connection preface'
# Mode, the client's flags, and the path.
_ATTACKS = (
    ('slow heads', ('-H', '-i', '1'), '/hello'),
    ('slow bodies', ('-B', '-i', '1', '-t', 'POST', '-s', '100000'), '/upload'),
    ('slow reads', ('-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32', '-k', '3'), '/page'),
    ('many ranges', ('-R', '-a', '5', '-b', '2000'), '/page'),
)


class JudgesTest(unittest.TestCase):

    @clients.needs('h2spec')
    @clients.on_each_backend
    def test_h2spec(self, backend):
        for tls in False, True:
            with clients.Server('--backend=' + backend, tls=tls) as server:
                wanted = set() if tls else {_NOT_HTTP2}
                failed, said = self.h2spec(server, tls)
                # Some cases go on with a request that may have its answer by
                # then, so that what is wrong with the rest does not matter.
                for _ in range(_TRIES):
                    if failed != wanted:
                        failed &= self.h2spec(server, tls)[0]
                self.assertEqual(failed, wanted, said)
                self.assertEqual(server.stop(), 0, server.said())

    def h2spec(self, server, tls):
        """The cases that failed, and what h2spec has said."""
        with tempfile.NamedTemporaryFile(suffix='.xml') as report:
            done = subprocess.run(
                ['h2spec', '--strict', '-h', '127.0.0.1', '-p', str(server.port), '-P', '/upload',
                 '-o', '5', '-j', report.name, *(['-t', '-k'] if tls else [])],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=_PATIENCE_SECONDS, check=False)
            cases = list(xml.etree.ElementTree.parse(report.name).getroot().iter('testcase'))
        self.assertGreater(len(cases), 140, done.stdout)
        return {case.get('classname') for case in cases
                if case.find('failure') is not None or case.find('error') is not None}, done.stdout

    @clients.needs('slowhttptest')
    @clients.on_each_backend
    def test_slowhttptest(self, backend):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, 'page'), 'wb') as file:
                file.write(os.urandom(1_000_000))
            with clients.Server('--backend=' + backend, '--root=' + root) as server:
                for name, flags, path in _ATTACKS:
                    with self.subTest(name):
                        self.attack(server, flags, server.origin + path)
                self.assertEqual(server.stop(), 0, server.said())

    # Its connections stay open; others are answered meanwhile.
    def attack(self, server, flags, url):
        with tempfile.TemporaryFile('w+') as said:
            attacker = subprocess.Popen(
                ['slowhttptest', '-c', '300', '-r', '300', '-l', '5', '-p', '3', *flags,
                 '-u', url], stdout=said, stderr=subprocess.STDOUT)
            try:
                deadline = time.monotonic() + _PATIENCE_SECONDS
                longest = 0
                while attacker.poll() is None:
                    longest = max(longest, self.ask(server))
                    self.assertLess(longest, _PROMPT_SECONDS)
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
            finally:
                if attacker.poll() is None:
                    attacker.kill()
                    attacker.wait()
            said.seek(0)
            report = re.sub('\x1b\\[[0-9;]*m', '', said.read())
        self.assertEqual(attacker.returncode, 0, report)
        self.assertRegex(report, r'service available: +YES')
        self.assertNotRegex(report, r'service available: +NO')

    def ask(self, server):
        """Seconds until a client on a connection of its own has its answer."""
        begin = time.monotonic()
        connection = http.client.HTTPConnection('127.0.0.1', server.port,
                                                timeout=_PROMPT_SECONDS)
        connection.request('GET', '/hello')
        self.assertEqual(connection.getresponse().read(), b'Hello, World!')
        connection.close()
        return time.monotonic() - begin


if __name__ == '__main__':
    clients.take_arguments()
    unittest.main()
