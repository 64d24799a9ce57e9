#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: changes one line of the product at a time and checks that a test fails.

  mutate.py select --seed=1 --count=64   chooses mutants and writes the list
  mutate.py run                          tries those of the list, prints a table
  mutate.py report                       prints the table of an earlier run
  mutate.py show executor/loop/inbox.cc       every mutant there could be in a file

A mutant is named by its file, the text of its line and which of the equal lines
of that file it is, so edits elsewhere leave it what it was. `run` works in a
worktree of its own (--tree), at a commit (--commit, default HEAD): no checkout
is touched. For each mutant it builds and runs the nearest tests first and stops
at the first that fails. A mutant that does not compile, or whose line is gone,
is replaced by the next of the same package, and the list is written anew.

Results are appended to --results: a run that was stopped goes on where it was.
A survivor may be explained in the list, as "because": what makes it equivalent,
or why no test can tell.

Exit codes: 0  at least --threshold per cent are killed and the rest explained
            1  not so
            2  usage, or the tests fail without any mutant
"""

import argparse
import hashlib
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time

PACKAGES = ('backends', 'executor', 'net', 'runtime')
# What goes wrong here goes wrong silently: drawn four times as often.
RISKY = ('fd_watcher', 'epoll_backend', 'uring_backend', 'cancel_requests', 'buffer_ring',
         'receiver', 'listener_core', 'stream_core', 'stream_ops', 'write_buffer', 'inbox',
         'loop', 'join_handle', 'task_scope', 'when', 'select', 'timeout', 'mailbox',
         'ring_core', 'worker', 'runtime')
# Folders and files that only tests use.
_NO_PRODUCT = re.compile(r'/(testing|fuzz|sim|stream_model)/|_test\.cc$|_benchmark\.cc$|'
                         r'for_test\.h$|_fixture\.h$|conformance\.h$|benchmark_support|'
                         r'quoted_examples|virtual_time_executor|fuzzer\.cc$|'
                         r'/registration_check\.')
# Nothing to change, or nothing that an ordinary test could tell: schedule points
# and poisoned memory are there for other builds.
_SKIPPED_LINE = re.compile(r'^\s*(#|//|$)|RINGWAY_D?CHECK|static_assert|= (delete|default);|'
                           r'SchedulePoint\(\)|oisonMemory\(')
_BAZEL_SUCCESS = 0
_BAZEL_PARTIAL = 3


class Mutant:
    """One line, and what it becomes."""

    def __init__(self, file, kind, old, new, occurrence=0, because=''):
        self.file = file
        self.kind = kind
        self.old = old  # without its indent
        self.new = new
        self.occurrence = occurrence  # which of the lines equal to `old`
        self.because = because
        key = '\0'.join((file, old, new, str(occurrence)))
        self.id = hashlib.sha256(key.encode()).hexdigest()[:10]

    @property
    def package(self):
        return self.file.split('/')[0]

    def as_dict(self):
        fields = {'file': self.file, 'kind': self.kind, 'old': self.old, 'new': self.new}
        if self.occurrence:
            fields['occurrence'] = self.occurrence
        if self.because:
            fields['because'] = self.because
        return fields


# ---- what there is to change -------------------------------------------------


def _masked(line):
    """The line with its strings and comment blanked out, at the same length."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'', lambda m: '_' * len(m[0]), line)
    return re.sub(r'//.*', lambda m: ' ' * len(m[0]), line)


def _balanced(text):
    return text.count('(') == text.count(')')


_SWAPS = (
    ('equality', r' (==|!=) ', {'==': '!=', '!=': '=='}),
    ('bound', r' (<=|>=|<|>) ', {'<': '<=', '<=': '<', '>': '>=', '>=': '>'}),
    ('junction', r' (&&|\|\|) ', {'&&': '||', '||': '&&'}),
    ('by-one', r' ([+-]) 1\b', {'+': '-', '-': '+'}),
    ('step', r'(\+\+|--)\w|\w(\+\+|--)', {'++': '--', '--': '++'}),
    ('result', r'\breturn (true|false);', {'true': 'false', 'false': 'true'}),
)


def _changes(line):
    """Yields (kind, new line) for each way to change one stripped line."""
    masked = _masked(line)
    for kind, pattern, swap in _SWAPS:
        for match in re.finditer(pattern, masked):
            group = 1 if match.group(1) else 2
            start, end = match.span(group)
            yield kind, line[:start] + swap[match.group(group)] + line[end:]
    for match in re.finditer(r'(?<![\w!])!(?=[\w(*])', masked):
        yield 'not', line[:match.start()] + line[match.end():]
    condition = re.match(r'((?:\} else )?(?:if|while) )\((.*)\)( \{| [^{]*;)?$', masked)
    declares = r'[\w>]+[*&]? \w+ = '
    if condition and _balanced(condition[2]) and not re.match(declares, condition[2]):
        start, end = condition.span(2)
        yield 'negated', '%s!(%s)%s' % (line[:start], line[start:end], line[end:])
    if re.match(r'[\w:]+(?:(?:\.|->)[\w:]+|\([^()]*\)(?=\.|->))*\(.*\);\s*$', masked) and _balanced(
            masked) and not re.match(r'(return|delete|co_\w+|if|while|for|switch)\b', masked):
        yield 'call', ';'
    if re.match(r'\*?[\w.\[\]]+(?:->[\w.\[\]]+)* (?:[+-|&])?= [^=].*;\s*$', masked):
        yield 'assignment', ';'


def mutants_of(file, text):
    """Every mutant of a source, in the order of its lines."""
    found = []
    seen = {}
    for line in text.splitlines():
        old = line.strip()
        occurrence = seen.get(old, 0)
        seen[old] = occurrence + 1
        if _SKIPPED_LINE.search(line):
            continue
        for kind, new in _changes(old):
            found.append(Mutant(file, kind, old, new, occurrence))
    return found


def apply_mutant(mutant, text):
    """The text with the mutant in it; None if its line is not there."""
    lines = text.splitlines(keepends=True)
    left = mutant.occurrence
    for index, line in enumerate(lines):
        if line.strip() != mutant.old:
            continue
        if left == 0:
            lines[index] = line.replace(mutant.old, mutant.new)
            return ''.join(lines)
        left -= 1
    return None


def product_files(names):
    return sorted(name for name in names
                  if name.split('/')[0] in PACKAGES and name.endswith(('.cc', '.h'))
                  and not _NO_PRODUCT.search(name))


def in_random_order(mutants, seed):
    """All of them, the risky files' sooner: the same order for the same seed."""
    generator = random.Random(seed)

    def key(mutant):
        stem = os.path.splitext(os.path.basename(mutant.file))[0]
        return generator.random() ** (1 / (4 if stem in RISKY else 1))

    return sorted(sorted(mutants, key=lambda m: m.id), key=key, reverse=True)


def choose(ordered, count, most_per_file):
    """The first of each package, as many of each, at most one to a line."""
    chosen = []
    for package in PACKAGES:
        share = (count + len(PACKAGES) - 1) // len(PACKAGES)
        per_file = {}
        lines = set()
        for mutant in ordered:
            line = (mutant.file, mutant.old, mutant.occurrence)
            if share == 0:
                break
            if (mutant.package != package or line in lines
                    or per_file.get(mutant.file, 0) >= most_per_file[package]):
                continue
            lines.add(line)
            per_file[mutant.file] = per_file.get(mutant.file, 0) + 1
            chosen.append(mutant)
            share -= 1
    return chosen


# ---- the list and the results ------------------------------------------------


def read_list(path):
    with open(path, encoding='utf-8') as file:
        content = json.load(file)
    return content['seed'], [Mutant(**fields) for fields in content['mutants']]


def write_list(path, seed, mutants):
    lines = ',\n'.join('    ' + json.dumps(mutant.as_dict()) for mutant in mutants)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('{\n  "seed": %d,\n  "mutants": [\n%s\n  ]\n}\n' % (seed, lines))


def read_results(path):
    """The last result of each mutant."""
    results = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as file:
            for line in file:
                result = json.loads(line)
                results[result['id']] = result
    return results


def summarise(mutants, results, threshold, out=sys.stdout):
    """Prints the table. True if enough are killed and the rest is explained."""
    killed = survived = explained = untried = 0
    for mutant in mutants:
        result = results.get(mutant.id)
        status = result['status'] if result else 'not tried'
        note = result.get('by', '') if result else ''
        if status == 'survived' and mutant.because:
            status, note = 'explained', mutant.because
        killed += status in ('killed', 'hung')
        survived += status == 'survived'
        explained += status == 'explained'
        untried += status not in ('killed', 'hung', 'survived', 'explained')
        print('%-9s %s  %s  [%s] %s\n%24s-> %s%s' % (
            status, mutant.id, mutant.file, mutant.kind, mutant.old, '', mutant.new,
            '\n%24s%s' % ('', note) if note else ''), file=out)
    tried = killed + survived + explained
    rate = 100.0 * killed / tried if tried else 0.0
    print('%d mutants: %d killed, %d survived, %d explained, %d not tried: %.1f %% killed' %
          (len(mutants), killed, survived, explained, untried, rate), file=out)
    return tried > 0 and survived == 0 and untried == 0 and rate >= threshold


# ---- trying them -------------------------------------------------------------


def distance(label, file):
    """How far a test is from a source: tests that are near run first."""
    package = label[2:].split(':')[0]
    name = label.split(':')[1]
    folder = os.path.dirname(file)
    stem = os.path.splitext(os.path.basename(file))[0]
    if package == folder and name.startswith(stem):
        return 0
    if name.startswith(stem):
        return 1
    if package == folder:
        return 2
    if package.split('/')[0] == folder.split('/')[0]:
        return 3 if 'conformance' in name else 4
    return 5


class Tree:
    """A worktree of its own, and Bazel in it."""

    def __init__(self, path, repository, bazel_options, test_seconds):
        self._path = path
        self._repository = repository
        self._options = bazel_options
        self._test_seconds = test_seconds
        self._tests = {}  # by file

    def check_out(self, commit):
        if not os.path.exists(os.path.join(self._path, '.git')):
            subprocess.run(['git', '-C', self._repository, 'worktree', 'prune'], check=True)
            subprocess.run(['git', '-C', self._repository, 'worktree', 'add', '--quiet', '--detach',
                            self._path, commit], check=True)
        subprocess.run(['git', '-C', self._path, 'checkout', '--quiet', '--force', '--detach',
                        commit], check=True)

    def files(self):
        listed = subprocess.run(['git', '-C', self._path, 'ls-files'], check=True,
                                stdout=subprocess.PIPE, universal_newlines=True)
        return product_files(listed.stdout.splitlines())

    def read(self, name):
        with open(os.path.join(self._path, name), encoding='utf-8') as file:
            return file.read()

    def write(self, name, text):
        with open(os.path.join(self._path, name), 'w', encoding='utf-8') as file:
            file.write(text)

    def _bazel(self, *arguments):
        return subprocess.run(['bazel'] + list(arguments), cwd=self._path, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)

    def tests_of(self, name):
        """The tests that a file could fail, the nearest first."""
        if name not in self._tests:
            folder = os.path.dirname(name)
            label = '//%s:%s' % (folder, os.path.basename(name))
            ours = ' + '.join('//%s/...' % package for package in PACKAGES)
            query = ('kind(cc_test, rdeps(%s, %s)) except attr(size, "large", %s)' %
                     (ours, label, ours))
            # Dependencies' own tests may want what is not there: it goes on.
            asked = self._bazel('query', '--noshow_progress', '--keep_going', query)
            if asked.returncode not in (_BAZEL_SUCCESS, _BAZEL_PARTIAL):
                raise RuntimeError('bazel query: ' + asked.stdout[-2000:])
            labels = sorted(line for line in asked.stdout.splitlines() if line.startswith('//'))
            labels.sort(key=lambda l: distance(l, name))
            self._tests[name] = labels
        return self._tests[name]

    def run_tests(self, labels):
        """('passed' | 'failed' | 'hung' | 'not built', the test that decided)."""
        steps = {}
        for label in labels:
            steps.setdefault(label[1], []).append(label[0])
        for _, step in sorted(steps.items()):
            built = self._bazel('build', '--noshow_progress', *self._options, *step)
            if built.returncode != 0:
                return 'not built', _first_error(built.stdout)
            ran = self._bazel('test', '--noshow_progress', '--notest_keep_going',
                              '--test_output=summary', '--local_test_jobs=1',
                              '--test_timeout=%d' % self._test_seconds, *self._options, *step)
            failed = re.search(r'^(//\S+) +(?:.*\b)?(FAILED|TIMEOUT)', ran.stdout, re.MULTILINE)
            if failed:
                return ('hung' if failed[2] == 'TIMEOUT' else 'failed'), failed[1]
            # One shard of a test that had several: it has no line of its own.
            aborted = re.search(r'Testing (//\S+) .*failed: Test failed: aborting', ran.stdout)
            if aborted:
                return 'failed', aborted[1]
            if ran.returncode != 0:
                return 'not built', _first_error(ran.stdout)
        return 'passed', ''

    def try_mutant(self, mutant):
        """One of killed, hung, survived, not built, stale; and which test."""
        original = self.read(mutant.file)
        changed = apply_mutant(mutant, original)
        if changed is None:
            return 'stale', ''
        tests = [(label, distance(label, mutant.file)) for label in self.tests_of(mutant.file)]
        if not tests:
            return 'survived', 'no test depends on it'
        try:
            self.write(mutant.file, changed)
            outcome, by = self.run_tests(tests)
        finally:
            self.write(mutant.file, original)
        return {'passed': 'survived', 'failed': 'killed'}.get(outcome, outcome), by


def _first_error(output):
    errors = [line for line in output.splitlines() if 'error' in line.lower()]
    return errors[0][:200] if errors else output.strip()[-200:]


def try_all(tree, seed, mutants, pool, results, record, out=sys.stdout):
    """Tries what has no result yet. Returns the list, with what was replaced."""
    tried = list(mutants)
    known = {mutant.id for mutant in mutants}
    spare = [mutant for mutant in in_random_order(pool, seed) if mutant.id not in known]
    for index in range(len(tried)):
        while tried[index].id not in results:
            mutant = tried[index]
            started = time.time()
            status, by = tree.try_mutant(mutant)
            seconds = time.time() - started
            print('%d/%d %s %s %s: %s (%.0f s)%s' % (
                index + 1, len(tried), mutant.id, mutant.file, mutant.old, status, seconds,
                ' ' + by if by else ''), file=out, flush=True)
            if status in ('killed', 'hung', 'survived'):
                results[mutant.id] = {'id': mutant.id, 'status': status, 'by': by,
                                      'seconds': round(seconds)}
                record(results[mutant.id])
                break
            substitute = next((m for m in spare if m.package == mutant.package), None)
            if substitute is None:
                break
            spare.remove(substitute)
            tried[index] = substitute
    return tried


# ---- the command line --------------------------------------------------------


def _parse(arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    cache = os.environ.get('RINGWAY_CACHE', os.path.expanduser('~/.cache/ringway'))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=('select', 'run', 'report', 'show'))
    parser.add_argument('files', nargs='*', help='for show; for run: only mutants of these files')
    parser.add_argument('--list', default=os.path.join(root, 'tools', 'mutants.json'))
    parser.add_argument('--results', default=os.path.join(cache, 'mutants', 'results.jsonl'))
    parser.add_argument('--tree', default=os.path.join(cache, 'mutants', 'tree'),
                        help='the worktree that is changed')
    parser.add_argument('--commit', default='HEAD')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=64)
    parser.add_argument('--limit', type=int, default=0, help='for run: only the first so many')
    parser.add_argument('--threshold', type=float, default=95.0)
    parser.add_argument('--test-seconds', type=int, default=120, help='until a test counts as hung')
    parser.add_argument('--bazel-options', default='--jobs=2')
    parser.add_argument('--skip-baseline', action='store_true',
                        help='trust that all tests pass without a mutant')
    return root, parser.parse_args(arguments)


def _select(root, options):
    names = subprocess.run(['git', '-C', root, 'ls-files'], check=True, stdout=subprocess.PIPE,
                           universal_newlines=True).stdout.splitlines()
    pool = []
    for name in product_files(names):
        with open(os.path.join(root, name), encoding='utf-8') as file:
            pool += mutants_of(name, file.read())
    most = {package: 2 if package == 'backends' else 3 for package in PACKAGES}
    most['runtime'] = 8  # it has few files
    explained = {}
    if os.path.exists(options.list):
        explained = {m.id: m.because for m in read_list(options.list)[1] if m.because}
    chosen = choose(in_random_order(pool, options.seed), options.count, most)
    for mutant in chosen:
        mutant.because = explained.get(mutant.id, '')
    write_list(options.list, options.seed, chosen)
    print('%d of %d mutants in %s' % (len(chosen), len(pool), options.list))
    return 0


def _baseline(tree, mutants):
    labels = sorted({label for mutant in mutants for label in tree.tests_of(mutant.file)})
    print('baseline: %d tests' % len(labels), flush=True)
    outcome, by = tree.run_tests([(label, 0) for label in labels])
    if outcome != 'passed':
        print('mutate.py: without a mutant: %s %s' % (outcome, by), file=sys.stderr)
    return outcome == 'passed'


def _run(root, options):
    seed, listed = read_list(options.list)
    mutants = [m for m in listed if not options.files or m.file in options.files]
    mutants = mutants[:options.limit or None]
    results = read_results(options.results)
    for path in (options.results, options.tree):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    tree = Tree(options.tree, root, shlex.split(options.bazel_options), options.test_seconds)
    commit = subprocess.run(['git', '-C', root, 'rev-parse', options.commit], check=True,
                            stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
    tree.check_out(commit)
    if not options.skip_baseline and not _baseline(tree, mutants):
        return 2
    pool = [m for name in tree.files() for m in mutants_of(name, tree.read(name))]
    with open(options.results, 'a', encoding='utf-8') as file:

        def record(result):
            file.write(json.dumps(dict(result, commit=commit)) + '\n')
            file.flush()

        tried = try_all(tree, seed, mutants, pool, results, record)
    replaced = {old.id: new for old, new in zip(mutants, tried)}
    write_list(options.list, seed, [replaced.get(m.id, m) for m in listed])
    return 0 if summarise(tried, results, options.threshold) else 1


def main(arguments):
    root, options = _parse(arguments)
    if options.command == 'select':
        return _select(root, options)
    if options.command == 'run':
        return _run(root, options)
    if options.command == 'report':
        return 0 if summarise(read_list(options.list)[1], read_results(options.results),
                              options.threshold) else 1
    for name in options.files:
        with open(os.path.join(root, name), encoding='utf-8') as file:
            for mutant in mutants_of(name, file.read()):
                print('%s [%s] %s\n%10s -> %s' % (mutant.id, mutant.kind, mutant.old, '',
                                                   mutant.new))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
