# SPDX-License-Identifier: Apache-2.0
"""Clients of a server that sends by TLS to whoever asks (tls_source.cc).

They check every byte and measure the CPU time of the server's process.
"""

import contextlib
import selectors
import socket
import ssl
import time

BLOCK = 16 * 1024
EXPECTED = memoryview(b'x' * BLOCK)
_PATIENCE_SECONDS = 20


class Failure(Exception):
    """Something that makes the measurement worthless."""


class Measurement:
    """After options.warmup seconds, for options.duration of them."""

    def __init__(self, pid, options):
        # As clock_getcpuclockid(3) makes it.
        self._clock = (~pid << 3) | 2
        self._start = time.monotonic() + options.warmup
        self._end = self._start + options.duration
        self._begun = None
        self._result = None

    def ended(self, done):
        """To be asked again and again, with the number of requests until now."""
        now = time.monotonic()
        if now < self._start:
            return False
        if self._begun is None:
            self._begun = (done, now, time.clock_gettime(self._clock))
        if now < self._end:
            return False
        begun, since, cpu = self._begun
        if done == begun:
            raise Failure('nothing has arrived in %.1f s' % (now - since))
        self._result = {
            'server_cpu_us_per_request':
                (time.clock_gettime(self._clock) - cpu) * 1e6 / (done - begun),
            'requests_per_second': (done - begun) / (now - since),
        }
        return True

    def result(self):
        return self._result


class _Connection:
    """Reads the head of a reply, if the request was one of HTTP, and what follows."""

    def __init__(self, server, session=None):
        host, port = server.address.rsplit(':', 1)
        self.stream = server.context.wrap_socket(
            socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS),
            server_hostname='localhost', session=session)
        self._head = b'' if server.request.startswith(b'GET') else None
        self.stream.sendall(server.request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def read(self, buffer):
        """The number of bytes that came after the head; None at the end."""
        n = self.stream.recv_into(buffer)
        if n == 0:
            return None
        body = buffer[:n]
        if self._head is not None:
            self._head += body
            _, found, rest = self._head.partition(b'\r\n\r\n')
            if not found:
                return 0
            self._head = None
            body = rest
        if body != EXPECTED[:len(body)]:
            raise Failure('other bytes than the server has sent')
        return len(body)

    def read_all_there_is(self, buffer):
        """OpenSSL may have more than the socket shows."""
        total = 0
        while True:
            try:
                n = self.read(buffer)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return total
            if n is None:
                raise Failure('the server ended a connection')
            total += n
            if not self.stream.pending():
                return total


class Server:
    """What the clients know of one: they say `request`, and it sends."""

    def __init__(self, address, ca, pid, request):
        self.address = address
        self.context = ssl.create_default_context(cafile=ca)
        self.request = request
        self._pid = pid

    def bulk(self, connections, options):
        """Reads from all as fast as this core can; a request is a block of 16 KiB."""
        buffer = memoryview(bytearray(BLOCK))
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            for _ in range(connections):
                connection = stack.enter_context(_Connection(self))
                connection.stream.setblocking(False)
                selector.register(connection.stream, selectors.EVENT_READ, connection)
            measurement = Measurement(self._pid, options)
            total = 0
            while not measurement.ended(total / BLOCK):
                for key, _ in selector.select(1):
                    total += key.data.read_all_there_is(buffer)
            return measurement.result()

    def short(self, resumed, options):
        """One connection after the other, each to its end; a request is a connection."""
        buffer = memoryview(bytearray(BLOCK))
        measurement = Measurement(self._pid, options)
        session = None
        done = 0
        while not measurement.ended(done):
            with _Connection(self, session) as connection:
                if connection.stream.session_reused != (session is not None):
                    raise Failure('a session was %sresumed' % ('not ' if session else ''))
                while connection.read(buffer) is not None:
                    pass
                if resumed:
                    session = connection.stream.session  # the ticket came with the reply
            done += 1
        return measurement.result()
