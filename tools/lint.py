#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the form of the sources: what `tools/dev lint` and `format` run.

  format        clang-format, buildifier
  conventions   licence line, include guard and includes named after the path, no
                getenv; no file too long, no folder too full
  threads       a test that starts threads says so in its BUILD file, for the
                thread sanitizer
  documents     the tests that docs/features.md names exist; docs/targets.md has
                every public target, its headers and no other; a page of docs/
                that shows code names the header and the target
  headers       each header compiles when it is the first one included
  users         the public headers give no warning to users who ask for more of
                them than we do, by either compiler, and refuse -fno-exceptions
  clang-tidy    the checks of .clang-tidy and the warnings of .bazelrc, for the
                sources of a folder together: most of the time goes into headers
                that they share. Those that do not compile together, as they have
                names of their own in common, are checked one by one. Programs,
                fuzzers and tests are checked alone, and tests only with --tests,
                for they take longer than all the rest

The last three compile, so their successes are remembered under --cache by a hash
of the files, of our headers that they include, and of everything that decides the
outcome; a second run checks only what has changed.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import public_targets

_CLANG = 'clang-19'
_CLANG_TIDY = 'clang-tidy-19'
# Tests run coroutine lambdas from named locals that outlive them, and look at what a move leaves.
_CHECKS_OF_TESTS = ('--checks=-cppcoreguidelines-avoid-capturing-lambda-coroutines,'
                    '-bugprone-use-after-move')
# The form of some C++20 differs between versions: the distribution's decides.
_CLANG_FORMAT = shutil.which('clang-format-14') or 'clang-format'
# The macros of a WORKSPACE have no name to take.
_BUILDIFIER_WARNINGS = '-warnings=-unnamed-macro'
# A user's workspace: its headers are named as users name theirs.
_CONSUMER = 'tools/consumer/'
# Compilers and warnings of users.
_USERS_COMPILERS = ['g++', 'clang++-19']
_USERS_WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror']
# Refuses what Ringway cannot be compiled with (core:compiler_test).
_REFUSAL = 'core/compiler.h'
# What our includes begin with.
_PREFIX = 'ringway/'
# What a reader can hold in mind: lines of a file, files of a folder besides its
# tests and benchmarks.
_MOST_LINES = {'.h': 300, '.cc': 450}
_MOST_FILES = 26
# In what clang-tidy says of a source that does not compile.
_NOT_COMPILED = '[clang-diagnostic-error]'
# What a source defines that is linked into nothing else.
_PROGRAM = re.compile(r'^(extern "C" )?int (main|LLVMFuzzerTestOneInput)\(', re.MULTILINE)
# Where the threads of tests come from: what includes one of these starts some.
_THREADS = re.compile(
    r'^#include (<thread>|"ringway/(backends/testing/cancel_race|executor/ring/ring_thread|'
    r'executor/testing/worker_for_test|net/stream_model/round|runtime/runtime|'
    r'runtime/testing/runtime_fixture)\.h")', re.MULTILINE)
# Repository -> its include directories, relative to it.
_EXTERNAL_INCLUDES = {
    'com_google_absl': ['.'],
    'com_google_googletest': ['googletest/include', 'googlemock/include'],
    'com_github_google_benchmark': ['include'],
    'liburing': ['src/include'],
    'llhttp': ['include'],
    'nghttp2': ['lib/includes'],
    'zlib': ['.'],
}


def our_files():
    listed = subprocess.run(
        ['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if listed.returncode != 0:  # a checkout of another user's, for one: git says what to run
        sys.exit('lint: git ls-files: ' + listed.stderr.strip())
    return sorted(name for name in listed.stdout.splitlines() if os.path.isfile(name))


def is_starlark(name):
    base = os.path.basename(name)
    return base in ('BUILD', 'BUILD.bazel', 'MODULE.bazel', 'WORKSPACE') or base.endswith(('.bzl', '.BUILD'))


def read(name):
    with open(name, encoding='utf-8') as file:
        return file.read()


def run(command):
    """Returns what the command said if it failed, an empty string if not."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    return '' if done.returncode == 0 else done.stdout or '%s failed' % command[0]


# ---- format ------------------------------------------------------------------


def check_format(cpp, starlark, buildifier):
    problems = []
    if cpp:
        said = run([_CLANG_FORMAT, '--dry-run', '-Werror'] + cpp)
        places = re.findall(r'^([^:\n]+):(\d+):\d+: error:', said, re.MULTILINE)
        first = {name: line for name, line in reversed(places)}
        problems += ['%s:%s: not in format (tools/dev format)' % place
                     for place in sorted(first.items())] or [said] * bool(said)
    if starlark:
        said = run([buildifier, '-mode=check', '-lint=warn', _BUILDIFIER_WARNINGS] + starlark)
        problems += [said] * bool(said)
    return problems


def fix_format(cpp, starlark, buildifier):
    commands = [[_CLANG_FORMAT, '-i'] + cpp] * bool(cpp)
    commands += [[buildifier, '-mode=fix'] + starlark] * bool(starlark)
    return [said for said in map(run, commands) if said]


# ---- conventions -------------------------------------------------------------


def check_conventions(cpp):
    problems = check_folders(cpp)
    for name in cpp:
        text = read(name)
        problems += check_length(name, text)
        if not text.startswith('// SPDX-License-Identifier: Apache-2.0\n'):
            problems.append('%s:1: the first line names no licence' % name)
        if name.startswith(_CONSUMER):
            continue
        if name.endswith('.h'):
            guard = 'RINGWAY_%s_' % re.sub('[^A-Z0-9]', '_', name.upper())
            if '#ifndef %s\n#define %s\n' % (guard, guard) not in text:
                problems.append('%s: the include guard is not %s' % (name, guard))
        problems += ['%s: "%s" is included without ringway/ before it' % (name, included)
                     for included in includes_of(text) if os.path.isfile(included)]
        if not is_of_tests(name):
            # A program with more rights than its user must not be steered by that user.
            problems += ['%s:%d: getenv, must be secure_getenv' % (name, number)
                         for number, line in enumerate(text.splitlines(), 1)
                         if re.search(r'(?<!secure_)\bgetenv\(', line)]
            problems += ['%s:%d: a system call on a socket, which are the backend\'s '
                         '(backends/socket_calls.h)' % (name, number)
                         for number in socket_calls_in(name, text)]
    return problems


def check_length(name, text):
    n = text.count('\n')
    most = _MOST_LINES[os.path.splitext(name)[1]]
    return ['%s: %d lines, %d at most: split it by topic, into files named for theirs'
            % (name, n, most)] if n > most else []


def check_folders(cpp):
    folders = collections.Counter(
        os.path.dirname(name) for name in cpp
        if not name.endswith(('_test.cc', '_benchmark.cc')))
    return ['%s: %d files besides tests, %d at most: move those that belong together '
            'into a folder named for what they are' % (folder, n, _MOST_FILES)
            for folder, n in sorted(folders.items()) if n > _MOST_FILES]


_SOCKET_CALLS = re.compile(
    r'(?<![\w.>:])(?:::)?(?:socket|socketpair|bind|listen|accept4?|connect|shutdown|close|fcntl|dup[23]?|'
    r'ioctl|poll|get(?:sock|peer)name|[gs]etsockopt|send|sendto|sendmsg|recv|recvfrom|recvmsg|read|write)\(')


def socket_calls_in(name, text):
    """The lines of net/ and runtime/ that call the kernel with a socket."""
    if not name.startswith(('net/', 'runtime/')) or name.startswith('net/stream_model/'):
        return []
    return [number for number, line in enumerate(text.splitlines(), 1)
            if _SOCKET_CALLS.search(line.split('//')[0])]


def includes_of(text):
    return re.findall(r'^#include "([^"]+)"', text, re.MULTILINE)


def is_of_tests(name):
    return name.endswith(('_test.cc', '_benchmark.cc')) or '/testing/' in name


# ---- compiled checks ---------------------------------------------------------


def check_threads(cpp, read=read):
    """Tests with threads that `tools/dev test` would not repeat under the thread sanitizer."""
    problems = []
    for name in cpp:
        if not name.endswith('_test.cc') or name.startswith(_CONSUMER) or not _THREADS.search(read(name)):
            continue
        folder = os.path.dirname(name)
        source = os.path.basename(name)
        statements = re.split(r'\n\n(?=\S)', read(folder + '/BUILD.bazel'))
        if not any('threads = ' in statement for statement in statements
                   if '"%s"' % source in statement or '"%s"' % source[:-len('.cc')] in statement):
            problems.append('%s: starts threads: its rule in BUILD.bazel needs `threads = True`' % name)
    return problems


def check_documents(name='docs/features.md'):
    """Returns a complaint for each test that the table names and no source has."""
    sources = [read(file) for file in our_files() if file.endswith('_test.cc')]
    tests = set()
    for source in sources:
        tests.update(re.findall(r'^(?:RINGWAY_(?:KERNEL_)?)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)', source, re.M))
    suites = {suite for suite, _ in tests}
    problems = []
    for number, line in enumerate(read(name).splitlines(), 1):
        for suite, test in re.findall(r'`([A-Z]\w+)\.(\w+|\*)`', line):
            if not (suite in suites if test == '*' else (suite, test) in tests):
                problems.append('%s:%d: there is no test %s.%s' % (name, number, suite, test))
    return problems


def prefixed_tree(cache):
    """A folder of its own for this checkout, in which it is called `ringway`."""
    checkout = os.path.realpath('.')
    folder = os.path.join(cache, 'trees', hashlib.sha256(checkout.encode()).hexdigest()[:16])
    link = os.path.join(folder, _PREFIX.rstrip('/'))
    os.makedirs(folder, exist_ok=True)
    if not os.path.islink(link):
        os.symlink(checkout, link)
    return folder


class Compiler:
    """The compile flags of the default configuration, and what they depend on."""

    def __init__(self, external, generated, cache):
        # The one list of warnings is .bazelrc's.
        warnings = re.search(r'@(-Wall\S*)', read('.bazelrc')).group(1).split(',')
        self._tree = prefixed_tree(cache)
        self.flags = ['-std=c++20', '-iquote', self._tree] + warnings
        for repository, directories in _EXTERNAL_INCLUDES.items():
            for directory in directories:
                for base in (external, generated):
                    path = os.path.join(base, repository, directory)
                    if os.path.isdir(path):
                        self.flags += ['-isystem', os.path.normpath(path)]
        versions = [
            subprocess.run([tool, '--version'], stdout=subprocess.PIPE, check=True).stdout.decode()
            for tool in [_CLANG_TIDY] + _USERS_COMPILERS]
        # Not the flags: they hold the output folder of this checkout.
        self._basis = versions + [' '.join(warnings), read('.clang-tidy'),
                       read('third_party/repositories.bzl'), read(__file__)]
        self._contents = {}

    def _add_content(self, name, seen):
        """Adds the file and, transitively, our headers that it includes."""
        if name in seen or not os.path.isfile(name):
            return
        seen.add(name)
        if name not in self._contents:
            text = read(name)
            self._contents[name] = (text, includes_of(text))
        for included in self._contents[name][1]:
            if included.startswith(_PREFIX):
                self._add_content(included[len(_PREFIX):], seen)

    def key(self, check, subject):
        seen = set()
        files = [subject] if isinstance(subject, str) else subject
        for file in public_targets.public_headers() if check == 'user' else files:
            self._add_content(file, seen)
        digest = hashlib.sha256()
        for part in [check, str(subject)] + self._basis:
            digest.update(part.encode() + b'\0')
        for part in sorted(seen):
            digest.update(part.encode() + b'\0' + self._contents[part][0].encode() + b'\0')
        return digest.hexdigest()

    def check_header(self, name):
        return run([_CLANG, '-fsyntax-only', '-Werror', '-x', 'c++', '-include', name]
                   + self.flags + ['/dev/null'])

    def check_user(self, compiler):
        """All public headers as in one file of a user's; dependencies are system headers."""
        flags = ['-I' if flag == '-iquote' else flag for flag in self.flags
                 if not flag.startswith('-W')]
        for name in public_targets.public_headers():
            flags += ['-include', _PREFIX + name]
        return run([compiler, '-x', 'c++'] + flags + _USERS_WARNINGS + ['-fsyntax-only', '/dev/null'])

    def without_refusal(self, name):
        """Whether a public header includes nothing that refuses -fno-exceptions."""
        seen = set()
        self._add_content(name, seen)
        return _REFUSAL not in seen

    def check_tidy(self, name):
        checks = [_CHECKS_OF_TESTS] if name.endswith('_test.cc') else []
        return run([_CLANG_TIDY, '--quiet'] + checks + [name, '--'] + self.flags)

    def check_folder(self, names):
        said = self._check_together(names)
        if _NOT_COMPILED not in said:
            return said
        return ''.join(self.check_tidy(name) for name in names)

    def _check_together(self, names):
        with tempfile.NamedTemporaryFile('w', suffix='.cc') as together:
            together.writelines('#include "%s%s"\n' % (_PREFIX, name) for name in names)
            together.flush()
            said = run([_CLANG_TIDY, '--quiet', '--config-file=.clang-tidy',
                        '--checks=-bugprone-suspicious-include', together.name, '--'] + self.flags)
        return said.replace(os.path.join(self._tree, _PREFIX), '')


def new_diagnostics(said, seen):
    """Leaves out what another file has already said of a header they share."""
    parts = re.split(r'^(?=\S+:\d+:\d+: (?:fatal )?(?:error|warning):)', said, flags=re.MULTILINE)
    new = [part for part in parts[1:] if part.split('\n')[0] not in seen]
    seen.update(part.split('\n')[0] for part in new)
    return ''.join(new if parts[1:] else parts)


def first_included(cpp):
    """The headers that some source includes before anything else, and so proves complete."""
    return {included[0][len(_PREFIX):] for included in
            (includes_of(read(name)) for name in cpp if name.endswith('.cc')) if included}


def checked_together(sources, read=read):
    """The sources that clang-tidy reads at once: a tuple for each folder."""
    folders = collections.defaultdict(list)
    for name in sources:
        if not is_of_tests(name) and not _PROGRAM.search(read(name)):
            folders[os.path.dirname(name)].append(name)
    return [tuple(folders[folder]) for folder in sorted(folders)]


def check_compiled(cpp, compiler, cache, with_tests):
    os.makedirs(cache, exist_ok=True)
    checks = {'folder': compiler.check_folder, 'header': compiler.check_header,
              'tidy': compiler.check_tidy, 'user': compiler.check_user}
    headers = {name for name in cpp if name.endswith('.h')}
    sources = [name for name in cpp if name not in headers]
    folders = checked_together(sources)
    alone = set(sources).difference(*folders)
    wanted = [('folder', names) for names in folders]
    wanted += [('header', name) for name in sorted(headers - first_included(cpp))]
    wanted += [('tidy', name) for name in sorted(alone) if with_tests or not is_of_tests(name)]
    if not headers.isdisjoint(public_targets.public_headers()):
        wanted += [('user', users_compiler) for users_compiler in _USERS_COMPILERS]
    jobs = []
    for check, name in wanted:
        stamp = os.path.join(cache, compiler.key(check, name))
        if os.path.exists(stamp):
            os.utime(stamp)
        else:
            jobs.append((check, name, stamp))
    print('lint: %d of %d checks to compile' % (len(jobs), len(wanted)), flush=True)

    def work(job):
        check, name, stamp = job
        problem = checks[check](name)
        if not problem:
            open(stamp, 'w').close()
        return problem

    problems = []
    seen = set()
    reported = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, problem in enumerate(pool.map(work, jobs), start=1):
            if problem:
                problems.append(problem)
                print(new_diagnostics(problem, seen), end='', flush=True)
            if time.monotonic() - reported > 15:
                reported = time.monotonic()
                print('lint: %d of %d' % (done, len(jobs)), flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--fix', action='store_true', help='rewrite in format; check nothing else')
    parser.add_argument('--buildifier', required=True)
    parser.add_argument('--external', help="Bazel's folder of external repositories")
    parser.add_argument('--generated', help="Bazel's folder of their generated files")
    parser.add_argument('--cache', help='where successes are remembered')
    parser.add_argument('--tests', action='store_true',
                        help='clang-tidy for tests, too (as for those that are named)')
    parser.add_argument('files', nargs='*', help='default: all of ours')
    options = parser.parse_args()

    files = [os.path.normpath(name) for name in options.files] or our_files()
    cpp = [name for name in files if name.endswith(('.cc', '.h'))]
    starlark = [name for name in files if is_starlark(name)]
    if options.fix:
        problems = fix_format(cpp, starlark, options.buildifier)
        print('\n'.join(problems), end='')
        return 1 if problems else 0

    problems = check_format(cpp, starlark, options.buildifier) + check_conventions(cpp)
    problems += check_threads(cpp)
    if not options.files:
        problems += check_documents() + public_targets.check()
    compiler = Compiler(options.external, options.generated, options.cache)
    problems += ['%s: does not include %s, which says what Ringway needs' % (name, _REFUSAL)
                 for name in public_targets.public_headers() if compiler.without_refusal(name)]
    print(''.join(problem.rstrip('\n') + '\n' for problem in problems), end='', flush=True)
    problems += check_compiled(cpp, compiler, options.cache, options.tests or options.files)
    print('lint: %d files, %s' % (len(cpp) + len(starlark),
                                  '%d with complaints' % len(problems) if problems else 'clean'))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
