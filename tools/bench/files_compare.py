#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares reading and writing a file: operations per second and CPU time of each.

Runs Ringway, fio (its io_uring engine) and a loop of pread(2) on the same file, in
turns (A B C A B C ...), so that a slow phase of the machine hits all of them, and
prints the medians of the rounds with their ratios to fio. At the end a table says how
Ringway does in each cell, and which cells miss. Without fio, ratios are to the loop.

Build first:
  bazel build --config=opt //tools/...
"""

import argparse
import collections
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

# What Ringway should reach: with several operations in flight, fio's operations per
# second at fio's CPU time, and few system calls; one at a time, from the page cache,
# the loop's operations per second.
_LEAST_RATE = 0.97
_MOST_CPU = 1.00
_MOST_CALLS = 0.1
_LEAST_LOOP_RATE = 0.95

Cell = collections.namedtuple('Cell', 'name block depth direct write sequential')

_CELLS = collections.OrderedDict((cell.name, cell) for cell in [
    Cell('cached-1', 4096, 1, False, False, False),
    Cell('cached-32', 4096, 32, False, False, False),
    Cell('direct-32', 4096, 32, True, False, False),
    Cell('read-1M', 1 << 20, 8, True, False, True),
    Cell('write-1M', 1 << 20, 8, True, True, True),
    Cell('cached-read-1M', 1 << 20, 8, False, False, True),
    Cell('cached-write-1M', 1 << 20, 8, False, True, True),
])


class Failure(Exception):
    """Something that makes the comparison worthless."""


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    binary = lambda name: dict(default='bazel-bin/tools/bench/' + name, metavar='FILE',
                               help='default %(default)s')
    parser.add_argument('--cells', type=lambda text: text.split(','), default=list(_CELLS),
                        metavar='NAME,...', help='of ' + ', '.join(_CELLS))
    parser.add_argument('--folder', default='.',
                        help='where the file is made: its disk is measured (default %(default)s)')
    parser.add_argument('--megabytes', type=int, default=256,
                        help='size of the file (default %(default)s)')
    parser.add_argument('--rounds', type=int, default=5, help='default %(default)s')
    parser.add_argument('--seconds', type=float, default=2.0,
                        help='of one run (default %(default)s)')
    parser.add_argument('--cpu', type=int, default=0, help='of all programs (default %(default)s)')
    parser.add_argument('--backend', default='auto', help='of Ringway (default %(default)s)')
    parser.add_argument('--fio', default='fio', metavar='FILE', help='default %(default)s')
    parser.add_argument('--files', **binary('files'))
    parser.add_argument('--pread-loop', **binary('peers/pread_loop'))
    options = parser.parse_args()
    if options.rounds < 1 or options.megabytes < 1 or options.seconds <= 0:
        parser.error('--rounds, --megabytes and --seconds must be more than 0')
    for name in options.cells:
        if name not in _CELLS:
            parser.error('--cells=%s: there are %s' % (name, ', '.join(_CELLS)))
    return options


def run(options, command):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {options.cpu}))
    if done.returncode != 0:
        raise Failure('%s ended with exit code %d: %s' % (
            command[0], done.returncode, done.stderr.strip()))
    return done.stdout


def switches(cell):
    return [flag for flag, wanted in (('--direct', cell.direct), ('--write', cell.write),
                                      ('--sequential', cell.sequential)) if wanted]


def measure_ringway(options, path, cell):
    return json.loads(run(options, [
        options.files, '--json', '--file=' + path, '--block=%d' % cell.block,
        '--depth=%d' % cell.depth, '--duration=%dms' % round(1000 * options.seconds),
        '--backend=' + options.backend] + switches(cell)))


def measure_loop(options, path, cell):
    return json.loads(run(options, [
        options.pread_loop, '--file=' + path, '--block=%d' % cell.block,
        '--seconds=%g' % options.seconds] + switches(cell)))


def run_fio(options, path, cell, *more):
    """Operations per second, and how many there were."""
    kind = ('' if cell.sequential else 'rand') + ('write' if cell.write else 'read')
    output = run(options, [
        options.fio, '--name=cell', '--filename=' + path, '--ioengine=io_uring', '--rw=' + kind,
        '--bs=%d' % cell.block, '--iodepth=%d' % cell.depth, '--direct=%d' % cell.direct,
        '--invalidate=0', '--fadvise_hint=0', '--norandommap', '--fallocate=none',
        '--overwrite=1', '--output-format=json'] + list(more))
    job = json.loads(output[output.index('{'):])['jobs'][0]
    side = job['write' if cell.write else 'read']
    operations = side['total_ios']
    if job['error'] or not operations:
        raise Failure('fio: error %d after %d operations' % (job['error'], operations))
    return side['iops'], operations


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_fio(options, path, cell):
    """Its CPU time is that of the whole process, as it is of the others: what fio reports
    is without the kernel's threads that work for it. A run of few operations
    shows what its start takes."""
    times = [cpu_of_children()]
    run_fio(options, path, cell, '--number_ios=%d' % cell.depth)
    times.append(cpu_of_children())
    rate, operations = run_fio(options, path, cell, '--time_based',
                               '--runtime=%dms' % round(1000 * options.seconds))
    times.append(cpu_of_children())
    seconds = (times[2] - times[1]) - (times[1] - times[0])
    return {
        'iops': rate,
        'cpu_us_per_operation': 1e6 * seconds / operations,
        'system_calls_per_operation': None,
    }


def make_file(path, megabytes):
    """On the disk, without holes, and in the page cache."""
    with open(path, 'wb') as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    with open(path, 'rb') as file:
        while file.read(1 << 20):
            pass


class Progress:
    """One line that is overwritten on a terminal; elsewhere a line per cell."""

    def __init__(self, total):
        self._total = total
        self._done = 0
        self._terminal = sys.stderr.isatty()
        self._cell = None

    def show(self, cell, name, round_number):
        self._done += 1
        if self._terminal:
            sys.stderr.write('\r\x1b[K%d/%d: %s, round %d, %s' % (
                self._done, self._total, cell.name, round_number + 1, name))
        elif cell != self._cell:
            sys.stderr.write('%d/%d: %s\n' % (self._done, self._total, cell.name))
        sys.stderr.flush()
        self._cell = cell

    def clear(self):
        if self._terminal:
            sys.stderr.write('\r\x1b[K')


_HEAD = '%-10s %12s %10s %7s %12s %7s %10s' % (
    'program', 'operations/s', 'MB/s', 'ratio', 'CPU us each', 'ratio', 'calls each')


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def paired_ratio(runs, others, key):
    """The median of the ratios of each round, which a slow phase of the machine
    does not change."""
    return statistics.median(run[key] / other[key] for run, other in zip(runs, others))


def print_cell(cell, runs_of, baseline):
    print('\n%s: %d bytes, %d in flight, %s, %s %s' % (
        cell.name, cell.block, cell.depth, 'O_DIRECT' if cell.direct else 'page cache',
        'sequential' if cell.sequential else 'random', 'writes' if cell.write else 'reads'))
    print(_HEAD)
    for name, runs in runs_of.items():
        rate = median(runs, 'iops')
        calls = runs[0]['system_calls_per_operation']
        print('%-10s %12s %10.0f %7.2f %12.2f %7.2f %10s' % (
            name, format(round(rate), ','), rate * cell.block / 1e6,
            paired_ratio(runs, runs_of[baseline], 'iops'),
            median(runs, 'cpu_us_per_operation'),
            paired_ratio(runs, runs_of[baseline], 'cpu_us_per_operation'),
            '' if calls is None else '%.3f' % median(runs, 'system_calls_per_operation')))
    sys.stdout.flush()


class Judge:
    """Collects how Ringway does."""

    _HEAD = '| cell | operations/s to fio | CPU to fio | calls | operations/s to the loop | |'

    def __init__(self):
        self._rows = []
        self._missed = 0

    def add(self, cell, runs_of):
        ringway = runs_of['ringway']
        missed = []
        columns = [cell.name, '', '', '%.3f' % median(ringway, 'system_calls_per_operation'),
                   '%.2f' % paired_ratio(ringway, runs_of['pread loop'], 'iops')]
        if 'fio' in runs_of:
            rate = paired_ratio(ringway, runs_of['fio'], 'iops')
            cpu = paired_ratio(ringway, runs_of['fio'], 'cpu_us_per_operation')
            columns[1:3] = ['%.2f' % rate, '%.2f' % cpu]
            if cell.depth > 1 and rate < _LEAST_RATE:
                missed.append('operations/s')
            if cell.depth > 1 and cpu > _MOST_CPU:
                missed.append('CPU')
        if cell.depth >= 32 and median(ringway, 'system_calls_per_operation') >= _MOST_CALLS:
            missed.append('calls')
        if cell.depth == 1 and paired_ratio(ringway, runs_of['pread loop'],
                                            'iops') < _LEAST_LOOP_RATE:
            missed.append('operations/s to the loop')
        self._missed += bool(missed)
        verdict = 'misses: ' + ', '.join(missed) if missed else ''
        self._rows.append('| %s | %s |' % (' | '.join(columns), verdict))

    def print(self):
        print('\n%s\n|---|---|---|---|---|---|\n%s' % (self._HEAD, '\n'.join(self._rows)))
        print('\n%d of %d cells miss: beside fio, with several in flight, operations/s at least '
              '%.2f, CPU at most %.2f; at 32 in flight calls below %.1f; with one beside the '
              'loop at least %.2f' % (self._missed, len(self._rows), _LEAST_RATE, _MOST_CPU,
                                      _MOST_CALLS, _LEAST_LOOP_RATE))


def main():
    options = parse_arguments()
    for path in (options.files, options.pread_loop):
        if not os.access(path, os.X_OK):
            raise Failure('%s is not there: bazel build --config=opt //tools/...' % path)
    programs = collections.OrderedDict([('ringway', measure_ringway), ('fio', measure_fio),
                                        ('pread loop', measure_loop)])
    if shutil.which(options.fio) is None:
        print('fio is not installed: the comparison is without it')
        del programs['fio']
    baseline = 'fio' if 'fio' in programs else 'pread loop'
    cells = [_CELLS[name] for name in options.cells]
    progress = Progress(options.rounds * len(programs) * len(cells))
    print('%d rounds of %g s each on core %d, a file of %d MiB in %s; medians; ratios to %s' % (
        options.rounds, options.seconds, options.cpu, options.megabytes,
        os.path.abspath(options.folder), baseline))
    judge = Judge()
    with tempfile.TemporaryDirectory(prefix='files_compare.', dir=options.folder) as folder:
        path = os.path.join(folder, 'file')
        make_file(path, options.megabytes)
        for cell in cells:
            runs_of = collections.OrderedDict((name, []) for name in programs)
            for round_number in range(options.rounds):
                for name, runs in runs_of.items():
                    progress.show(cell, name, round_number)
                    runs.append(programs[name](options, path, cell))
            progress.clear()
            print_cell(cell, runs_of, baseline)
            judge.add(cell, runs_of)
    judge.print()


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit('\nfiles_compare: %s' % failure)
    except KeyboardInterrupt:
        sys.exit(130)
