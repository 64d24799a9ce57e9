#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The admin pages and clients that others wrote.

Python's http.client, and what the machine has of curl and promtool; says on stderr what
is missing.
"""

import http.client
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

_SERVER = sys.argv.pop(1)
_BACKENDS = ['auto', 'epoll']


def on_each_backend(test):
    def run(self):
        for backend in _BACKENDS:
            with self.subTest(backend):
                with Server(backend) as server:
                    test(self, server)
    return run


def needs(program):
    if shutil.which(program) is None:
        print(f'real_clients_test: no {program}, its tests are skipped', file=sys.stderr)
        return unittest.skip(f'no {program}')
    return lambda test: test


class Server:

    def __init__(self, backend):
        self._process = subprocess.Popen([_SERVER, backend], stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if line.startswith('listening on '):
                self.address = line[len('listening on '):].strip()
                break
        else:
            self._process.wait()
            raise AssertionError('it did not start: ' + ''.join(lines))
        self.host, port = self.address.rsplit(':', 1)
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert self._process.returncode == 0, self._process.returncode

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=30)


def run(*command, input=b''):
    done = subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f'{command}: exit code {done.returncode}: {done.stdout.decode()}')
    return done.stdout.decode()


class RealClientsTest(unittest.TestCase):

    @on_each_backend
    def test_http_client_keeps_its_connection(self, server):
        client = server.connect()
        own = None
        for path, status in (('/healthz', 200), ('/', 200), ('/none', 404), ('/tasks', 200),
                             ('/metrics', 200), ('/readyz', 200)):
            client.request('GET', path)
            own = own or client.sock
            answer = client.getresponse()
            body = answer.read()
            self.assertEqual((path, answer.status), (path, status))
            self.assertEqual(int(answer.headers['Content-Length']), len(body))
            self.assertIs(client.sock, own)
        client.close()

    @on_each_backend
    def test_http_client_sees_all_workers(self, server):
        client = server.connect()
        client.request('GET', '/metrics')
        answer = client.getresponse()
        self.assertEqual(answer.headers['Content-Type'],
                         'text/plain; version=0.0.4; charset=utf-8')
        page = answer.read().decode()
        for worker in '01':
            self.assertIn(f'\nringway_worker_up{{worker="{worker}"}} 1\n', page)
        client.request('HEAD', '/metrics')
        answer = client.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b''))
        client.request('GET', '/tasks')
        page = client.getresponse().read().decode()
        for worker in '01':
            self.assertRegex(page, f'worker {worker}: [1-9][0-9]* tasks\n')
        client.close()

    @on_each_backend
    def test_http_client_posts_in_vain(self, server):
        for _ in range(10):
            client = server.connect()
            client.request('POST', '/metrics', body=b'x' * 100_000)
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.headers['Allow']), (405, 'GET, HEAD'))
            self.assertTrue(answer.will_close)
            answer.read()
            client.close()

    # As nc, or a script: the client finishes its side and waits.
    @on_each_backend
    def test_a_client_that_has_finished_gets_its_answers(self, server):
        with socket.create_connection((server.host, server.port), timeout=30) as peer:
            peer.sendall(b'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n' * 3)
            peer.shutdown(socket.SHUT_WR)
            heard = b''
            while part := peer.recv(1 << 16):
                heard += part
        self.assertEqual(heard.count(b'\r\n\r\nok\n'), 3)

    @needs('curl')
    @on_each_backend
    def test_curl_gets_twice_on_one_connection(self, server):
        url = f'http://{server.address}/healthz'
        self.assertEqual(run('curl', '-sS', '-w', '%{num_connects}\n', url, url),
                         'ok\n1\nok\n0\n')

    @needs('curl')
    @on_each_backend
    def test_curl_asks_as_others_do(self, server):
        url = f'http://{server.address}/healthz'
        for flags in (['--http1.0'], ['--http2'], ['-H', 'Connection: close']):
            self.assertEqual(run('curl', '-sS', *flags, url), 'ok\n')
        self.assertTrue(re.match(r'HTTP/1.1 200 OK\r?\n', run('curl', '-sSI', url)))

    @needs('promtool')
    @on_each_backend
    def test_promtool_has_nothing_to_complain_of(self, server):
        client = server.connect()
        client.request('GET', '/metrics')
        page = client.getresponse().read()
        client.close()
        self.assertEqual(run('promtool', 'check', 'metrics', input=page), '')


if __name__ == '__main__':
    sys.exit(unittest.main())
