#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares TLS echo servers: CPU time per handshake and per request.

Ringway's servers on io_uring, where there is one, and on epoll, beside one by hand on epoll and
OpenSSL (peers/tls_epoll_echo.cc) and, with --nginx, beside nginx; on one core, the clients on
another, in turns. Prints a table of medians, with the medians of the ratios of each round.

Handshakes are connections with one request. The client's part of a handshake
costs more than the server's, so the load generator is the limit there, and
"a second" is what the server's CPU time allows: one core, fully used.

"Bulk" are clients that only read what a server writes, 16 KiB at a time (tls_source.cc).

Build first:
  bazel build --config=opt //tools/bench/peers:tls_epoll_echo //tools/bench:tls_source //tools/loadgen //tools/samples:echo_server
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

import echo_compare
import peer_servers
import tls_drain

# `flags` of the load generator, or `drain`: a client that reads `source` bytes, or without an end.
Cell = collections.namedtuple('Cell', 'name least flags drain source', defaults=(None, None, None))

# What Ringway should reach beside the server by hand: at most this CPU time.
_CELLS = [
    Cell('handshakes, full', 1.0, ['--short', '--connections=16', '--tls-resume=false']),
    Cell('handshakes, resumed', 1.0, ['--short', '--connections=8']),
    Cell('handshakes, full, 64 B sent', 1.0, None,
         lambda server, options: server.short(False, options), 64),
    Cell('handshakes, resumed, 64 B sent', 1.0, None,
         lambda server, options: server.short(True, options), 64),
    Cell('bulk, 8 connections', 1.0, None, lambda server, options: server.bulk(8, options), 0),
    Cell('echo of 64 B, 32 connections', 1.03, ['--connections=32', '--size=64']),
    Cell('echo of 64 B, 256 connections', 1.03, ['--connections=256', '--size=64']),
    Cell('echo of 16 KiB, 32 connections', 1.0, ['--connections=32', '--size=16384']),
]
_BY_HAND = 'by hand'
_NGINX = 'nginx'
_FILE_BYTES = 512 * 1024 * 1024


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = lambda name: dict(default='bazel-bin/tools/' + name, metavar='FILE',
                               help='default %(default)s')
    parser.add_argument('--rounds', type=int, default=5, help='default %(default)s')
    parser.add_argument('--duration', type=float, default=1.0, metavar='SECONDS',
                        help='of one run (default %(default)s)')
    parser.add_argument('--warmup', type=float, default=0.2, metavar='SECONDS',
                        help='before it (default %(default)s)')
    parser.add_argument('--cells', default='', metavar='TEXT',
                        help='only those with this in their names')
    parser.add_argument('--nginx', metavar='FILE',
                        help='compare with it, too, where it can do the same')
    parser.add_argument('--server-cpu', type=int, default=0, help='default %(default)s')
    parser.add_argument('--load-cpu', type=int, default=1, help='default %(default)s')
    parser.add_argument('--certificates', default='net/tls/testing/certificates', metavar='FOLDER',
                        help='with server.pem, server.key and ca.pem (default %(default)s)')
    parser.add_argument('--echo-server', **binary('samples/echo_server'))
    parser.add_argument('--tls-source', **binary('bench/tls_source'))
    parser.add_argument('--tls-epoll-echo', **binary('bench/peers/tls_epoll_echo'))
    parser.add_argument('--loadgen', **binary('loadgen/loadgen'))
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error('--rounds must be at least 1')
    options.cells = [cell for cell in _CELLS if options.cells in cell.name]
    if not options.cells:
        parser.error('--cells=%s: none has this in its name' % options.cells)
    file = lambda name: os.path.abspath(os.path.join(options.certificates, name))
    options.ca = file('ca.pem')
    options.cert = file('server.pem')
    options.key = file('server.key')
    return options


def servers_of(options, cell, folder):
    """The commands, by name."""
    ringway = [options.echo_server]
    by_hand = [options.tls_epoll_echo]
    if cell.drain:
        ringway = [options.tls_source, '--bytes=%d' % cell.source]
        by_hand.append('--source=%d' % cell.source)
    ringway += ['--listen={listen}', '--tls-cert=' + options.cert, '--tls-key=' + options.key]
    servers = collections.OrderedDict([
        ('ringway', ringway),
        ('ringway epoll', ringway + ['--backend=epoll']),
        (_BY_HAND, by_hand + ['--listen={listen}', '--cert=' + options.cert,
                              '--key=' + options.key]),
    ])
    if options.nginx and cell.drain:
        servers[_NGINX] = peer_servers.nginx(options.nginx, folder, options.cert, options.key)
    return servers


def measure(options, name, command, cell):
    with echo_compare.running(name, command, {options.server_cpu}, 'tcp') as (server, address):
        if cell.drain:
            request = (b'GET /%s HTTP/1.0\r\n\r\n' % (b'short' if cell.source else b'file')
                       if name == _NGINX else b'?')
            return cell.drain(tls_drain.Server(address, options.ca, server.pid, request), options)
        load = subprocess.run(
            [options.loadgen, '--json', '--connect=' + address, '--tls', '--ca=' + options.ca,
             '--duration=%gs' % options.duration, '--warmup=%gs' % options.warmup,
             '--pin=%d' % options.load_cpu, '--server-pid=%d' % server.pid] + cell.flags,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if load.returncode != 0:
            raise echo_compare.Failure('%s, %s: the load generator ended with exit code %d: %s' % (
                name, cell.name, load.returncode,
                echo_compare.first_error(load.stdout) or load.stderr.strip()))
    return json.loads(load.stdout)


def row(cell, runs_of):
    cpu = 'server_cpu_us_per_request'
    columns = [cell.name]
    missed = []
    for name, runs in runs_of.items():
        us = echo_compare.median(runs, cpu)
        text = '%.1f us' % us
        if cell.name.startswith('handshakes'):
            text += ' (%s a second)' % format(round(1e6 / us), ',')
        elif cell.drain:
            text += ', %d MB/s' % round(
                echo_compare.median(runs, 'requests_per_second') * tls_drain.BLOCK / 1e6)
        else:
            text += ', %s/s' % format(round(echo_compare.median(runs, 'requests_per_second')), ',')
        if name != _BY_HAND:
            ratio = echo_compare.paired_ratio(runs, runs_of[_BY_HAND], cpu)
            text += ', **%.2f**' % ratio
            if ratio > cell.least and name != _NGINX:
                missed.append(name)
        columns.append(text)
    columns.append('misses: ' + ', '.join(missed) if missed else '')
    return '| %s |' % ' | '.join(columns)


def main():
    options = parse_arguments()
    usable = os.sched_getaffinity(0)
    if not {options.server_cpu, options.load_cpu} <= usable:
        raise echo_compare.Failure('CPUs %d and %d are not both usable here (%s are)' % (
            options.server_cpu, options.load_cpu, sorted(usable)))
    # What runs here are the clients; servers are moved to theirs.
    os.sched_setaffinity(0, {options.load_cpu})
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        os.chmod(folder, 0o755)  # for nginx, which gives up being root
        if options.nginx:
            with open(os.path.join(folder, 'file'), 'wb') as file:
                for _ in range(_FILE_BYTES // tls_drain.BLOCK):
                    file.write(tls_drain.EXPECTED)
        for cell in options.cells:
            compare(options, cell, servers_of(options, cell, folder))


def compare(options, cell, servers):
    print('| CPU time for each, bold: to that by hand | %s | |' % ' | '.join(servers))
    print('|---|%s---|' % ('---|' * len(servers)))
    runs_of = collections.OrderedDict((name, []) for name in servers)
    for round_number in range(options.rounds):
        names = list(servers)
        # Each order comes as often, so that none is always the first.
        for name in names if round_number % 2 == 0 else reversed(names):
            runs_of[name].append(measure(options, name, servers[name], cell))
    print(row(cell, runs_of))
    sys.stdout.flush()


if __name__ == '__main__':
    try:
        main()
    except (echo_compare.Failure, tls_drain.Failure) as failure:
        sys.exit('tls_compare: %s' % failure)
