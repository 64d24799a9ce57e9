#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every server that echo_compare.py knows starts, answers, and ends on SIGTERM.

Not its speed. operations_echo, which no table started by itself, was once refused the
default of its own --pin.
"""

import os
import subprocess
import sys
import unittest

_COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'echo_compare.py')
# The flags of echo_compare.py that say where the programs are; the first program is
# operations_echo, which is one more server.
_OPERATIONS, *_PROGRAMS = sys.argv[1:]
del sys.argv[1:]


def has_io_uring():
    """Whether the kernel gives this process a ring: the server by hand starts."""
    path = next(flag.split('=', 1)[1] for flag in _PROGRAMS if flag.startswith('--uring-echo='))
    server = subprocess.Popen([path, '--listen=127.0.0.1:0'], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        server.wait(timeout=0.3)
        return False
    except subprocess.TimeoutExpired:
        server.terminate()
        server.wait()
        return True


class EchoCompare(unittest.TestCase):

    def compare(self, family, servers, *more):
        cpus = sorted(os.sched_getaffinity(0))
        done = subprocess.run(
            [_COMPARE, '--family=' + family, '--servers=' + ','.join(servers),
             '--connections=1', '--sizes=64', '--rounds=1', '--duration=50ms', '--warmup=20ms',
             '--server-cpu=%d' % cpus[0], '--load-cpu=%d' % cpus[-1], *_PROGRAMS, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line for line in done.stdout.splitlines() if ' core' not in line]
        for name in servers:
            row = [line for line in rows if line.startswith(name.ljust(15))]
            self.assertEqual(len(row), 1, '%s: %s' % (name, done.stdout))
            self.assertEqual(row[0].split('%')[1].split()[0], '0', 'errors: %s' % row[0])
        return rows

    def streams(self, family):
        servers = ['ringway', 'ringway own', 'ringway epoll', 'epoll']
        if has_io_uring():
            servers += ['uring', 'uring spins']
        self.compare(family, servers)

    def test_tcp(self):
        self.streams('tcp')

    def test_unix(self):
        self.streams('unix')

    def test_datagrams(self):
        self.compare('udp', ['ringway', 'ringway epoll', 'epoll', 'epoll batches'])

    def test_operations(self):
        rows = self.compare('tcp', ['epoll'],
                            '--peer=operations=%s --listen={address}' % _OPERATIONS,
                            '--peer=oneshot=%s --listen={address} --receive=oneshot --backend=epoll'
                            % _OPERATIONS)
        for name in ['operations', 'oneshot']:
            self.assertTrue(any(row.startswith(name) for row in rows), rows)


if __name__ == '__main__':
    unittest.main()
