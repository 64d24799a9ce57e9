# SPDX-License-Identifier: Apache-2.0
"""What the tests of http_server by programs of others share."""

import functools
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import sample_server  # noqa: E402

_BACKENDS = ('auto', 'epoll')
_PATIENCE_SECONDS = 60
_SERVER = ''
CA = ''


def take_arguments():
    """Takes SERVER and CA-FILE from the command line."""
    global _SERVER, CA
    _SERVER, CA = (os.path.abspath(path) for path in sys.argv[1:3])
    del sys.argv[1:3]


def needs(program, found=''):
    """Skips a test without the program; `found`: where it is, if not by its name."""
    if (found if found != '' else shutil.which(program)) is not None:
        return lambda test: test
    print('%s: no %s, its tests are skipped' % (os.path.basename(sys.argv[0]), program),
          file=sys.stderr)
    return unittest.skip('no ' + program)


def on_each_backend(test):
    @functools.wraps(test)
    def run(self):
        for backend in _BACKENDS:
            with self.subTest(backend):
                test(self, backend)
    return run


class Failed(AssertionError):
    """A command ended with an exit code that is not 0."""

    def __init__(self, command, done):
        super().__init__('%s: exit code %d: %s%s' % (
            command, done.returncode, done.stdout.decode(errors='replace'),
            done.stderr.decode(errors='replace')))
        self.code = done.returncode


def run(*command, **options):
    """What the command writes to its standard output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=_PATIENCE_SECONDS, check=False, **options)
    if done.returncode != 0:
        raise Failed(command, done)
    return done.stdout


class Server(sample_server.Server):
    """http_server; `origin` begins the URLs that it serves."""

    def __init__(self, *flags, tls=False):
        if tls:
            folder = os.path.dirname(CA)
            flags += ('--tls-cert=%s/server.pem' % folder, '--tls-key=%s/server.key' % folder)
        self._tls = tls
        super().__init__(_SERVER, '--listen=127.0.0.1:0', *flags)

    def __enter__(self):
        super().__enter__()
        self.port = int(self.line('listening on ').rsplit(':', 1)[1])
        host = 'https://localhost' if self._tls else 'http://127.0.0.1'
        self.origin = '%s:%d' % (host, self.port)
        return self
