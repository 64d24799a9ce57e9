#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares echo servers: requests per second and CPU time per request.

Runs each server on one core and the load generator on another, in turns
(A B A B ...), so that a slow phase of the machine hits all of them, and prints
the medians of the rounds with their ratios to the epoll server. At the end a
table says how Ringway does in each cell, and which cells miss.

Build first:
  bazel build --config=opt //tools/...
More servers:
  --peer='NAME=COMMAND'   COMMAND prints `listening on ADDRESS`, or contains
                          {address} or {port}, where a free port is filled in
"""

import argparse
import collections
import contextlib
import json
import os
import re
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time

# A load generator that has no time left measures itself.
_SATURATED = 0.97
_PATIENCE_SECONDS = 10

# What Ringway should reach in every cell. On io_uring: CPU per request of the
# hand-written io_uring server, requests per second of the better one of the two;
# on epoll: requests per second of the hand-written epoll server.
_MOST_CPU = 1.05
_LEAST_RATE = 0.97
# Where one connection makes Ringway spin, the io_uring server by hand that spins
# takes the place of the other one.
_SPINNING = 'uring spins'
_LEAST_SPINNING_RATE = 0.90

Cell = collections.namedtuple('Cell', 'connections size pipeline')


class Failure(Exception):
    """Something that makes the comparison worthless."""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(n) for n in text.split(',')]
    binary = lambda name: dict(default='bazel-bin/tools/' + name, metavar='FILE',
                               help='default %(default)s')
    parser.add_argument('--connections', type=numbers, default=[1, 32, 256], metavar='N,...')
    parser.add_argument('--sizes', type=numbers, default=[64], metavar='N,...')
    parser.add_argument('--pipelines', type=numbers, default=[1], metavar='N,...')
    parser.add_argument('--family', choices=['tcp', 'unix', 'udp'], default='tcp',
                        help='of the sockets (default %(default)s); udp: --connections are datagrams '
                        'in flight, and no server is by hand on io_uring')
    parser.add_argument('--servers', dest='servers_named', type=lambda text: text.split(','), metavar='NAME,...',
                        help='only these, and those of --peer')
    parser.add_argument('--rounds', type=int, default=5, help='default %(default)s')
    parser.add_argument('--duration', default='2s', help='of one run (default %(default)s)')
    parser.add_argument('--warmup', default='500ms', help='before it (default %(default)s)')
    parser.add_argument('--server-cpu', type=int, default=0, help='default %(default)s')
    parser.add_argument('--load-cpu', type=int, default=1, help='default %(default)s')
    parser.add_argument('--echo-server', **binary('samples/echo_server'))
    parser.add_argument('--epoll-echo', **binary('bench/peers/epoll_echo'))
    parser.add_argument('--uring-echo', **binary('bench/peers/uring_echo'))
    parser.add_argument('--loadgen', **binary('loadgen/loadgen'))
    parser.add_argument('--udp-echo', **binary('samples/udp_echo'))
    parser.add_argument('--udp-epoll-echo', **binary('bench/peers/udp_epoll_echo'))
    parser.add_argument('--udp-batch-echo', **binary('bench/peers/udp_batch_echo'))
    parser.add_argument('--udp-load', **binary('bench/peers/udp_load'))
    parser.add_argument('--peer', action='append', default=[], metavar='NAME=COMMAND',
                        help='one more server; may be repeated')
    parser.add_argument('--baseline', default='epoll', metavar='NAME',
                        help='what ratios refer to (default %(default)s)')
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error('--rounds must be at least 1')
    options.servers = collections.OrderedDict([
        ('ringway', [options.echo_server, '--listen={listen}']),
        ('ringway own', [options.echo_server, '--listen={listen}', '--receive=own']),
        ('ringway epoll', [options.echo_server, '--listen={listen}', '--backend=epoll']),
        ('epoll', [options.epoll_echo, '--listen={listen}']),
        ('uring', [options.uring_echo, '--listen={listen}']),
        (_SPINNING, [options.uring_echo, '--listen={listen}', '--spin=50']),
    ])
    if options.family == 'udp':
        options.loadgen = options.udp_load
        options.servers = collections.OrderedDict([
            ('ringway', [options.udp_echo, '--listen={listen}']),
            ('ringway epoll', [options.udp_echo, '--listen={listen}', '--backend=epoll']),
            ('epoll', [options.udp_epoll_echo, '--listen={listen}']),
            ('epoll batches', [options.udp_batch_echo, '--listen={listen}']),
        ])
    for name in options.servers_named or []:
        if name not in options.servers:
            parser.error('--servers=%s: there are %s' % (name, ', '.join(options.servers)))
    if options.servers_named:
        options.servers = collections.OrderedDict(
            (name, command) for name, command in options.servers.items()
            if name in options.servers_named)
    for peer in options.peer:
        name, equals, command = peer.partition('=')
        if not equals or not name or not command:
            parser.error('--peer=%s: expected NAME=COMMAND' % peer)
        options.servers[name] = shlex.split(command)
    if options.baseline not in options.servers:
        parser.error('--baseline=%s: there is no such server' % options.baseline)
    return options


def listen_address(family, folder):
    """Where a server listens: a free port, or a path in the folder."""
    return 'unix:%s/socket' % folder if family == 'unix' else '127.0.0.1:0'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def fill_in(command):
    """Returns the command, and the address if the command says where."""
    if not any('{address}' in word or '{port}' in word for word in command):
        return command, None
    port = free_port()
    address = '127.0.0.1:%d' % port
    return [word.replace('{address}', address).replace('{port}', str(port))
            for word in command], address


def accepts(address):
    host, port = address.rsplit(':', 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def running(name, command, cpus, family):
    """Starts a server on these cores; gives its process and address; ends it."""
    command, address = fill_in(command)
    with tempfile.NamedTemporaryFile('w+') as output, tempfile.TemporaryDirectory() as folder:
        listen = listen_address(family, folder)
        command = [word.replace('{listen}', listen) for word in command]
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus))

        def said():
            # Not by the descriptor that the server has: its position is the same.
            with open(output.name) as text:
                return text.read()

        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            ready = None
            while ready is None:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise Failure('%s did not start: %s' % (name, said().strip()))
                if address is None:
                    line = re.search(r'^listening on (?:udp )?(\S+)\n', said(), re.MULTILINE)
                    ready = line and line.group(1)
                elif accepts(address):
                    ready = address
                time.sleep(0.02)
            yield server, ready
            server.terminate()
            code = server.wait(timeout=_PATIENCE_SECONDS)
            if code not in (0, -15):
                raise Failure('%s ended with exit code %d: %s' % (name, code, said().strip()))
        except subprocess.TimeoutExpired:
            raise Failure('%s did not end within %d s of SIGTERM' % (name, _PATIENCE_SECONDS))
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()


def measure(options, name, cell):
    with running(name, options.servers[name], {options.server_cpu},
                 options.family) as (server, address):
        load = subprocess.run(
            [options.loadgen, '--json', '--connect=' + address,
             '--connections=%d' % cell.connections, '--size=%d' % cell.size,
             '--pipeline=%d' % cell.pipeline, '--duration=' + options.duration,
             '--warmup=' + options.warmup, '--pin=%d' % options.load_cpu,
             '--server-pid=%d' % server.pid],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if load.returncode != 0:
            raise Failure('%s, %s: the load generator ended with exit code %d: %s' % (
                name, describe(cell), load.returncode,
                first_error(load.stdout) or load.stderr.strip()))
    return json.loads(load.stdout)


def first_error(output):
    try:
        return json.loads(output).get('first_error')
    except ValueError:
        return None


def describe(cell):
    deep = '' if cell.pipeline == 1 else ' x %d deep' % cell.pipeline
    return '%d x %d B%s' % (cell.connections, cell.size, deep)


class Progress:
    """One line that is overwritten on a terminal; elsewhere a line per cell."""

    def __init__(self, total):
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._cell = None

    def show(self, cell, name, round_number):
        if self._terminal:
            left = ''
            if self._done:
                seconds = (time.monotonic() - self._start) / self._done
                left = ', %d s left' % round(seconds * (self._total - self._done))
            sys.stderr.write('\r\x1b[K%d/%d: %s, round %d, %s%s' % (
                self._done + 1, self._total, describe(cell), round_number + 1, name, left))
        elif cell != self._cell:
            sys.stderr.write('%d/%d: %s\n' % (self._done + 1, self._total, describe(cell)))
        sys.stderr.flush()
        self._cell = cell
        self._done += 1

    def clear(self):
        if self._terminal:
            sys.stderr.write('\r\x1b[K')


_HEAD = ('%-14s %12s %7s %10s %8s %7s %9s %9s %9s %7s' % (
    'server', 'requests/s', 'ratio', 'CPU us/req', '(least)', 'ratio', 'p50 us', 'p99 us',
    'load core', 'errors'))


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def paired_ratio(runs, others, key):
    """The median of the ratios of each round, which a slow phase of the machine
    does not change."""
    return statistics.median(run[key] / other[key] for run, other in zip(runs, others))


def print_cell(cell, runs_of, baseline):
    print('\n%s' % describe(cell))
    print(_HEAD)
    base_rate = median(runs_of[baseline], 'requests_per_second')
    base_cpu = median(runs_of[baseline], 'server_cpu_us_per_request')
    for name, runs in runs_of.items():
        rate = median(runs, 'requests_per_second')
        cpu = median(runs, 'server_cpu_us_per_request')
        share = median(runs, 'client_cpu_share')
        print('%-14s %12s %7.2f %10.2f %8.2f %7.2f %9.1f %9.1f %8.0f%% %7d%s' % (
            name, format(round(rate), ','), rate / base_rate, cpu,
            min(run['server_cpu_us_per_request'] for run in runs), cpu / base_cpu,
            median(runs, 'p50_us'), median(runs, 'p99_us'), 100 * share,
            sum(run['errors'] for run in runs),
            '  ! the load generator is the limit' if share > _SATURATED else ''))
    sys.stdout.flush()


class Judge:
    """Collects how Ringway does beside the hand-written servers."""

    _HEAD = '| connections x bytes | CPU to uring | requests/s to the better | epoll: requests/s to epoll | |'

    def __init__(self):
        self._rows = []
        self._missed = 0

    def add(self, cell, runs_of):
        ratio_of = lambda name, other, key: paired_ratio(runs_of[name], runs_of[other], key)
        rate = lambda name, other: ratio_of(name, other, 'requests_per_second')
        missed = []
        columns = [describe(cell), '', '', '']
        spins = _SPINNING in runs_of
        uring = _SPINNING if spins else 'uring'
        least = _LEAST_SPINNING_RATE if spins else _LEAST_RATE
        by_hand = [name for name in ('epoll', uring) if name in runs_of]
        if 'ringway' in runs_of and uring in runs_of:
            ratio = ratio_of('ringway', uring, 'server_cpu_us_per_request')
            columns[1] = '%.2f' % ratio
            if ratio > _MOST_CPU:
                missed.append('CPU')
        if 'ringway' in runs_of and by_hand:
            ratio = min(rate('ringway', name) for name in by_hand)
            columns[2] = '%.2f' % ratio
            if ratio < least:
                missed.append('requests/s')
        if 'ringway epoll' in runs_of and 'epoll' in runs_of:
            ratio = rate('ringway epoll', 'epoll')
            columns[3] = '%.2f' % ratio
            if ratio < _LEAST_RATE:
                missed.append('epoll')
        self._missed += bool(missed)
        verdict = 'misses: ' + ', '.join(missed) if missed else ''
        self._rows.append('| %s | %s |' % (' | '.join(columns), verdict))

    def print(self):
        print('\n%s\n|---|---|---|---|---|\n%s' % (self._HEAD, '\n'.join(self._rows)))
        print('\n%d of %d cells miss: CPU at most %.2f, requests/s at least %.2f, '
              'beside a server by hand that spins %.2f' % (
                  self._missed, len(self._rows), _MOST_CPU, _LEAST_RATE, _LEAST_SPINNING_RATE))


def main():
    options = parse_arguments()
    cells = [Cell(connections, size, pipeline) for size in options.sizes
             for pipeline in options.pipelines for connections in options.connections]
    usable = os.sched_getaffinity(0)
    if not {options.server_cpu, options.load_cpu} <= usable:
        raise Failure('CPUs %d and %d are not both usable here (%s are)' % (
            options.server_cpu, options.load_cpu, sorted(usable)))
    for path in [options.loadgen] + [command[0] for command in options.servers.values()]:
        if os.path.dirname(path) and not os.access(path, os.X_OK):
            raise Failure('%s is not there: bazel build --config=opt //tools/...' % path)
    servers_of = lambda cell: [name for name in options.servers
                               if name != _SPINNING or cell.connections == 1]
    progress = Progress(options.rounds * sum(len(servers_of(cell)) for cell in cells))
    print('%s, %d rounds of %s each; server on core %d, load on core %d; medians; ratios to %s' % (
        options.family, options.rounds, options.duration, options.server_cpu,
        options.load_cpu, options.baseline))
    judge = Judge()
    for cell in cells:
        runs_of = collections.OrderedDict((name, []) for name in servers_of(cell))
        for round_number in range(options.rounds):
            for name, runs in runs_of.items():
                progress.show(cell, name, round_number)
                runs.append(measure(options, name, cell))
        progress.clear()
        print_cell(cell, runs_of, options.baseline)
        judge.add(cell, runs_of)
    judge.print()


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit('\necho_compare: %s' % failure)
    except KeyboardInterrupt:
        sys.exit(130)
