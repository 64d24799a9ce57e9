#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares TLS echo servers: CPU time per handshake and per request.

Ringway's echo server on io_uring, where there is one, and on epoll, beside one by hand on epoll and
OpenSSL (peers/tls_epoll_echo.cc); on one core, the load generator on another, in
turns. Prints a table of medians, with the medians of the ratios of each round.

Handshakes are connections with one request. The client's part of a handshake
costs more than the server's, so the load generator is the limit there, and
"a second" is what the server's CPU time allows: one core, fully used.

Build first:
  bazel build --config=opt //tools/bench/peers:tls_epoll_echo //tools/loadgen //tools/samples:echo_server
"""

import argparse
import collections
import json
import os
import subprocess
import sys

import echo_compare

Cell = collections.namedtuple('Cell', 'name flags least')

# What Ringway should reach beside the server by hand: at most this CPU time.
_CELLS = [
    Cell('handshakes, full', ['--short', '--connections=16', '--tls-resume=false'], 1.0),
    Cell('handshakes, resumed', ['--short', '--connections=8'], 1.0),
    Cell('echo of 64 B, 32 connections', ['--connections=32', '--size=64'], 1.03),
    Cell('echo of 64 B, 256 connections', ['--connections=256', '--size=64'], 1.03),
    Cell('echo of 16 KiB, 32 connections', ['--connections=32', '--size=16384'], 1.0),
]
_BY_HAND = 'by hand'


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = lambda name: dict(default='bazel-bin/tools/' + name, metavar='FILE',
                               help='default %(default)s')
    parser.add_argument('--rounds', type=int, default=5, help='default %(default)s')
    parser.add_argument('--duration', default='1s', help='of one run (default %(default)s)')
    parser.add_argument('--warmup', default='200ms', help='before it (default %(default)s)')
    parser.add_argument('--server-cpu', type=int, default=0, help='default %(default)s')
    parser.add_argument('--load-cpu', type=int, default=1, help='default %(default)s')
    parser.add_argument('--certificates', default='net/tls/testing/certificates', metavar='FOLDER',
                        help='with server.pem, server.key and ca.pem (default %(default)s)')
    parser.add_argument('--echo-server', **binary('samples/echo_server'))
    parser.add_argument('--tls-epoll-echo', **binary('bench/peers/tls_epoll_echo'))
    parser.add_argument('--loadgen', **binary('loadgen/loadgen'))
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error('--rounds must be at least 1')
    file = lambda name: os.path.join(options.certificates, name)
    ringway = [options.echo_server, '--listen={listen}', '--tls-cert=' + file('server.pem'),
               '--tls-key=' + file('server.key')]
    options.ca = file('ca.pem')
    options.servers = collections.OrderedDict([
        ('ringway', ringway),
        ('ringway epoll', ringway + ['--backend=epoll']),
        (_BY_HAND, [options.tls_epoll_echo, '--listen={listen}', '--cert=' + file('server.pem'),
                    '--key=' + file('server.key')]),
    ])
    return options


def measure(options, name, cell):
    with echo_compare.running(name, options.servers[name], options.server_cpu,
                              'tcp') as (server, address):
        load = subprocess.run(
            [options.loadgen, '--json', '--connect=' + address, '--tls', '--ca=' + options.ca,
             '--duration=' + options.duration, '--warmup=' + options.warmup,
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
        if '--short' in cell.flags:
            text += ' (%s a second)' % format(round(1e6 / us), ',')
        else:
            text += ', %s/s' % format(round(echo_compare.median(runs, 'requests_per_second')), ',')
        if name != _BY_HAND:
            ratio = echo_compare.paired_ratio(runs, runs_of[_BY_HAND], cpu)
            text += ', **%.2f**' % ratio
            if ratio > cell.least:
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
    print('| CPU time for each, bold: to that by hand | %s | |' % ' | '.join(options.servers))
    print('|---|%s---|' % ('---|' * len(options.servers)))
    for cell in _CELLS:
        runs_of = collections.OrderedDict((name, []) for name in options.servers)
        for round_number in range(options.rounds):
            names = list(options.servers)
            # Each order comes as often, so that none is always the first.
            for name in names if round_number % 2 == 0 else reversed(names):
                runs_of[name].append(measure(options, name, cell))
        print(row(cell, runs_of))
        sys.stdout.flush()


if __name__ == '__main__':
    try:
        main()
    except echo_compare.Failure as failure:
        sys.exit('tls_compare: %s' % failure)
