#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http::Files, seen by curl.

  curl_test.py FILE_SERVER
"""

import gzip
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

_SERVER = os.path.abspath(sys.argv.pop(1))
_PATIENCE_SECONDS = 60
_NOBODY = 65534


class CurlTest(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir='/tmp'))
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / 'root'
        self.root.mkdir()
        self.folder.chmod(0o777)
        self.root.chmod(0o755)

    def serve(self, *options):
        """Serves the root, as a user that is not root."""
        self.socket = str(self.folder / 'socket')
        user = {'user': _NOBODY, 'group': _NOBODY} if os.geteuid() == 0 else {}
        # A copy, because not everyone may look into the folder of the test.
        program = shutil.copy(_SERVER, self.folder)
        os.chmod(program, 0o755)
        server = subprocess.Popen([program, 'unix:' + self.socket, str(self.root), *options],
                                  cwd=self.folder, **user)
        self.addCleanup(self.end, server)
        limit = time.monotonic() + _PATIENCE_SECONDS
        while not os.path.exists(self.socket):
            self.assertIsNone(server.poll())
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)

    def end(self, server):
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(_PATIENCE_SECONDS), 0)

    def curl(self, path, *arguments):
        """The status code and the body."""
        out = self.folder / 'out'
        out.unlink(missing_ok=True)
        code = self.run_curl(path, '-o', str(out), *arguments)
        return code, out.read_bytes() if out.exists() else b''

    def run_curl(self, path, *arguments):
        done = subprocess.run(['curl', '-sS', '--path-as-is', '--unix-socket', self.socket,
                               '-w', '%{http_code}', *arguments, 'http://a' + path],
                              stdout=subprocess.PIPE, timeout=_PATIENCE_SECONDS, check=True)
        return int(done.stdout)

    def test_ranges(self):
        content = bytes(i * 7 % 251 for i in range(300_000))
        (self.root / 'f').write_bytes(content)
        self.serve()
        self.assertEqual(self.curl('/f'), (200, content))
        self.assertEqual(self.curl('/f', '-r', '10-19'), (206, content[10:20]))
        self.assertEqual(self.curl('/f', '-r', '-100000'), (206, content[-100_000:]))
        self.assertEqual(self.curl('/f', '-r', '300000-')[0], 416)
        code, body = self.curl('/f', '-r', '0-9,1000-1009')
        self.assertEqual(code, 206)
        self.assertIn(b'Content-Range: bytes 1000-1009/300000\r\n\r\n' + content[1000:1010], body)

    def test_resumes(self):
        content = os.urandom(500_000)
        (self.root / 'f').write_bytes(content)
        self.serve()
        out = self.folder / 'part'
        out.write_bytes(content[:123_456])
        self.assertEqual(self.run_curl('/f', '-C', '-', '-o', str(out)), 206)
        self.assertEqual(out.read_bytes(), content)

    def test_conditions(self):
        (self.root / 'f').write_text('hello')
        self.serve()
        self.assertEqual(self.curl('/f', '-R'), (200, b'hello'))
        out = str(self.folder / 'kept')
        self.assertEqual(self.run_curl('/f', '-R', '-o', out, '--etag-save', out + '.etag'), 200)
        self.assertEqual(self.curl('/f', '-z', out), (304, b''))
        self.assertEqual(self.curl('/f', '--etag-compare', out + '.etag'), (304, b''))
        self.assertEqual(self.curl('/f', '-z', '1 Jan 2000'), (200, b'hello'))

    def test_codings(self):
        text = ''.join('line %d\n' % i for i in range(10_000)).encode()
        (self.root / 'made.txt').write_bytes(text)
        (self.root / 'beside.txt').write_bytes(text)
        (self.root / 'beside.txt.gz').write_bytes(gzip.compress(b'from beside'))
        self.serve('gzip', 'precompressed')
        self.assertEqual(self.curl('/made.txt', '--compressed'), (200, text))
        self.assertEqual(self.curl('/beside.txt', '--compressed'), (200, b'from beside'))
        self.assertEqual(self.curl('/beside.txt'), (200, text))
        code, body = self.curl('/made.txt', '-H', 'Accept-Encoding: gzip')
        self.assertEqual((code, gzip.decompress(body)), (200, text))

    def test_heads(self):
        (self.root / 'f.html').write_text('<p>' * 50_000)
        self.serve('gzip')
        for more in [], ['-H', 'Accept-Encoding: gzip']:
            heads = []
            for method in 'GET', 'HEAD':
                head = self.folder / 'head'
                self.curl('/f.html', '-D', str(head), '-X', method, *more,
                          *(['-I'] if method == 'HEAD' else []))
                heads.append([line for line in head.read_text().splitlines()
                              if not line.startswith('Date:')])
            self.assertEqual(heads[0], heads[1])

    def test_folders(self):
        (self.root / 'd').mkdir()
        (self.root / 'd' / 'a b&c').write_text('x')
        self.serve('listing')
        self.assertEqual(self.curl('/d')[0], 301)
        code, body = self.curl('/d', '-L')
        self.assertEqual(code, 200)
        self.assertIn(b'<a href="a%20b%26c">a b&amp;c</a>', body)
        self.assertEqual(self.curl('/d/a%20b%26c'), (200, b'x'))
        self.assertEqual(self.curl('/../socket')[0], 404)

    def test_what_may_not_be_read(self):
        for name in 'file', 'folder/file':
            path = self.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text('secret')
        (self.root / 'file').chmod(0)
        (self.root / 'folder').chmod(0)
        (self.root / 'other').write_text('public')
        self.serve('listing')
        self.assertEqual(self.curl('/file'), (403, b'Forbidden\n'))
        self.assertEqual(self.curl('/folder/file'), (403, b'Forbidden\n'))
        self.assertEqual(self.curl('/folder/')[0], 403)
        self.assertEqual(self.curl('/other'), (200, b'public'))
        # What may not be read any more is not sent from memory for ever.
        (self.root / 'other').chmod(0)
        limit = time.monotonic() + _PATIENCE_SECONDS
        while self.curl('/other')[0] != 403:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.05)


if __name__ == '__main__':
    unittest.main()
