#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an idle connection costs an echo or an HTTP server, and whether closed ones cost anything.

Opens many connections, exchanges one message on each, and leaves them idle: the
growth of the server's resident memory, by connection. Then opens and closes many
more, some at a time, and compares memory and fds with those before.

Build first:
  bazel build --config=opt //tools/samples:echo_server //tools/samples/http_server

Exit code 1 if an idle connection takes more than --limit, or anything is left of
the closed ones.
"""

import argparse
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time

_PATIENCE_SECONDS = 20
_MESSAGES = {
    'echo': b'x' * 64,
    # As a browser sends it.
    'http': b'\r\n'.join([
        b'GET /hello HTTP/1.1', b'Host: 127.0.0.1:8080', b'Connection: keep-alive',
        b'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
        b'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
        b'Accept-Encoding: gzip, deflate, br, zstd', b'Accept-Language: en-US,en;q=0.9',
        b'Cookie: session=' + b'0123456789abcdef' * 8, b'', b'']),
}
_LIMITS = {'echo': 1536, 'http': 4096}
# Of memory that allocators keep: a few pages of each kind.
_SLACK_BYTES = 512 * 1024
_SHARED_BYTES = 16 * 1024 * 1024


class Failure(Exception):
    """Something that makes the measurement worthless."""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--idle', type=int, default=10000, metavar='N',
                        help='connections that are idle (default %(default)s)')
    parser.add_argument('--closed', type=int, default=100000, metavar='N',
                        help='connections opened and closed (default %(default)s)')
    parser.add_argument('--at-a-time', type=int, default=1000, metavar='N',
                        help='of these (default %(default)s)')
    parser.add_argument('--serves', choices=sorted(_MESSAGES), default='echo',
                        help='default %(default)s')
    parser.add_argument('--limit', type=int, metavar='BYTES',
                        help='for an idle connection (default %s)' % ', '.join(
                            '%s: %d' % limit for limit in _LIMITS.items()))
    parser.add_argument('--backends', default='uring,epoll', metavar='NAME,...')
    parser.add_argument('--receive', default='lent', metavar='WAY,...',
                        help='as of echo_server (default %(default)s)')
    parser.add_argument('--echo-server', default='bazel-bin/tools/samples/echo_server',
                        metavar='FILE', help='default %(default)s')
    parser.add_argument('--http-server', default='bazel-bin/tools/samples/http_server/http_server',
                        metavar='FILE', help='default %(default)s')
    options = parser.parse_args()
    options.limit = options.limit or _LIMITS[options.serves]
    options.message = _MESSAGES[options.serves]
    if options.serves == 'http':
        options.receive = '-'
    if min(options.idle, options.closed, options.at_a_time) < 1:
        parser.error('--idle, --closed and --at-a-time must be at least 1')
    return options


def allow_fds(n):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        raise Failure('%d fds are needed, and ulimit -Hn is %d' % (n, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))


class Server:
    """An echo server of one worker, and what it uses."""

    def __init__(self, command):
        self._output = tempfile.NamedTemporaryFile('w+')
        self._process = subprocess.Popen(command, stdout=self._output,
                                         stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            # Not by the descriptor that the server has: its position is the same.
            with open(self._output.name) as output:
                said = output.read()
            line = re.search(r'^listening on (\S+):(\d+)\n', said, re.MULTILINE)
            if line:
                self.address = line.group(1), int(line.group(2))
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Failure('%s did not start: %s' % (command[0], said.strip()))
            time.sleep(0.02)

    def resident(self):
        with open('/proc/%d/status' % self._process.pid, encoding='ascii') as file:
            return int(re.search(r'VmRSS:\s+(\d+) kB', file.read()).group(1)) * 1024

    def fds(self):
        return len(os.listdir('/proc/%d/fd' % self._process.pid))

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def receive_exactly(connection, n_bytes):
    while n_bytes:
        received = connection.recv(n_bytes)
        if not received:
            raise Failure('the server has closed a connection')
        n_bytes -= len(received)


def size_of_reply(address, message):
    """Of this server's replies to this message, which all have one size."""
    with socket.create_connection(address, timeout=_PATIENCE_SECONDS) as connection:
        connection.sendall(message)
        return len(connection.recv(65536))


def open_connections(address, n, message, n_reply):
    """Connections on each of which a message has gone both ways."""
    connections = []
    for _ in range(n):
        connection = socket.create_connection(address, timeout=_PATIENCE_SECONDS)
        connections.append(connection)
    for connection in connections:
        connection.sendall(message)
    for connection in connections:
        receive_exactly(connection, n_reply)
    return connections


def touch_receive_memory(address, serves):
    """Receives into the memory that all connections share, which is no one's."""
    part = bytes(16 * 1024)
    with socket.create_connection(address, timeout=_PATIENCE_SECONDS) as connection:
        if serves == 'http':
            connection.sendall(b'PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n' %
                               _SHARED_BYTES)
        for _ in range(_SHARED_BYTES // len(part)):
            connection.sendall(part)
            if serves == 'echo':
                receive_exactly(connection, len(part))
        if serves == 'http':
            receive_exactly(connection, 1)


def close_all(connections):
    """By a reset: nothing of them waits in the system, whose ports are few."""
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        connection.close()


def wait_for_fds(server, n):
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while server.fds() > n and time.monotonic() < deadline:
        time.sleep(0.02)
    return server.fds()


def measure(options, backend, receive):
    """Prints a row; true if all is as it should be."""
    program = ([options.http_server] if options.serves == 'http' else
               [options.echo_server, '--receive=' + receive])
    server = Server(program + ['--listen=127.0.0.1:0', '--workers=1', '--backend=' + backend])
    try:
        exchange = options.message, size_of_reply(server.address, options.message)
        # Whatever is made once, at the first use.
        close_all(open_connections(server.address, 10, *exchange))
        touch_receive_memory(server.address, options.serves)
        fds = wait_for_fds(server, server.fds() - 10)
        before = server.resident()
        idle = open_connections(server.address, options.idle, *exchange)
        each = (server.resident() - before) / options.idle
        close_all(idle)
        wait_for_fds(server, fds)
        before = server.resident()
        done = 0
        while done < options.closed:
            n = min(options.at_a_time, options.closed - done)
            close_all(open_connections(server.address, n, *exchange))
            wait_for_fds(server, fds)
            done += n
            if sys.stderr.isatty():
                sys.stderr.write('\r\x1b[K%s, %s: %d of %d opened and closed' % (
                    backend, receive, done, options.closed))
        if sys.stderr.isatty():
            sys.stderr.write('\r\x1b[K')
        grown = server.resident() - before
        left = server.fds() - fds
    finally:
        server.stop()
    good = each <= options.limit and grown <= _SLACK_BYTES and left <= 0
    print('| %s | %s | %d | %+d | %+d | %s |' % (
        backend, receive, round(each), grown // 1024, left, '' if good else 'misses'))
    sys.stdout.flush()
    return good


def main():
    options = parse_arguments()
    program = options.http_server if options.serves == 'http' else options.echo_server
    if not os.access(program, os.X_OK):
        raise Failure('%s is not there: see --help' % program)
    allow_fds(max(options.idle, options.at_a_time) + 1000)
    print('%d idle connections; %d opened and closed, %d at a time' % (
        options.idle, options.closed, options.at_a_time))
    print('| backend | receives | bytes for an idle connection | KiB after closing | fds | |')
    print('|---|---|---|---|---|---|')
    good = [measure(options, backend, receive)
            for backend in options.backends.split(',')
            for receive in options.receive.split(',')]
    if not all(good):
        sys.exit(1)


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit('idle_connections: %s' % failure)
    except KeyboardInterrupt:
        sys.exit(130)
