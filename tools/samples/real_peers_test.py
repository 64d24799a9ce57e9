#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The servers of docs/networking.md and clients that others wrote.

Runs with what the machine has of nc, socat, curl and dig, and with Python's asyncio and
sockets; says on stderr what is missing.
"""

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import unittest

_NETWORKING = sys.argv.pop(1)
_BACKENDS = ['auto', 'epoll']


def on_each_backend(test):
    def run(self):
        for backend in _BACKENDS:
            with self.subTest(backend):
                test(self, backend)
    return run


def needs(program):
    if shutil.which(program) is None:
        print(f'real_peers_test: no {program}, its tests are skipped', file=sys.stderr)
        return unittest.skip(f'no {program}')
    return lambda test: test


class Server:
    """One server of the program; `report` is what it printed when it ended."""

    def __init__(self, backend, *flags, datagrams=False):
        self._process = subprocess.Popen(
            [_NETWORKING, '--backend=' + backend, *flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._lines = []
        address = 'backend: ' if datagrams else 'listening on '
        for line in self._process.stdout:
            self._lines.append(line)
            if line.startswith(address):
                self.address = line[len(address):].strip()
                break
        else:
            self._process.wait()
            raise AssertionError('it did not start: ' + ''.join(self._lines))

    @property
    def host(self):
        return self.address.rsplit(':', 1)[0]

    @property
    def port(self):
        return self.address.rsplit(':', 1)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._lines.append(self._process.communicate(timeout=30)[0])
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self.report = ''.join(self._lines)


def listening(backend, serve, *flags):
    return Server(backend, '--serve=' + serve, '--listen=127.0.0.1:0', *flags)


def run(*command, input=b''):
    done = subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f'{command}: exit code {done.returncode}: {done.stderr.decode()}')
    return done.stdout


def free_datagram_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()


class RealPeersTest(unittest.TestCase):

    @needs('nc')
    @on_each_backend
    def test_nc_speaks_lines(self, backend):
        with listening(backend, 'lines') as server:
            heard = run('nc', '-N', server.host, server.port, input=b'hello\nto you\r\n')
        self.assertEqual(heard, b'5 hello\n6 to you\n')

    @needs('socat')
    @on_each_backend
    def test_socat_speaks_lines(self, backend):
        with listening(backend, 'lines') as server:
            heard = run('socat', '-t10', '-', 'TCP:' + server.address, input=b'hello\n')
        self.assertEqual(heard, b'5 hello\n')

    @needs('curl')
    @on_each_backend
    def test_curl_gets_twice_on_one_connection(self, backend):
        with listening(backend, 'http') as server:
            url = f'http://{server.address}/'
            heard = run('curl', '-sS', '-w', '%{num_connects}\n', url, url)
        self.assertEqual(heard, b'Hello\n1\nHello\n0\n')

    @needs('curl')
    @on_each_backend
    def test_curl_gets_a_large_page(self, backend):
        with listening(backend, 'page') as server:
            url = f'http://{server.address}/'
            for _ in range(5):
                self.assertEqual(run('curl', '-sS', url, url), b'x' * 2_000_000)

    # The answer arrives though the body is not read.
    @needs('curl')
    @on_each_backend
    def test_curl_posts_what_nobody_reads(self, backend):
        with listening(backend, 'http') as server:
            for _ in range(20):
                heard = run('curl', '-sS', '-H', 'Expect:', '--data-binary', '@-',
                            f'http://{server.address}/', input=b'x' * 300_000)
                self.assertEqual(heard, b'Hello\n')

    @needs('curl')
    @on_each_backend
    def test_curl_through_the_proxy(self, backend):
        with listening(backend, 'http') as server:
            with listening(backend, 'proxy', '--upstream=' + server.address) as proxy:
                for _ in range(20):
                    self.assertEqual(run('curl', '-sS', f'http://{proxy.address}/'), b'Hello\n')
        self.assertIn('20 accepted, 20 ended well', proxy.report)

    @on_each_backend
    def test_asyncio_clients_beside_each_other(self, backend):
        async def converse(server, number):
            reader, writer = await asyncio.open_connection(server.host, int(server.port))
            for i in range(50):
                line = f'{number} {i} ' + 'x' * (i * 37 % 1000)
                writer.write(line.encode() + b'\n')
                heard = await asyncio.wait_for(reader.readline(), 30)
                self.assertEqual(heard.decode(), f'{len(line)} {line}\n')
            writer.write_eof()
            self.assertEqual(await reader.read(), b'')
            writer.close()

        async def all_of_them(server):
            await asyncio.gather(*(converse(server, n) for n in range(30)))

        with listening(backend, 'lines') as server:
            asyncio.run(all_of_them(server))
        self.assertIn('30 accepted, 30 ended well', server.report)

    # As an ssh session or a video call: both sides talk all the time, at their own pace,
    # and one has finished long before the other.
    @on_each_backend
    def test_long_conversations_through_the_proxy(self, backend):
        async def talk(writer, seed, n_bytes):
            rng = random.Random(seed)
            while n_bytes > 0:
                piece = rng.randbytes(min(n_bytes, rng.choice((1, 100, 5_000, 100_000))))
                n_bytes -= len(piece)
                writer.write(piece)
                await writer.drain()
                if rng.random() < 0.05:
                    await asyncio.sleep(rng.random() / 100)
            writer.write_eof()

        async def listen(reader, seed, n_bytes):
            rng = random.Random(seed)
            while n_bytes > 0:
                size = min(n_bytes, rng.choice((1, 100, 5_000, 100_000)))
                n_bytes -= size
                expected = rng.randbytes(size)
                heard = await asyncio.wait_for(reader.readexactly(size), 60)
                rng.random() < 0.05 and rng.random()  # the pauses of talk()
                self.assertEqual(heard, expected)
            self.assertEqual(await asyncio.wait_for(reader.read(), 60), b'')

        async def answer(reader, writer):
            number = (await reader.readexactly(1))[0]
            await asyncio.gather(talk(writer, -number, 300_000 * (1 + number % 5)),
                                 listen(reader, number, 300_000 * (1 + number % 7)))
            writer.close()

        async def call(proxy, number):
            reader, writer = await asyncio.open_connection(proxy.host, int(proxy.port))
            writer.write(bytes([number]))
            await asyncio.gather(talk(writer, number, 300_000 * (1 + number % 7)),
                                 listen(reader, -number, 300_000 * (1 + number % 5)))
            writer.close()

        async def all_of_them():
            upstream = await asyncio.start_server(answer, '127.0.0.1', 0)
            port = upstream.sockets[0].getsockname()[1]
            with listening(backend, 'proxy', f'--upstream=127.0.0.1:{port}') as proxy:
                await asyncio.gather(*(call(proxy, n) for n in range(1, 13)))
            upstream.close()
            return proxy.report

        self.assertIn('12 accepted, 12 ended well', asyncio.run(all_of_them()))

    @on_each_backend
    def test_frames_of_every_size_in_any_pieces(self, backend):
        frames = b''.join(len(body).to_bytes(4, 'big') + body
                          for body in (os.urandom(n) for n in (0, 1, 4, 100, 65_536, 1_000_000)))
        with listening(backend, 'frames') as server:
            with socket.create_connection((server.host, int(server.port)), timeout=60) as peer:
                def send():
                    for start in range(0, len(frames), 7_919):
                        peer.sendall(frames[start:start + 7_919])
                    peer.shutdown(socket.SHUT_WR)
                sender = threading.Thread(target=send)
                sender.start()
                heard = b''
                while part := peer.recv(1 << 16):
                    heard += part
                sender.join()
        self.assertTrue(heard == frames)
        self.assertIn('1 accepted, 1 ended well', server.report)

    # A connection that lives long, with both sides sending at the same time.
    @on_each_backend
    def test_both_directions_through_the_proxy(self, backend):
        upload, download = os.urandom(3_000_000), os.urandom(2_000_000)
        with socket.create_server(('127.0.0.1', 0)) as upstream:
            upstream.settimeout(60)
            host, port = upstream.getsockname()

            def serve(received):
                connection = upstream.accept()[0]
                connection.settimeout(60)
                with connection:
                    sender = threading.Thread(target=connection.sendall, args=(download,))
                    sender.start()
                    while part := connection.recv(1 << 16):
                        received.append(part)
                    sender.join()

            received = []
            server = threading.Thread(target=serve, args=(received,))
            server.start()
            with listening(backend, 'proxy', f'--upstream={host}:{port}') as proxy:
                address = (proxy.host, int(proxy.port))
                with socket.create_connection(address, timeout=60) as client:
                    def send():
                        client.sendall(upload)
                        client.shutdown(socket.SHUT_WR)
                    sender = threading.Thread(target=send)
                    sender.start()
                    heard = b''
                    while part := client.recv(1 << 16):
                        heard += part
                    sender.join()
                server.join()
        self.assertTrue(heard == download)
        self.assertTrue(b''.join(received) == upload)

    @on_each_backend
    def test_whoever_is_not_allowed_is_cut_off(self, backend):
        for prefixes, expected in (('127.0.0.0/8', b'2 hi\n'), ('10.0.0.0/8', b'')):
            with listening(backend, 'allowed', '--allow=' + prefixes) as server:
                heard = b''
                try:
                    with socket.create_connection((server.host, int(server.port)), 60) as peer:
                        peer.sendall(b'hi\n')
                        heard = peer.recv(100)
                except ConnectionError:
                    pass
                self.assertEqual(heard, expected)

    @needs('dig')
    @on_each_backend
    def test_dig_asks_for_names(self, backend):
        host, port = free_datagram_port()
        with Server(backend, '--serve=names', f'--listen={host}:{port}', datagrams=True):
            def dig(*question):
                return run('dig', '@' + host, '-p', str(port), '+tries=20', '+timeout=1',
                           '+noedns', *question).decode()
            for name in 'ringway.test', 'b.test', 'x' * 63 + '.' + 'y' * 63 + '.test':
                self.assertEqual(dig('+short', name, 'A'), '127.0.0.1\n')
                self.assertIn('status: NOERROR', dig(name, 'A'))
            self.assertEqual(dig('+short', 'ringway.test', 'AAAA'), '')
            self.assertIn('status: NOERROR', dig('ringway.test', 'AAAA'))

    @on_each_backend
    def test_datagrams_come_back(self, backend):
        address = free_datagram_port()
        with Server(backend, '--serve=datagrams', '--listen=%s:%d' % address, datagrams=True):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.settimeout(0.5)
                for payload in (b'one', b'', b'x' * 2048):
                    for _ in range(60):  # until it has bound its socket
                        try:
                            peer.sendto(payload, address)
                            self.assertEqual(peer.recvfrom(4096)[0], payload)
                            break
                        except (TimeoutError, ConnectionError):
                            continue
                    else:
                        self.fail('no reply')

    def test_says_what_is_wrong_with_its_flags(self):
        for flag in '--serve=tea', '--listen=nowhere', '--allow=10.0.0.1/8':
            done = subprocess.run([_NETWORKING, flag], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, flag)
            self.assertTrue(re.search(r'networking: .*\n$', done.stderr), done.stderr)


if __name__ == '__main__':
    sys.exit(unittest.main())
