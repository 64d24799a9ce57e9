#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_server as its users see it: Python's client, TLS, and its end under load.

  http_server_test.py SERVER CA-FILE [--rounds=N]

--rounds: how often the server is ended under load, on each backend.
"""

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
import unittest
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients  # noqa: E402

_PATIENCE_SECONDS = 60
_ROUNDS = 2
_LOAD_THREADS = 8


class Server(clients.Server):

    def connect(self):
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=_PATIENCE_SECONDS)


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


class HttpServer(unittest.TestCase):

    def test_web_socket(self):
        with Server() as server:
            connection = socket.create_connection(('127.0.0.1', server.port), _PATIENCE_SECONDS)
            with connection, connection.makefile('rb') as answer:
                key = base64.b64encode(os.urandom(16)).decode()
                connection.sendall((
                    'GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n'
                    'Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                    f'Sec-WebSocket-Key: {key}\r\n\r\n').encode())
                self.assertIn(b' 101 ', answer.readline())
                fields = {}
                for line in iter(answer.readline, b'\r\n'):
                    name, value = line.decode().strip().split(': ')
                    fields[name.lower()] = value
                proof = hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode())
                self.assertEqual(fields['sec-websocket-accept'],
                                 base64.b64encode(proof.digest()).decode())
                connection.sendall(bytes([0x81, 0x85, 0, 0, 0, 0]) + b'Hello')
                self.assertEqual(answer.read(7), b'\x81\x05Hello')
                connection.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
                self.assertEqual(answer.read(), b'\x88\x00')

    def test_handlers(self):
        with Server() as server:
            connection = server.connect()
            response, body = ask(connection, 'GET', '/hello')
            self.assertEqual((response.status, body), (200, b'Hello, World!'))
            response, body = ask(connection, 'GET', '/api/worker')
            self.assertEqual(json.loads(body), {'worker': 0, 'answers': 1})
            self.assertEqual(response.getheader('Content-Type'), 'application/json')
            content = os.urandom(300000)
            wanted = {'bytes': len(content), 'crc32': '%08x' % zlib.crc32(content)}
            _, body = ask(connection, 'PUT', '/upload', content)
            self.assertEqual(json.loads(body), wanted)
            pieces = (content[i:i + 7000] for i in range(0, len(content), 7000))
            _, body = ask(connection, 'POST', '/upload', pieces)
            self.assertEqual(json.loads(body), wanted)
            response, _ = ask(connection, 'GET', '/none')
            self.assertEqual(response.status, 404)
            self.assertEqual(server.stop(), 0, server.said())

    def test_events_until_the_drain(self):
        with Server() as server:
            connection = server.connect()
            connection.request('GET', '/events')
            response = connection.getresponse()
            self.assertEqual(response.getheader('Content-Type'), 'text/event-stream')
            self.assertEqual(response.readline(), b'id: 0\n')
            self.assertEqual(response.readline(), b'data: tick 0\n')
            self.assertEqual(server.stop(), 0, server.said())
            response.read()  # it ends, and is whole

    def test_files_and_the_log(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'page.html'), 'w') as file:
                file.write('<p>' + 'x' * 100000)
            log = os.path.join(folder, 'log')
            with Server('--root=' + folder, '--access-log=' + log, '--workers=2') as server:
                connection = server.connect()
                response, body = ask(connection, 'GET', '/page.html')
                self.assertEqual(len(body), 100003)
                self.assertEqual(response.getheader('Content-Type'), 'text/html; charset=utf-8')
                tag = response.getheader('ETag')
                response, body = ask(connection, 'GET', '/page.html', None, {'If-None-Match': tag})
                self.assertEqual((response.status, body), (304, b''))
                response, body = ask(connection, 'GET', '/page.html', None,
                                     {'Range': 'bytes=0-2'})
                self.assertEqual((response.status, body), (206, b'<p>'))
                response, _ = ask(connection, 'GET', '/../etc/passwd')
                self.assertEqual(response.status, 404)
                connection.close()
                self.assertEqual(server.stop(), 0, server.said())
            with open(log) as lines:
                statuses = re.findall(r'" (\d+) \d+ [\d.]+\n', lines.read())
            self.assertEqual(statuses, ['200', '304', '206', '404'])

    def test_tls(self):
        with Server(tls=True) as server:
            context = ssl.create_default_context(cafile=clients.CA)
            connection = http.client.HTTPSConnection('localhost', server.port, context=context,
                                                     timeout=_PATIENCE_SECONDS)
            for _ in range(3):
                response, body = ask(connection, 'GET', '/hello')
                self.assertEqual((response.status, body), (200, b'Hello, World!'))
            # As old clients ask for.
            context.set_alpn_protocols(['http/1.0'])
            connection = http.client.HTTPSConnection('localhost', server.port, context=context,
                                                     timeout=_PATIENCE_SECONDS)
            response, body = ask(connection, 'GET', '/hello')
            self.assertEqual(response.status, 200)
            self.assertEqual(server.stop(), 0, server.said())

    def test_the_end_under_load_fails_no_request(self):
        for backend in ('auto', 'epoll'):
            for _ in range(_ROUNDS):
                self.end_under_load(backend)

    def end_under_load(self, backend):
        failed = []
        answered = [0] * _LOAD_THREADS

        def load(number):
            """On one connection, until the server says that it closes."""
            try:
                connection = server.connect()
                while True:
                    response, body = ask(connection, 'GET', '/hello')
                    if (response.status, body) != (200, b'Hello, World!'):
                        failed.append((response.status, body))
                        return
                    answered[number] += 1
                    if response.getheader('Connection') == 'close':
                        return
            except (OSError, http.client.HTTPException) as failure:
                failed.append(failure)

        with Server('--backend=' + backend, '--workers=2') as server:
            threads = [threading.Thread(target=load, args=(i,)) for i in range(_LOAD_THREADS)]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while min(answered) < 20 and not failed and time.monotonic() < deadline:
                time.sleep(0.01)
            code = server.stop()
            for thread in threads:
                thread.join()
            self.assertEqual(failed, [], backend)
            self.assertEqual(code, 0, server.said())


if __name__ == '__main__':
    for flag in sys.argv[3:]:
        if flag.startswith('--rounds='):
            _ROUNDS = int(flag.split('=')[1])
            sys.argv.remove(flag)
    clients.take_arguments()
    unittest.main()
