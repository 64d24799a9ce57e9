#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS with other implementations: openssl s_client and s_server, curl, GnuTLS, Python's ssl, and what scanners find.

Usage: tls_peers_test.py PEER CERTIFICATE; PEER is tls_peer_for_test, CERTIFICATE any
file of the folder of certificates.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import unittest

PEER, CERTIFICATES = '', ''
SECONDS = 30


def run(command, text='', **kwargs):
    """What a command prints, with its errors."""
    kwargs.setdefault('timeout', SECONDS)
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          **kwargs)
    return done.returncode, done.stdout


def needs(tool):
    return unittest.skipIf(shutil.which(tool) is None, 'there is no ' + tool)


def certificate(name):
    return os.path.join(CERTIFICATES, name)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Server:
    """Our server; `lines` are what it prints for each connection."""

    def __init__(self, clients='none'):
        self._process = subprocess.Popen([PEER, 'serve', CERTIFICATES, clients], stdout=subprocess.PIPE,
                                         universal_newlines=True)
        self.port = int(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def line(self):
        return self._process.stdout.readline()


class OurServer(unittest.TestCase):

    def s_client(self, server, *arguments, more=''):
        # Its end of input must not come before the reply, and a command is one
        # only at the beginning of what it reads.
        command = ('{ echo ping; sleep 0.5; printf %%s "$MORE"; sleep 0.3; } | timeout %d openssl s_client -connect 127.0.0.1:%d '
                   '-CAfile %s -verify_return_error -no_ign_eof %s') % (
                       SECONDS, server.port, certificate('ca.pem'), ' '.join(arguments))
        return run(['bash', '-c', command], env=dict(os.environ, MORE=more))[1]

    def test_versions(self):
        with Server() as server:
            for flag, version in (('-tls1_2', 'TLSv1.2'), ('-tls1_3', 'TLSv1.3')):
                said = self.s_client(server, flag, '-servername', 'server.test')
                self.assertIn('ping', said)
                self.assertIn('Verify return code: 0 (ok)', said)
                self.assertIn('version=' + version, server.line())

    def test_old_versions_are_refused(self):
        with Server() as server:
            said = self.s_client(server, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')
            self.assertIn('protocol version', said)
            self.assertIn('failed: ABORTED', server.line())

    def test_names(self):
        with Server() as server:
            for name, subject in (('www.example.test', 'CN = wildcard'), ('server.test', 'CN = server.test')):
                said = self.s_client(server, '-servername', name)
                self.assertIn('subject=' + subject, said)
                self.assertIn('host=' + name, server.line())

    def test_rsa_for_those_without_ecdsa(self):
        with Server() as server:
            said = self.s_client(server, '-servername', 'server.test', '-sigalgs', 'rsa_pss_rsae_sha256')
            self.assertIn('Peer signature type: RSA-PSS', said)
            self.assertIn('ping', said)

    def test_alpn(self):
        with Server() as server:
            self.assertIn('ALPN protocol: http/1.1', self.s_client(server, '-alpn', 'h3,http/1.1'))
            self.assertIn('no application protocol', self.s_client(server, '-alpn', 'h3'))

    def test_ocsp(self):
        with Server() as server:
            said = self.s_client(server, '-status', '-servername', 'server.test')
            self.assertIn('OCSP Response Status: successful', said)

    def test_resumption(self):
        session = os.path.join(os.environ['TEST_TMPDIR'], 'session')
        with Server() as server:
            for flag in ('-tls1_2', '-tls1_3'):
                self.assertNotIn('Reused,', self.s_client(server, flag, '-sess_out', session))
                self.assertIn('Reused,', self.s_client(server, flag, '-sess_in', session))
                self.assertIn('resumed=0', server.line())
                self.assertIn('resumed=1', server.line())

    def test_client_certificates(self):
        mine = ('-cert', certificate('client.pem'), '-key', certificate('client.key'))
        with Server('required') as server:
            for flag in ('-tls1_2', '-tls1_3'):
                self.assertIn('ping', self.s_client(server, flag, *mine))
                self.assertIn('peer=CN=client one', server.line())
                self.s_client(server, flag)
                self.assertIn('failed: UNAUTHENTICATED', server.line())

    def test_renegotiation_is_refused(self):
        with Server() as server:
            said = self.s_client(server, '-tls1_2', more='R\n')
            self.assertIn('no renegotiation', said)

    def test_curl(self):
        with Server() as server:
            for version in ('1.2', '1.3'):
                code, said = run(['curl', '--silent', '--show-error', '--cacert', certificate('ca.pem'), '--tlsv' + version,
                                  '--tls-max', version, '--resolve', 'server.test:%d:127.0.0.1' % server.port,
                                  'https://server.test:%d/' % server.port])
                self.assertEqual((code, said), (0, 'hello\n'))
            code, said = run(['curl', '--silent', '--show-error', 'https://127.0.0.1:%d/' % server.port])
            self.assertEqual(code, 60, said)

    def test_python(self):
        context = ssl.create_default_context(cafile=certificate('ca.pem'))
        with Server() as server:
            with socket.create_connection(('127.0.0.1', server.port), SECONDS) as plain:
                with context.wrap_socket(plain, server_hostname='server.test') as stream:
                    stream.sendall(b'one\ntwo\n')
                    got = b''
                    while got != b'one\ntwo\n':
                        got += stream.recv(100)
                    plain = stream.unwrap()  # close_notify both ways
            self.assertIn('ended=OK', server.line())
            # An end without close_notify.
            with socket.create_connection(('127.0.0.1', server.port), SECONDS) as plain:
                stream = context.wrap_socket(plain, server_hostname='server.test')
                stream.sendall(b'one\n')
                self.assertEqual(stream.recv(100), b'one\n')
                stream.close()
            self.assertIn('ended=DATA_LOSS', server.line())


    @needs('gnutls-cli')
    def test_gnutls(self):
        with Server() as server:
            for version in ('1.2', '1.3'):
                said = run(['gnutls-cli', '--x509cafile', certificate('ca.pem'), '--sni-hostname', 'server.test', '--verify-hostname',
                            'server.test', '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS' + version, '--port', str(server.port),
                            '127.0.0.1'], 'ping\n')[1]
                self.assertIn('Handshake was completed', said)
                self.assertIn('\nping\n', said)
                self.assertIn('version=TLSv%s' % version, server.line())

    @needs('sslscan')
    def test_sslscan(self):
        with Server() as server:
            said = run(['sslscan', '--no-colour', '--sni-name=server.test', '127.0.0.1:%d' % server.port])[1]
        for line in ('SSLv3     disabled', 'TLSv1.0   disabled', 'TLSv1.1   disabled', 'TLSv1.2   enabled', 'TLSv1.3   enabled',
                     'Session renegotiation not supported', 'TLSv1.2 not vulnerable to heartbleed'):
            self.assertIn(line, said)
        # Of each cipher and group it names the strength.
        offered = [line for line in said.splitlines() if line.startswith(('Preferred', 'Accepted', 'TLSv1.')) and ' bits ' in line]
        self.assertGreaterEqual(len(offered), 12, said)
        for line in offered:
            self.assertRegex(line, '128 bits|192 bits|256 bits')
            self.assertNotRegex(line, 'CBC|RC4|SHA$|ffdhe|sect|P-521|x448')

    # Takes two minutes: nightly.
    @needs('testssl')
    @unittest.skipIf(float(os.environ.get('RINGWAY_TEST_SCALE', '0')) < 1, 'not before a merge')
    def test_testssl(self):
        report = os.path.join(os.environ['TEST_TMPDIR'], 'testssl.json')
        with Server() as server:
            run(['testssl', '--ip', '127.0.0.1', '--quiet', '--color', '0', '--warnings', 'off', '--severity', 'MEDIUM',
                 '--jsonfile', report, 'server.test:%d' % server.port], timeout=600)
        with open(report) as file:
            findings = json.load(file)
        # Of the certificate of the tests' authority, of the machine's own openssl, and of what is no HTTP server.
        others = ('cert_', 'engine_problem', 'security_headers')
        self.assertTrue(any(finding['id'].startswith('cert_') for finding in findings), findings)
        self.assertEqual([finding for finding in findings if not finding['id'].startswith(others)], [])


class OurClient(unittest.TestCase):

    def get(self, port, host='server.test'):
        return run([PEER, 'get', CERTIFICATES, str(port), host])[1]

    def s_server(self, *arguments):
        port = free_port()
        process = subprocess.Popen(
            ['openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-www', '-cert', certificate('server.pem'), '-key',
             certificate('server.key')] + list(arguments),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        while True:
            line = process.stdout.readline()
            if not line or 'ACCEPT' in line:
                break
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return port

    def test_versions_and_resumption(self):
        for flag, version in (('-tls1_2', 'TLSv1.2'), ('-tls1_3', 'TLSv1.3')):
            said = self.get(self.s_server(flag))
            self.assertIn('connected: version=%s alpn= host=server.test resumed=0' % version, said)
            self.assertIn('resumed=1', said)
            self.assertIn('HTTP/1.0 200 ok', said)

    def test_alpn(self):
        self.assertIn('alpn=http/1.0', self.get(self.s_server('-alpn', 'http/1.0')))

    def test_client_certificate(self):
        port = self.s_server('-Verify', '1', '-CAfile', certificate('ca.pem'), '-verify_return_error')
        self.assertIn('HTTP/1.0 200 ok', self.get(port))

    def test_wrong_name(self):
        self.assertIn('hostname mismatch', self.get(self.s_server(), 'other.test'))

    @needs('gnutls-serv')
    def test_gnutls_server(self):
        for version in ('1.2', '1.3'):
            port = free_port()
            process = subprocess.Popen(
                ['gnutls-serv', '--http', '--port', str(port), '--x509certfile', certificate('server.pem'), '--x509keyfile',
                 certificate('server.key'), '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS' + version],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                for _ in range(SECONDS * 10):
                    try:
                        socket.create_connection(('127.0.0.1', port), SECONDS).close()
                        break
                    except OSError:
                        time.sleep(0.1)
                said = self.get(port)
            finally:
                process.kill()
                process.wait()
            self.assertIn('connected: version=TLSv%s alpn= host=server.test resumed=0' % version, said)
            self.assertIn('resumed=1', said)
            self.assertIn('HTTP/1.0 200 OK', said)

    def test_python_server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate('server.pem'), certificate('server.key'))
        with socket.create_server(('127.0.0.1', 0)) as listener:
            client = subprocess.Popen([PEER, 'get', CERTIFICATES, str(listener.getsockname()[1]), 'server.test'],
                                      stdout=subprocess.PIPE, universal_newlines=True)
            for clean in (True, False):
                plain, _ = listener.accept()
                stream = context.wrap_socket(plain, server_side=True)
                while not stream.recv(1000).endswith(b'\r\n\r\n'):
                    pass
                stream.sendall(b'answer')
                if clean:
                    try:
                        stream.unwrap()
                    except (OSError, ssl.SSLError):
                        pass  # the client closes without reading on
                stream.close()
            said = client.communicate(timeout=SECONDS)[0]
        self.assertIn('ended=OK', said)
        self.assertIn('ended=DATA_LOSS', said)


if __name__ == '__main__':
    PEER = os.path.abspath(sys.argv.pop(1))
    CERTIFICATES = os.path.dirname(os.path.abspath(sys.argv.pop(1)))
    missing = [tool for tool in ('openssl', 'curl') if shutil.which(tool) is None]
    if missing:
        print('skipped: no %s' % ', '.join(missing))
        sys.exit(0)
    unittest.main(verbosity=2)
