#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares HTTP servers: the server's CPU time for each request, then requests a second.

Ringway's http_server on io_uring and on epoll, beside nginx and h2o from packages and responders
by hand on epoll and io_uring that parse nothing (peers/http_epoll.cc, http_uring.cc); on one core,
wrk or h2load on another, in turns. Prints a table of medians, with the medians of the ratios of
each round. Two more kinds of cells compare Ringway with itself: with and without an access log, and
with two workers and one, where all share both cores with the load.

Needs the packages nginx-light, h2o, wrk and nghttp2-client; what is missing is left out.

Build first:
  bazel build --config=opt //tools/samples/http_server //tools/bench/peers:all
"""

import argparse
import collections
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import echo_compare
import peer_servers

Cell = collections.namedtuple('Cell', 'name path flags tls log h2 by_hand workers',
                              defaults=((), False, False, False, None, False))

_CELLS = [
    Cell('13 B, keep-alive, 64 connections', '/hello', by_hand=13),
    Cell('1 KiB file, keep-alive, 64 connections', '/1k', by_hand=1024),
    Cell('64 KiB file, keep-alive, 64 connections', '/64k', by_hand=65536),
    Cell('1 KiB file, access log', '/1k', log=True),
    Cell('1 KiB file, a connection for each', '/1k', flags=('-H', 'Connection: close')),
    Cell('1 KiB file, TLS', '/1k', tls=True),
    Cell('1 KiB file, HTTP/2, 32 streams', '/1k', h2=True),
    Cell('1 KiB file, two workers', '/1k', workers=True),
]

_BESIDE = ('nginx', 'h2o', 'by hand epoll', 'by hand io_uring', 'itself')


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=7, help='default %(default)s')
    parser.add_argument('--duration', type=int, default=1, metavar='SECONDS',
                        help='of one run (default %(default)s)')
    parser.add_argument('--server-cpu', type=int, default=0, help='default %(default)s')
    parser.add_argument('--load-cpu', type=int, default=1, help='default %(default)s')
    parser.add_argument('--cells', default='', metavar='TEXT',
                        help='only those with this in their names')
    parser.add_argument('--certificates', default='net/tls/testing/certificates', metavar='FOLDER',
                        help='with server.pem and server.key (default %(default)s)')
    binary = lambda name: dict(default='bazel-bin/tools/' + name, metavar='FILE',
                               help='default %(default)s')
    parser.add_argument('--http-server', **binary('samples/http_server/http_server'))
    parser.add_argument('--http-epoll', **binary('bench/peers/http_epoll'))
    parser.add_argument('--http-uring', **binary('bench/peers/http_uring'))
    options = parser.parse_args()
    options.cells = [cell for cell in _CELLS if options.cells in cell.name]
    if options.rounds < 1 or options.duration < 1 or not options.cells:
        parser.error('there is nothing to measure')
    return options


def servers_of(options, cell, folder):
    """The commands, by name."""
    file = lambda name: os.path.abspath(os.path.join(options.certificates, name))
    cert, key = (file('server.pem'), file('server.key')) if cell.tls else (None, None)
    ringway = [options.http_server, '--listen={listen}', '--root=' + folder]
    if cell.tls:
        ringway += ['--tls-cert=' + cert, '--tls-key=' + key]
    if cell.log:
        ringway += ['--access-log=%s/access' % folder]
    epoll = ['--backend=epoll']
    servers = collections.OrderedDict([
        ('ringway', ringway),
        ('ringway epoll', ringway + epoll),
    ])
    if cell.log:
        without = ringway[:-1]
        servers.update([('ringway, no log', without), ('ringway epoll, no log', without + epoll)])
    if cell.workers:
        two = ['--workers=2']
        servers.update([('ringway, 2 workers', ringway + two),
                        ('ringway epoll, 2 workers', ringway + epoll + two)])
        return servers
    if shutil.which('nginx'):
        servers['nginx'] = peer_servers.nginx('nginx', folder, cert, key, cell.h2, cell.log)
    if shutil.which('h2o') and cell.path != '/hello':
        servers['h2o'] = peer_servers.h2o('h2o', folder, cert, key, cell.log)
    if cell.by_hand:
        for name, program in (('by hand epoll', options.http_epoll),
                              ('by hand io_uring', options.http_uring)):
            servers[name] = [program, '--listen={listen}', '--bytes=%d' % cell.by_hand]
    return servers


def load(options, cell, address, seconds):
    """The number of requests that were answered."""
    url = '%s://%s%s' % ('https' if cell.tls else 'http', address, cell.path)
    if cell.h2:
        command = ['h2load', '-t1', '-c2', '-m32', '-D%d' % seconds, url]
        pattern = r'(\d+) succeeded, 0 failed'
    else:
        threads = 2 if cell.workers else 1
        command = ['wrk', '-t%d' % threads, '-c64', '-d%ds' % seconds, *cell.flags, url]
        pattern = r'(\d+) requests in'
    cpus = _cpus(options, cell, options.load_cpu)
    ran = subprocess.run(command, preexec_fn=lambda: os.sched_setaffinity(0, cpus),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    found = re.search(pattern, ran.stdout)
    if ran.returncode != 0 or not found or 'Non-2xx' in ran.stdout or 'Socket errors' in ran.stdout:
        raise echo_compare.Failure('%s: %s' % (' '.join(command), ran.stdout.strip()))
    return int(found.group(1))


def _cpus(options, cell, cpu):
    return {options.server_cpu, options.load_cpu} if cell.workers else {cpu}


def _itself(name):
    """The server that a cell about Ringway alone compares it with."""
    if name.endswith(', 2 workers'):
        return name[:-len(', 2 workers')]
    return name + ', no log'


def measure(options, name, command, cell):
    cpus = _cpus(options, cell, options.server_cpu)
    with echo_compare.running(name, command, cpus, 'tcp') as (server, address):
        clock = (~server.pid << 3) | 2  # as clock_getcpuclockid(3) makes it
        load(options, cell, address, 1)  # to warm up; both know whole seconds only
        cpu, since = time.clock_gettime(clock), time.monotonic()
        n = load(options, cell, address, options.duration)
        return {'us': (time.clock_gettime(clock) - cpu) * 1e6 / n,
                'rate': n / (time.monotonic() - since)}


def compare(options, cell, folder):
    servers = servers_of(options, cell, folder)
    runs_of = collections.OrderedDict((name, []) for name in servers)
    for round_number in range(options.rounds):
        names = list(servers)
        # Each order comes as often, so that none is always the first.
        for name in names if round_number % 2 == 0 else reversed(names):
            runs_of[name].append(measure(options, name, servers[name], cell))
    for name, runs in runs_of.items():
        peers = [_itself(name) if peer == 'itself' else peer for peer in _BESIDE]
        ratios = ['%.2f' % statistics.median(a['us'] / b['us'] for a, b in zip(runs, runs_of[peer]))
                  if peer in runs_of else '' for peer in peers]
        print('| %s | %s | %.2f | %s | %s |' % (
            cell.name, name, statistics.median(run['us'] for run in runs), ' | '.join(ratios),
            format(round(statistics.median(run['rate'] for run in runs)), ',')))
        sys.stdout.flush()


def main():
    options = parse_arguments()
    print('| cell | server | CPU us | to %s | requests/s |' % ' | to '.join(_BESIDE))
    print('|---|---|---|%s---|' % ('---|' * len(_BESIDE)))
    with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
        os.chmod(folder, 0o755)  # for servers that give up being root
        for name, size in (('1k', 1024), ('64k', 65536)):
            with open(os.path.join(folder, name), 'w') as file:
                file.write('x' * size)
        for cell in options.cells:
            compare(options, cell, folder)


if __name__ == '__main__':
    try:
        main()
    except echo_compare.Failure as failure:
        sys.exit('http_compare: %s' % failure)
