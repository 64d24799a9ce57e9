#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""loadgen with real servers of each protocol, with several workers and with a ramp."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

_LOADGEN, _ECHO, _UDP, _HTTP, _SLOW, _CERTIFICATE = sys.argv[1:7]
del sys.argv[1:]
_CERTIFICATES = os.path.dirname(_CERTIFICATE)
_DELAY_US = 20000


class Server:
    """A server as a process, at `address`."""

    def __init__(self, program, listen, *flags):
        self.process = subprocess.Popen([program, '--listen=' + listen, *flags],
                                        stdout=subprocess.PIPE, universal_newlines=True)
        self.address = re.match(r'.* on (?:udp )?(\S+)$', self.process.stdout.readline().rstrip()).group(1)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class ProtocolsTest(unittest.TestCase):

    def serve(self, program, *flags, listen='127.0.0.1:0'):
        server = Server(program, listen, *flags)
        self.addCleanup(server.stop)
        return server.address

    def run_loadgen(self, *flags, code=0):
        durations = [[]]
        if not any(flag.startswith('--phases') for flag in flags):
            # On a busy machine no reply may come in the shortest time.
            durations = [['--duration=%dms' % n] for n in (300, 3000, 30000)]
        for duration in durations:
            done = subprocess.run([_LOADGEN, '--warmup=20ms', *duration, *flags],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  universal_newlines=True, timeout=100)
            if code != 0 or 'no reply came' not in done.stderr:
                break
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def load(self, *flags):
        """A run without errors."""
        result = json.loads(self.run_loadgen('--json', *flags).stdout)
        self.assertEqual(result['errors'], 0)
        self.assertGreater(result.get('requests', result.get('answered')), 0)
        return result

    def both_loops(self, *flags):
        self.load('--connections=4', *flags)
        return self.load('--connections=4', '--rate=500', *flags)

    def test_echo_over_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            address = self.serve(_ECHO, listen='unix:' + os.path.join(folder, 'echo'))
            self.both_loops('--connect=' + address)
            self.load('--connect=' + address, '--short')

    def test_echo_by_udp(self):
        address = self.serve(_UDP)
        result = self.both_loops('--connect=' + address, '--protocol=udp')
        self.assertEqual(result['lost'] + result['answered'] + result['unanswered'], 150)
        self.load('--connect=' + address, '--protocol=udp', '--pipeline=8', '--size=1200')

    def test_udp_without_a_server(self):
        done = self.run_loadgen('--connect=127.0.0.1:9', '--protocol=udp', code=1)
        self.assertRegex(done.stderr, '[Rr]efused')

    def test_several_workers(self):
        address = self.serve(_ECHO)
        closed = self.load('--connect=' + address, '--workers=3', '--connections=7', '--ramp=100ms')
        self.assertEqual(closed['workers'], 3)
        self.assertEqual(closed['opened'], 7)
        self.assertGreater(closed['opened_in_s'], 0.08)
        self.assertEqual(sum(row['requests'] for row in closed['series']), closed['requests'])
        opened = self.load('--connect=' + address, '--workers=3', '--connections=7',
                           '--phases=1000x200ms,2000x200ms')
        self.assertEqual(opened['offered'], 600)
        self.assertEqual([phase['offered'] for phase in opened['phases']], [200, 400])
        table = self.run_loadgen('--connect=' + address, '--workers=2', '--ramp=50ms').stdout
        self.assertRegex(table, r'32 connections on 2 workers')
        self.assertRegex(table, r'ramp +32 connections opened in 0\.\d\d s, 0 failed; opening: p50')

    def test_http1(self):
        address = self.serve(_HTTP)
        url = '--connect=http://%s/hello' % address
        result = self.both_loops(url, '--compare-bodies')
        self.assertEqual(result['protocol'], 'http1')
        self.assertEqual(result['size'], len('Hello, World!'))
        self.load(url, '--pipeline=8', '--workers=2')
        result = self.load(url, '--short')
        self.assertEqual(result['reopened'], 0)
        self.load('--connect=' + address, '--protocol=http1', '--path=/upload', '--method=POST',
                  '--body-size=5000', '--header=X-Test: 1')

    def test_a_status_that_is_no_success(self):
        address = self.serve(_HTTP)
        done = self.run_loadgen('--connect=http://%s/nowhere' % address, code=1)
        self.assertRegex(done.stderr, 'no reply came, and there were [0-9]+ errors; the first: '
                         'connection [0-9]+: the status is 404')

    def test_http2(self):
        address = self.serve(_HTTP)
        url = '--connect=http://%s/hello' % address
        result = self.both_loops(url, '--protocol=h2', '--compare-bodies')
        self.assertEqual(result['protocol'], 'h2')
        self.assertEqual(result['size'], len('Hello, World!'))
        self.load(url, '--protocol=h2', '--short')
        self.load('--connect=http://%s/upload' % address, '--protocol=h2', '--method=POST',
                  '--body-size=100000', '--streams=3')

    def test_http_by_tls(self):
        address = self.serve(_HTTP, '--tls-cert=%s/server.pem' % _CERTIFICATES,
                             '--tls-key=%s/server.key' % _CERTIFICATES)
        for protocol in ['http1', 'h2']:
            self.both_loops('--connect=https://%s/hello' % address, '--protocol=' + protocol,
                            '--ca=%s/ca.pem' % _CERTIFICATES, '--tls-name=server.test')
        self.load('--connect=%s' % address, '--path=/hello', '--protocol=http1', '--tls',
                  '--insecure', '--short')

    def test_a_server_whose_time_is_known(self):
        address = self.serve(_SLOW, '--delay=%dus' % _DELAY_US)
        url = '--connect=http://%s/hello' % address
        for flags in [[], ['--protocol=h2', '--streams=4'], ['--rate=200'],
                      ['--rate=200', '--protocol=h2'], ['--short']]:
            result = self.load(url, '--connections=8', *flags)
            # Later only if this machine has other things to do.
            self.assertGreaterEqual(result['p50_us'], _DELAY_US)
            self.assertLess(result['p50_us'], 5 * _DELAY_US)


if __name__ == '__main__':
    unittest.main()
