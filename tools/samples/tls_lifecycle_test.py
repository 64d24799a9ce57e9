#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The echo server with TLS, seen by clients: load, its end, restarts, new certificates.

  tls_lifecycle_test.py ECHO_SERVER LOADGEN CERTIFICATE [--reload-seconds=N] [--connections=N]

CERTIFICATE is any file of the folder of certificates. By default the test is short; the
arguments make it as long as one likes.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sample_server  # noqa: E402

_OPTIONS = argparse.ArgumentParser()
_OPTIONS.add_argument('echo_server')
_OPTIONS.add_argument('loadgen')
_OPTIONS.add_argument('certificate')
_OPTIONS.add_argument('--reload-seconds', type=float, default=3)
_OPTIONS.add_argument('--restart-seconds', type=int, default=4)
_OPTIONS.add_argument('--connections', type=int, default=32)
_OPTIONS, _REST = _OPTIONS.parse_known_args()
sys.argv[1:] = _REST

_FOLDER = os.path.dirname(_OPTIONS.certificate)
_CA = os.path.join(_FOLDER, 'ca.pem')
_QUEUED = 10
_RESTARTS = 4
_RELOAD_INTERVAL_SECONDS = 0.05
_PATIENCE_SECONDS = 60


def certificate_flags(folder=_FOLDER):
    return ['--tls-cert=%s/server.pem' % folder, '--tls-key=%s/server.key' % folder]


def serve(*flags, inherited=None):
    """The echo server."""
    return sample_server.Server(_OPTIONS.echo_server, *flags, inherited=inherited)


def connect(address):
    host, port = address.rsplit(':', 1)
    return socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS)


def shake_hands(connection):
    """The stream of TLS; an end without a close_notify raises."""
    context = ssl.create_default_context(cafile=_CA)
    return context.wrap_socket(connection, server_hostname='127.0.0.1',
                               suppress_ragged_eofs=False)


def load_of(address, *flags):
    return subprocess.Popen(
        [_OPTIONS.loadgen, '--json', '--tls', '--ca=' + _CA, '--connect=' + address, *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)


def result_of(load, seconds):
    said, errors = load.communicate(timeout=_PATIENCE_SECONDS + seconds)
    if load.returncode != 0:
        raise AssertionError('the load generator: %s%s' % (errors, said))
    return json.loads(said)


class Client(threading.Thread):
    """Asks again and again until the server ends the stream."""

    def __init__(self, connection, number):
        super().__init__()
        self._connection = connection
        self._number = number
        self.answered = 0
        self.failure = None
        self.start()

    def run(self):
        try:
            with shake_hands(self._connection) as stream:
                while self._ask(stream):
                    self.answered += 1
        except (OSError, AssertionError) as failure:
            self.failure = failure

    def _ask(self, stream):
        request = ('%d %d' % (self._number, self.answered)).encode().ljust(64)
        try:
            stream.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what is to be read says how it ended
        answer = b''
        while len(answer) < len(request):
            part = stream.recv(len(request) - len(answer))
            if not part:
                if answer:
                    raise AssertionError('a part of an answer')
                return False
            answer += part
        if answer != request:
            raise AssertionError('something else: %r' % answer)
        return True


class EachBackend:
    """The tests of a class with `check(backend)`."""

    def test_io_uring_where_there_is_one(self):
        self.check('auto')

    def test_epoll(self):
        self.check('epoll')


class Load(EachBackend, unittest.TestCase):

    def check(self, backend):
        with serve('--listen=127.0.0.1:0', '--backend=' + backend, *certificate_flags()) as server:
            address = server.line('listening on ')
            for name, flags in (('closed', ['--connections=8', '--pipeline=4']),
                                ('large', ['--connections=2', '--size=200000']),
                                ('short', ['--connections=4', '--short']),
                                ('full', ['--connections=4', '--short', '--tls-resume=false']),
                                ('open', ['--connections=8', '--rate=100']),
                                ('open, short', ['--connections=8', '--rate=20', '--short'])):
                with self.subTest(name):
                    result = result_of(load_of(address, '--duration=500ms', '--warmup=100ms', *flags), 1)
                    self.assertEqual(result['errors'], 0)
            self.assertEqual(server.stop(), 0, server.said())


class EndUnderLoad(EachBackend, unittest.TestCase):

    def check(self, backend):
        for workers in (1, 2):
            with serve('--listen=127.0.0.1:0', '--backend=' + backend, '--workers=%d' % workers,
                        *certificate_flags()) as server:
                address = server.line('listening on ')
                clients = [Client(connect(address), i) for i in range(_OPTIONS.connections)]
                while not all(client.answered > 2 or client.failure for client in clients):
                    time.sleep(0.01)
                # These have connected, and their handshakes come in the drain.
                queued = [connect(address) for _ in range(_QUEUED)]
                server.process.send_signal(signal.SIGTERM)
                for connection in queued:
                    with shake_hands(connection) as stream:
                        stream.sendall(b'early')
                        self.assertEqual(stream.recv(16), b'early')
                        self.assertEqual(stream.recv(16), b'')
                for client in clients:
                    client.join()
                    self.assertIsNone(client.failure)
                self.assertEqual(server.process.wait(timeout=_PATIENCE_SECONDS), 0, server.said())
                self.assertIn('\ndrained\n', server.said())


class Restart(EachBackend, unittest.TestCase):
    """One process takes over from the other, and no client notices."""

    def check(self, backend):
        start = lambda listener: serve('--listen=inherited:web', '--backend=' + backend,
                                        *certificate_flags(), inherited=listener)
        seconds = _OPTIONS.restart_seconds
        with socket.create_server(('127.0.0.1', 0), backlog=1024) as listener, \
                contextlib.ExitStack() as servers:
            now = servers.enter_context(start(listener))
            load = load_of('127.0.0.1:%d' % listener.getsockname()[1], '--short',
                           '--connections=8', '--duration=%ds' % seconds, '--warmup=0ms')
            for _ in range(_RESTARTS):
                time.sleep(seconds / (_RESTARTS + 1.5))
                before, now = now, servers.enter_context(start(listener))
                self.assertEqual(before.stop(), 0, before.said())
            result = result_of(load, seconds)
            self.assertEqual(result['errors'], 0)
            self.assertGreater(result['requests'], 10 * seconds)
            print('%s: %d restarts, %d connections, no error' % (
                backend, _RESTARTS, result['requests']), file=sys.stderr)


class NewCertificates(EachBackend, unittest.TestCase):
    """Under connections that come and go the certificate changes all the time."""

    def check(self, backend):
        seconds = _OPTIONS.reload_seconds
        with tempfile.TemporaryDirectory() as folder:
            for kind, name in (('ecdsa', 'server'), ('rsa', 'server_rsa')):
                os.mkdir(os.path.join(folder, kind))
                for end in ('.pem', '.key'):
                    shutil.copy(os.path.join(_FOLDER, name + end),
                                os.path.join(folder, kind, 'server' + end))
            current = os.path.join(folder, 'current')
            os.symlink('ecdsa', current)
            with serve('--listen=127.0.0.1:0', '--backend=' + backend, '--workers=2',
                        *certificate_flags(current)) as server:
                load = load_of(server.line('listening on '), '--short', '--connections=8',
                               '--duration=%dms' % round(1000 * seconds))
                changes = 0
                while load.poll() is None:
                    time.sleep(_RELOAD_INTERVAL_SECONDS)
                    changes += 1
                    # Both files at once.
                    os.symlink(('ecdsa', 'rsa')[changes % 2], current + '.new')
                    os.replace(current + '.new', current)
                    server.process.send_signal(signal.SIGHUP)
                result = result_of(load, seconds)
                self.assertEqual(result['errors'], 0)
                self.assertEqual(server.stop(), 0, server.said())
                reloads = server.said().count('the certificate was read again\n')
                # Signals that wait are one, and a change may come between the two files.
                self.assertGreater(reloads, changes / 4, server.said())
                print('%s: %d reloads, %d connections, no error' % (
                    backend, reloads, result['requests']), file=sys.stderr)

    def test_one_that_cannot_be_used_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for end in ('.pem', '.key'):
                shutil.copy(os.path.join(_FOLDER, 'server' + end), folder)
            with serve('--listen=127.0.0.1:0', *certificate_flags(folder)) as server:
                with open(os.path.join(folder, 'server.pem'), 'w') as file:
                    file.write('nothing')
                server.process.send_signal(signal.SIGHUP)
                self.assertIn('server.pem', server.line('the certificate stays: '))
                with shake_hands(connect(server.line('listening on '))) as stream:
                    stream.sendall(b'x')
                    self.assertEqual(stream.recv(1), b'x')
                self.assertEqual(server.stop(), 0, server.said())


class Users(unittest.TestCase):

    def refused(self, *flags):
        done = subprocess.run([_OPTIONS.echo_server, '--listen=127.0.0.1:0', *flags], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=_PATIENCE_SECONDS,
                              universal_newlines=True)
        self.assertEqual(done.returncode, 2, done.stdout)
        return done.stdout

    def test_flags_that_are_wrong(self):
        cert, key = certificate_flags()
        self.assertIn('--tls-cert needs --tls-key', self.refused(cert))
        self.assertIn('--tls-key needs --tls-cert', self.refused(key))
        self.assertIn('/nowhere', self.refused('--tls-cert=/nowhere', key))
        self.assertIn('does not belong to the certificate', self.refused(cert, '--tls-key=%s/stranger.key' % _FOLDER))

    def test_openssl(self):
        with serve('--listen=127.0.0.1:0', *certificate_flags()) as server:
            # The input must not end before the reply.
            done = subprocess.run(
                ['bash', '-c', '{ echo ping; sleep 0.5; } | timeout 30 openssl s_client -connect %s '
                 '-CAfile %s -verify_return_error -verify_ip 127.0.0.1 -no_ign_eof' % (
                     server.line('listening on '), _CA)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
            self.assertIn('\nping\n', done.stdout)
            self.assertIn('Verify return code: 0 (ok)', done.stdout)
            self.assertEqual(server.stop(), 0, server.said())

    def test_the_load_generator_verifies(self):
        with serve('--listen=127.0.0.1:0', *certificate_flags()) as server:
            address = server.line('listening on ')
            run = lambda *flags: subprocess.run(
                [_OPTIONS.loadgen, '--connect=' + address, '--connections=1', '--duration=100ms',
                 '--warmup=0ms', *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=_PATIENCE_SECONDS, universal_newlines=True)
            unknown = run('--tls', '--ca=%s/other_ca.pem' % _FOLDER)
            self.assertEqual(unknown.returncode, 1)
            self.assertIn('certificate', unknown.stdout)
            other = run('--tls', '--ca=' + _CA, '--tls-name=other.test')
            self.assertEqual(other.returncode, 1)
            self.assertIn('other.test', other.stdout)
            self.assertEqual(run('--tls', '--insecure').returncode, 0)
            self.assertEqual(run().returncode, 1)  # without TLS

    def test_the_page_counts_handshakes(self):
        with serve('--listen=127.0.0.1:0', '--metrics=127.0.0.1:0', *certificate_flags()) as server:
            shake_hands(connect(server.line('listening on '))).close()
            plain = connect(server.line('listening on '))
            plain.sendall(b'GET / HTTP/1.0\r\n\r\n')
            while plain.recv(4096):
                pass
            plain.close()
            pages = http.client.HTTPConnection(server.line('metrics on '))
            pages.request('GET', '/metrics')
            page = pages.getresponse().read().decode()
            pages.close()
            for line in ('ringway_tls_handshakes_total{context="127.0.0.1:0"} 1',
                         'ringway_tls_handshakes_tls13_total{context="127.0.0.1:0"} 1',
                         'ringway_tls_handshakes_failed_total{context="127.0.0.1:0"} 1'):
                self.assertIn(line + '\n', page)


if __name__ == '__main__':
    unittest.main()
