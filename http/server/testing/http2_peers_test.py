#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with other clients: curl, nghttp and h2load.

Usage: http2_peers_test.py PEER CERTIFICATE; PEER is http2_peer_for_test, CERTIFICATE
any file of the folder of certificates.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PEER, CERTIFICATES = '', ''
SECONDS = 120


def run(*command):
    """What a command prints, with its errors."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    return done.stdout.decode(errors='replace')


def needs(tool):
    return unittest.skipIf(shutil.which(tool) is None, 'there is no ' + tool)


def needs_curl():
    has = shutil.which('curl') is not None and 'nghttp2' in run('curl', '--version')
    return unittest.skipUnless(has, 'there is no curl with HTTP/2')


class Http2Peers(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._process = subprocess.Popen([PEER, CERTIFICATES], stdout=subprocess.PIPE, universal_newlines=True)
        port, secure = (int(cls._process.stdout.readline()) for _ in range(2))
        cls.plain = 'http://127.0.0.1:%d' % port
        cls.secure = 'https://server.test:%d' % secure
        cls.curl = [
            'curl', '-sS', '--resolve',
            'server.test:%d:127.0.0.1' % secure, '--cacert',
            os.path.join(CERTIFICATES, 'ca.pem')
        ]
        cls.secure_by_address = 'https://127.0.0.1:%d' % secure

    @classmethod
    def tearDownClass(cls):
        cls._process.kill()
        cls._process.wait()
        cls._process.stdout.close()

    @needs_curl()
    def test_curl_with_prior_knowledge(self):
        said = run(*self.curl, '-i', '--http2-prior-knowledge', self.plain + '/hello')
        self.assertTrue(said.startswith('HTTP/2 200'), said)
        self.assertIn('hello by TCP', said)

    @needs_curl()
    def test_curl_whose_upgrade_is_ignored(self):
        said = run(*self.curl, '-i', '--http2', self.plain + '/hello')
        self.assertTrue(said.startswith('HTTP/1.1 200'), said)

    @needs_curl()
    def test_curl_by_tls(self):
        for flag, version in (('--http2', '2'), ('--http1.1', '1.1')):
            said = run(*self.curl, flag, '-w', '%{http_version}', self.secure + '/hello')
            self.assertEqual(said, 'hello by TLS\n' + version)

    @needs_curl()
    def test_curl_uploads_and_downloads(self):
        with tempfile.TemporaryDirectory() as folder:
            sent, got = os.path.join(folder, 'sent'), os.path.join(folder, 'got')
            with open(sent, 'wb') as file:
                file.write(os.urandom(5_000_000))
            for url, flag in ((self.plain, '--http2-prior-knowledge'), (self.secure, '--http2')):
                self.assertEqual(run(*self.curl, flag, '-T', sent, '-X', 'POST', '-o', got, url + '/echo'), '')
                with open(sent, 'rb') as a, open(got, 'rb') as b:
                    self.assertTrue(a.read() == b.read())

    @needs_curl()
    def test_curl_in_parallel(self):
        urls = [self.secure + '/large'] * 20
        files = ['-o', '/dev/null'] * 20
        said = run(*self.curl, '-Z', '--http2', '-w', '%{http_version} %{http_code} %{size_download}\\n', *files, *urls)
        self.assertEqual(said.count('2 200 3000000\n'), 20, said)

    @needs('nghttp')
    def test_nghttp(self):
        said = run('nghttp', '-v', '--no-verify-peer', self.plain + '/hello', self.plain + '/none')
        self.assertIn(':status: 200', said)
        self.assertIn(':status: 404', said)
        self.assertIn('hello by TCP', said)

    @needs('h2load')
    def test_h2load(self):
        for url in (self.plain, self.secure_by_address):
            said = run('h2load', '-n', '5000', '-c', '10', '-m', '100', url + '/hello')
            self.assertIn('5000 succeeded, 0 failed', said)

    @needs('h2load')
    def test_h2load_with_large_responses(self):
        said = run('h2load', '-n', '60', '-c', '3', '-m', '10', self.plain + '/large')
        self.assertIn('60 succeeded, 0 failed', said)


if __name__ == '__main__':
    PEER = sys.argv[1]
    CERTIFICATES = os.path.dirname(sys.argv[2])
    unittest.main(argv=sys.argv[:1], verbosity=2)
