#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a server that is offered several times what it can do.

Measures the most that a server answers (closed loop), then offers half of that,
--times as much, and half of it again (open loop; latencies count from the time at
which a request was due). Server and generator are pinned to a CPU each.

Build first:
  bazel build --config=opt //tools/bench:busy_echo //tools/loadgen

Exit code 1 if in the overload less than 90 % of the peak was answered, if the
server's memory grew by more than --memory, or if it was not normal again --recovery
after the overload. 2 if the measurement is worth nothing.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

_PATIENCE_SECONDS = 30
_LEAST_GOODPUT = 0.9
_SETTLE_SECONDS = 3


class Failure(Exception):
    """Something that makes the measurement worthless."""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=int, default=60,
                        help='of the overload (default %(default)s)')
    parser.add_argument('--times', type=float, default=3.0,
                        help='the peak is offered (default %(default)s)')
    parser.add_argument('--connections', type=int, default=64, help='default %(default)s')
    parser.add_argument('--queue', type=int, default=128,
                        help='unanswered requests of a connection, beyond which the generator '
                        'drops more (default %(default)s)')
    parser.add_argument('--work', default='20us',
                        help='processor time of a request (default %(default)s)')
    parser.add_argument('--memory', type=int, default=64, metavar='MIB',
                        help='by which the server may grow (default %(default)s)')
    parser.add_argument('--recovery', type=float, default=2.0, metavar='SECONDS',
                        help='default %(default)s')
    parser.add_argument('--backends', default='uring,epoll', metavar='NAME,...')
    parser.add_argument('--cpus', default='0,1', metavar='SERVER,GENERATOR',
                        help='default %(default)s')
    parser.add_argument('--busy-echo', default='bazel-bin/tools/bench/busy_echo', metavar='FILE',
                        help='default %(default)s')
    parser.add_argument('--loadgen', default='bazel-bin/tools/loadgen/loadgen', metavar='FILE',
                        help='default %(default)s')
    return parser.parse_args()


class Server:
    """A busy_echo of one worker."""

    def __init__(self, options, backend, cpu):
        self._output = tempfile.NamedTemporaryFile('w+')
        command = [options.busy_echo, '--listen=127.0.0.1:0', '--work=' + options.work,
                   '--backend=' + backend, '--pin=' + cpu]
        self.process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            # Not by the descriptor that the server has: its position is the same.
            with open(self._output.name) as output:
                said = output.read()
            line = re.search(r'^listening on (\S+)\n', said, re.MULTILINE)
            if line:
                self.address = line.group(1)
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Failure('%s did not start: %s' % (command[0], said.strip()))
            time.sleep(0.02)

    def resident(self):
        with open('/proc/%d/status' % self.process.pid, encoding='ascii') as file:
            return int(re.search(r'VmRSS:\s+(\d+) kB', file.read()).group(1)) * 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def load(options, server, cpu, *flags):
    command = [options.loadgen, '--connect=' + server.address, '--json', '--pin=' + cpu,
               '--connections=%d' % options.connections,
               '--server-pid=%d' % server.process.pid, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure('%s ended with %d: %s' % (command[0], done.returncode, done.stderr.strip()))
    return json.loads(done.stdout)


def measure(options, backend):
    """The faults of `backend`, a line each."""
    server_cpu, generator_cpu = options.cpus.split(',')
    server = Server(options, backend, server_cpu)
    try:
        peak = load(options, server, generator_cpu, '--duration=3s',
                    '--pipeline=4')['requests_per_second']
        before = server.resident()
        half = int(peak / 2)
        phases = '%dx%ds,%dx%ds,%dx%ds' % (half, _SETTLE_SECONDS, int(options.times * peak),
                                           options.seconds, half, 2 * _SETTLE_SECONDS)
        result = load(options, server, generator_cpu, '--queue=%d' % options.queue,
                      '--phases=' + phases)
    finally:
        server.stop()
    normal, overload, after = result['phases']
    grown = max(phase['server_rss_bytes'] for phase in result['phases']) - before
    goodput = overload['goodput_per_second'] / peak
    print('%-6s peak %d/s; offered %d/s: answered %.1f %% of the peak, p99 %.1f ms (%.2f ms '
          'before); grown by %.1f MiB; recovered after %s s; %d errors' %
          (backend, peak, overload['offered_per_second'], 100 * goodput,
           overload['p99_us'] / 1000, normal['p99_us'] / 1000, grown / 2**20,
           after['recovered_after_s'], sum(phase['errors'] for phase in result['phases'])),
          flush=True)
    if overload['offered_per_second'] < 0.9 * options.times * peak:
        raise Failure('the generator offered less than asked; give --work more time')
    faults = []
    if goodput < _LEAST_GOODPUT:
        faults.append('answered %.1f %% of the peak' % (100 * goodput))
    if grown > options.memory * 2**20:
        faults.append('grown by %.1f MiB' % (grown / 2**20))
    if after['recovered_after_s'] is None or after['recovered_after_s'] > options.recovery:
        faults.append('recovered after %s s' % after['recovered_after_s'])
    if any(phase['errors'] for phase in result['phases']):
        faults.append('there were errors')
    return ['%s: %s' % (backend, fault) for fault in faults]


def main():
    options = parse_arguments()
    if len(os.sched_getaffinity(0)) < 2:
        print('overload.py: needs two CPUs', file=sys.stderr)
        return 2
    faults = []
    try:
        for backend in options.backends.split(','):
            faults += measure(options, backend)
    except (Failure, OSError) as failure:
        print('overload.py: %s' % failure, file=sys.stderr)
        return 2
    for fault in faults:
        print('overload.py: ' + fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
