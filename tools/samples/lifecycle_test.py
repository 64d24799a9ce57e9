#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The echo server's end under load, its restarts, and its pages, seen by clients.

  lifecycle_test.py ECHO_SERVER LOADGEN [--rounds=N] [--connections=N] [--restart-seconds=N]

By default it is short; the arguments make it as long as one likes.
"""

import argparse
import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sample_server  # noqa: E402

_OPTIONS = argparse.ArgumentParser()
_OPTIONS.add_argument('echo_server')
_OPTIONS.add_argument('loadgen')
_OPTIONS.add_argument('--rounds', type=int, default=1)
_OPTIONS.add_argument('--connections', type=int, default=64)
_OPTIONS.add_argument('--restart-seconds', type=int, default=4)
_OPTIONS.add_argument('--restarts', type=int, default=5)
_OPTIONS, _REST = _OPTIONS.parse_known_args()
sys.argv[1:] = _REST

_REQUEST = 64
_DEEP = 16
_QUEUED = 30
_PATIENCE_SECONDS = 60


def serve(*flags, inherited=None):
    """The echo server."""
    return sample_server.Server(_OPTIONS.echo_server, *flags, inherited=inherited)


def connect(address):
    if address.startswith('unix:'):
        client = socket.socket(socket.AF_UNIX)
        client.connect(address[len('unix:'):])
        return client
    host, port = address.rsplit(':', 1)
    return socket.create_connection((host, int(port)))


class Client:
    """Keeps some requests on their way, and compares what comes back."""

    def __init__(self, address, number):
        self.socket = connect(address)
        self.socket.setblocking(False)
        self.number = number
        self.sent = 0
        self.got = 0
        self.ended = False

    def fileno(self):
        return self.socket.fileno()

    def bytes(self, begin, end):
        """Of the endless stream of this client's requests."""
        pattern = bytes((self.number + i) % 251 for i in range(251))
        first = begin % 251
        return (pattern * ((end - begin) // 251 + 2))[first:first + end - begin]

    def fill(self):
        while self.sent - self.got < _REQUEST * _DEEP:
            try:
                self.sent += self.socket.send(
                    self.bytes(self.sent, self.got + _REQUEST * _DEEP))
            except BlockingIOError:
                return
            except (BrokenPipeError, ConnectionResetError):
                return  # what is to be read says how it ended

    def take(self):
        """A reset raises, and so does what was never sent."""
        try:
            answer = self.socket.recv(65536)
        except BlockingIOError:
            return
        if not answer:
            self.ended = True
            self.socket.close()
            return
        if answer != self.bytes(self.got, self.got + len(answer)):
            raise AssertionError('client %d got something else' % self.number)
        self.got += len(answer)


class EndUnderLoad(unittest.TestCase):

    def check(self, backend, family, workers):
        with tempfile.TemporaryDirectory() as folder:
            listen = 'unix:%s/s' % folder if family == 'unix' else '127.0.0.1:0'
            with serve('--listen=' + listen, '--backend=' + backend,
                        '--workers=%d' % workers) as server:
                address = server.line('listening on ')
                clients = [Client(address, i) for i in range(_OPTIONS.connections)]
                for _ in range(20):
                    self.turn(clients)
                # These have connected and sent, and nobody has answered yet.
                queued = [connect(address) for _ in range(_QUEUED)]
                for client in queued:
                    client.sendall(b'early')
                server.process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + _PATIENCE_SECONDS
                while not all(client.ended for client in clients):
                    self.assertLess(time.monotonic(), deadline, server.said())
                    self.turn([c for c in clients if not c.ended])
                for client in queued:
                    client.settimeout(_PATIENCE_SECONDS)
                    self.assertEqual(client.recv(16), b'early')
                    self.assertEqual(client.recv(16), b'')
                    client.close()
                self.assertEqual(server.process.wait(timeout=_PATIENCE_SECONDS), 0,
                                 server.said())
                self.assertIn('\ndrained\n', server.said())
                self.assertTrue(all(client.got > 0 for client in clients))

    def turn(self, clients):
        for client in clients:
            client.fill()
        for client in select.select(clients, [], [], 1)[0]:
            client.take()

    def test_every_request_that_was_read_is_answered(self):
        for round_number in range(_OPTIONS.rounds):
            for backend in ['auto', 'epoll']:
                for family in ['tcp', 'unix']:
                    for workers in [1, 2]:
                        with self.subTest(round=round_number, backend=backend, family=family,
                                          workers=workers):
                            self.check(backend, family, workers)
            if _OPTIONS.rounds > 1:
                print('round %d of %d' % (round_number + 1, _OPTIONS.rounds), file=sys.stderr)


class Restart(unittest.TestCase):
    """One process takes over from the other, and no client notices."""

    def check(self, backend):
        start = lambda listener: serve('--listen=inherited:web', '--backend=' + backend,
                                        '--workers=2', inherited=listener)
        seconds = _OPTIONS.restart_seconds
        with socket.create_server(('127.0.0.1', 0), backlog=1024) as listener, \
                contextlib.ExitStack() as servers:
            now = servers.enter_context(start(listener))
            load = subprocess.Popen(
                [_OPTIONS.loadgen, '--json', '--short', '--rate=1000', '--connections=256',
                 '--size=64', '--duration=%ds' % seconds, '--warmup=0ms',
                 '--connect=127.0.0.1:%d' % listener.getsockname()[1]],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
            for _ in range(_OPTIONS.restarts):
                time.sleep(seconds / (_OPTIONS.restarts + 1.5))
                before, now = now, servers.enter_context(start(listener))
                self.assertEqual(before.stop(), 0, before.said())
            said, errors = load.communicate(timeout=_PATIENCE_SECONDS + seconds)
            result = json.loads(said)
            self.assertEqual(load.returncode, 0, errors + said)
            self.assertEqual(result['errors'], 0, said)
            self.assertGreater(result['answered'], 500 * seconds, said)
            print('%s: %d restarts, %d connections, %d errors' % (
                backend, _OPTIONS.restarts, result['answered'], result['errors']),
                file=sys.stderr)

    def test_io_uring_where_there_is_one(self):
        self.check('auto')

    def test_epoll(self):
        self.check('epoll')


class Pages(unittest.TestCase):

    def test_a_sample_shows_its_state(self):
        with serve('--listen=127.0.0.1:0', '--metrics=127.0.0.1:0') as server:
            client = connect(server.line('listening on '))
            client.sendall(b'x')
            self.assertEqual(client.recv(1), b'x')
            pages = http.client.HTTPConnection(server.line('metrics on '))
            page = {}
            for path in ['/metrics', '/healthz', '/readyz', '/tasks']:
                pages.request('GET', path)
                answer = pages.getresponse()
                self.assertEqual(answer.status, 200)
                page[path] = answer.read().decode()
            self.assertIn('ringway_connections_accepted_total{worker="0"} 1\n', page['/metrics'])
            self.assertIn('connection 127.0.0.1:', page['/tasks'])
            if shutil.which('promtool'):
                judged = subprocess.run(['promtool', 'check', 'metrics'], input=page['/metrics'],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        universal_newlines=True)
                self.assertEqual((judged.returncode, judged.stdout), (0, ''))
            else:
                print('lifecycle_test: no promtool', file=sys.stderr)
            pages.close()
            client.close()

    def test_quit_prints_the_tasks(self):
        with serve('--listen=127.0.0.1:0') as server:
            client = connect(server.line('listening on '))
            client.sendall(b'x')
            self.assertEqual(client.recv(1), b'x')
            server.process.send_signal(signal.SIGQUIT)
            self.assertRegex(server.line('worker 0: '), 'tasks')
            client.close()
            self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    unittest.main()
