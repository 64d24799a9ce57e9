#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/operations.md: its unit files are valid, its metrics exist, and a server that a
service manager starts as it says does answer."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

_ECHO_SERVER = os.path.abspath(sys.argv.pop(1))
_PATIENCE_SECONDS = 60


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def needs(program):
    if shutil.which(program) is None:
        print('operations_document_test: no %s' % program, file=sys.stderr)
        return unittest.skip('no ' + program)
    return lambda test: test


class Operations(unittest.TestCase):

    def test_the_metrics_that_it_names_exist(self):
        named = set(re.findall(r'ringway_\w+', read('docs/operations.md')))
        exist = set(re.findall(r'`(ringway_\w+)`', read('docs/metrics.md')))
        self.assertGreater(len(named), 5)
        self.assertEqual(named - exist, set())

    @needs('systemd-analyze')
    def test_the_units_are_valid(self):
        units = re.findall(r'^```ini\n# (\S+)\n(.*?)^```', read('docs/operations.md'),
                           re.DOTALL | re.MULTILINE)
        self.assertEqual([name for name, _ in units], ['echo.service', 'echo.socket'])
        with tempfile.TemporaryDirectory() as folder:
            for name, text in units:
                with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                    # Verified where it is not installed.
                    file.write(text.replace('/usr/local/bin/echo_server', _ECHO_SERVER))
            judged = subprocess.run(
                ['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no'] +
                [os.path.join(folder, name) for name, _ in units],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
            self.assertEqual((judged.returncode, judged.stdout), (0, ''))

    @needs('systemd-socket-activate')
    def test_a_server_with_an_inherited_socket_answers(self):
        port = free_port()
        server = subprocess.Popen(
            ['systemd-socket-activate', '-l', '127.0.0.1:%d' % port, '--fdname=web',
             _ECHO_SERVER, '--listen=inherited:web', '--workers=2'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while True:
                try:
                    client = socket.create_connection(('127.0.0.1', port), timeout=30)
                    break
                except ConnectionRefusedError:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
            client.sendall(b'hello')
            self.assertEqual(client.recv(5, socket.MSG_WAITALL), b'hello')
            client.close()
            server.terminate()
            said, _ = server.communicate(timeout=_PATIENCE_SECONDS)
            self.assertEqual(server.returncode, 0, said)
            self.assertIn('listening on 127.0.0.1:%d\n' % port, said)
        finally:
            server.kill()
            server.wait()

    def test_what_was_not_passed_is_an_error_that_says_why(self):
        done = subprocess.run([_ECHO_SERVER, '--listen=inherited:web'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn('web', done.stdout)
        self.assertIn('LISTEN_FDS', done.stdout)


if __name__ == '__main__':
    unittest.main()
