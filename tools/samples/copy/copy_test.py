#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What copy copies, what it says, and what it leaves behind."""

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

COPY = ''


def run(*arguments, **options):
    return subprocess.run([COPY, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, **options)


def write(path, content, mode=None, modified=None):
    with open(path, 'wb') as file:
        file.write(content)
    if mode is not None:
        os.chmod(path, mode)
    if modified is not None:
        os.utime(path, ns=(modified, modified))


def described(root):
    """Everything at and below a path, but its name and who accessed it."""
    found = {}
    todo = ['']
    while todo:
        name = todo.pop()
        path = os.path.join(root, name) if name else root
        info = os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            found[name] = ('link', os.readlink(path))
            continue
        content = None
        if stat.S_ISDIR(info.st_mode):
            todo += [os.path.join(name, entry) for entry in os.listdir(path)]
        else:
            with open(path, 'rb') as file:
                content = file.read()
        found[name] = (stat.S_IMODE(info.st_mode), info.st_mtime_ns, content)
    return found


class CopyTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='copy_test.')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def expect(self, done, code=0, said=''):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(said, done.stderr)

    def make_tree(self, root):
        random.seed(1)
        os.makedirs(os.path.join(root, 'a/b/c'))
        os.mkdir(os.path.join(root, 'empty'))
        for n in range(300):
            size = random.choice([0, 1, 100, 4095, 4096, 4097, 70000])
            write(os.path.join(root, random.choice(['.', 'a', 'a/b', 'a/b/c']), 'file %d' % n),
                  random.randbytes(size), random.choice([0o600, 0o644, 0o4755, 0o444]),
                  random.randrange(2**60))
        os.symlink('../a', os.path.join(root, 'a/link'))
        os.symlink('nowhere', os.path.join(root, 'dangling'))
        os.chmod(os.path.join(root, 'a/b'), 0o555)
        for name in ('a/b/c', 'a/b', 'a', 'empty', '.'):
            os.utime(os.path.join(root, name), ns=(10**18, 10**18 + len(name)))

    def test_a_tree_with_modes_times_and_links(self):
        self.make_tree(self.path('from'))
        self.expect(run(self.path('from'), self.path('to')))
        self.assertEqual(described(self.path('to')), described(self.path('from')))
        # The second time it is a name in what is there.
        self.expect(run('--verify', self.path('from'), self.path('to')))
        self.assertEqual(described(self.path('to/from')), described(self.path('from')))

    def test_a_tree_beside_what_cp_does(self):
        self.make_tree(self.path('from'))
        self.expect(run(self.path('from'), self.path('to')))
        subprocess.run(['cp', '-a', self.path('from'), self.path('cp')], check=True)
        self.assertEqual(described(self.path('to')), described(self.path('cp')))

    def test_over_an_older_copy(self):
        self.make_tree(self.path('from'))
        os.mkdir(self.path('to'))
        self.expect(run(self.path('from'), self.path('to')))
        write(self.path('from/a/file 0'), b'newer')
        self.expect(run(self.path('from'), self.path('to')))
        self.assertEqual(described(self.path('to/from')), described(self.path('from')))

    def test_one_file_of_any_size(self):
        for direct in ([], ['--direct']):
            for size in (0, 1, 511, 4096, 4097, 1048576, 3000001):
                write(self.path('from'), random.randbytes(size), 0o640, 10**18)
                done = run(*direct, '--verify', self.path('from'), self.path('to'))
                if direct and 'direct I/O' in done.stderr and done.returncode == 1:
                    self.skipTest('no direct I/O here: ' + done.stderr.strip())
                self.expect(done)
                self.assertEqual(described(self.path('to')), described(self.path('from')))

    def test_holes_stay_holes(self):
        for direct in ([], ['--direct']):
            with open(self.path('from'), 'wb') as file:
                file.write(b'begin')
                file.seek(64 << 20)
                file.write(b'middle')
                file.truncate(128 << 20)
            done = run(*direct, self.path('from'), self.path('to'))
            if direct and 'direct I/O' in done.stderr and done.returncode == 1:
                self.skipTest('no direct I/O here: ' + done.stderr.strip())
            self.expect(done)
            self.assertEqual(described(self.path('to')), described(self.path('from')))
            self.assertLess(os.stat(self.path('to')).st_blocks * 512, 8 << 20)

    def test_a_link_given_by_name_is_followed(self):
        write(self.path('file'), b'content')
        os.symlink('file', self.path('link'))
        self.expect(run(self.path('link'), self.path('to')))
        self.assertFalse(os.path.islink(self.path('to')))

    def test_what_cannot_be_copied_is_named_and_the_rest_is_copied(self):
        os.mkdir(self.path('from'))
        write(self.path('from/file'), b'content')
        os.mkfifo(self.path('from/pipe'))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(self.path('from/socket'))
            done = run(self.path('from'), self.path('to'))
        self.expect(done, 1, 'copy: 2 could not be copied\n')
        self.assertIn('from/pipe is neither', done.stderr)
        self.assertIn('from/socket is neither', done.stderr)
        self.assertEqual(os.listdir(self.path('to')), ['file'])

    def test_errors_name_the_path(self):
        self.expect(run(self.path('none'), self.path('to')), 1, self.path('none'))
        write(self.path('file'), b'content')
        self.expect(run(self.path('file'), self.path('none/to')), 1, self.path('none'))
        os.mkdir(self.path('from'))
        self.expect(run(self.path('from'), self.path('file')), 1, self.path('file'))
        self.expect(run(self.path('from'), self.path('from')), 1, 'into itself')
        self.expect(run(self.path('from')), 2, 'TO is missing')
        self.expect(run('--jobs=0', 'a', 'b'), 2, '--jobs=0')

    def test_a_full_disk_leaves_nothing(self):
        """Its tmpfs is in a mount namespace of its own."""
        unshare = ['unshare', '--mount']
        if subprocess.run(unshare + ['true'], check=False, capture_output=True).returncode != 0:
            self.skipTest('no namespaces may be made here')
        os.mkdir(self.path('small'))
        write(self.path('from'), random.randbytes(3 << 20))
        script = ('mount -t tmpfs -o size=1m none "$1" && "$2" "$3" "$1/to"; code=$?; '
                  'ls -A "$1" >&2; exit $code')
        done = subprocess.run(
            unshare + ['sh', '-c', script, 'sh', self.path('small'), COPY, self.path('from')],
            capture_output=True, text=True, timeout=60, check=False)
        self.expect(done, 1, 'No space left on device')
        self.assertIn('offset', done.stderr)
        self.assertTrue(done.stderr.endswith('could not be copied\n'), done.stderr)

    def test_an_interrupted_copy_leaves_nothing_half_written(self):
        os.mkdir(self.path('from'))
        for n in range(20):
            write(self.path('from/%d' % n), random.randbytes(8 << 20))
        n_interrupted = 0
        for pause in (0, 0.01, 0.02, 0.04, 0.06, 0.1):
            process = subprocess.Popen([COPY, '--sync', self.path('from'), self.path('to')],
                                       stderr=subprocess.PIPE, text=True)
            while process.poll() is None and not os.path.exists(self.path('to')):
                time.sleep(0.001)
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
            whole = described(self.path('from'))
            copied = described(self.path('to')) if os.path.exists(self.path('to')) else {}
            if process.returncode == 0:  # the signal came too late
                self.assertEqual(copied, whole)
            else:
                self.assertEqual((process.returncode, said), (130, 'copy: interrupted\n'))
                n_interrupted += 1
            for name, copy in copied.items():
                if name:
                    self.assertEqual(copy, whole[name], name)
            subprocess.run(['rm', '-rf', self.path('to')], check=True)
        self.assertGreater(n_interrupted, 0)

    def test_progress(self):
        write(self.path('from'), bytes(1 << 20))
        done = run('--progress=always', self.path('from'), self.path('to'))
        self.expect(done, 0, '1 files, 1.0 MiB')
        self.assertEqual(run(self.path('from'), self.path('to')).stderr, '')

    def test_help(self):
        done = run('--help')
        self.assertEqual(done.returncode, 0)
        for word in ('FROM TO', '--direct', '--verify', '--jobs', '--sync', '--progress'):
            self.assertIn(word, done.stdout)


if __name__ == '__main__':
    COPY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
