#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_server and the clients of node (node_clients.mjs), if node is installed.

  node_test.py SERVER CA-FILE

Those of the packages undici and ws are skipped unless they are in NODE_PATH.
"""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _FOLDER)
import clients  # noqa: E402

_NEEDS_PACKAGE = 3


@clients.needs('node')
class NodeTest(unittest.TestCase):

    def setUp(self):
        self.root = tempfile.TemporaryDirectory()
        self.addCleanup(self.root.cleanup)
        with open(os.path.join(self.root.name, 'big'), 'wb') as file:
            file.write(os.urandom(3_000_000))

    def node(self, server, *cases):
        for case in cases:
            with self.subTest(case):
                self.run_node(server, case)

    def run_node(self, server, *case):
        clients.run('node', os.path.join(_FOLDER, 'node_clients.mjs'), *case, server.origin,
                    clients.CA)

    def serve(self, backend, tls=False):
        return clients.Server('--backend=' + backend, '--root=' + self.root.name, tls=tls)

    @clients.on_each_backend
    def test_http1(self, backend):
        with self.serve(backend) as server:
            self.node(server, 'keepAlive', 'uploads', 'expectations', 'aborts')
            self.assertEqual(server.stop(), 0, server.said())

    @clients.on_each_backend
    def test_fetch(self, backend):
        with self.serve(backend) as server:
            self.node(server, 'fetchEvents', 'fetchMuch')
            self.assertEqual(server.stop(), 0, server.said())

    @clients.on_each_backend
    def test_http2(self, backend):
        for tls in False, True:
            with self.subTest(tls=tls), self.serve(backend, tls) as server:
                self.node(server, 'http2Session')
                self.assertEqual(server.stop(), 0, server.said())

    @clients.on_each_backend
    def test_undici_pipelines(self, backend):
        self.package(backend, 'undiciPipelines', tls=False)

    @clients.on_each_backend
    def test_undici_by_web_socket(self, backend):
        self.package(backend, 'undiciWebSocket', tls=False)

    @clients.on_each_backend
    def test_ws(self, backend):
        self.package(backend, 'wsSockets', tls=False)

    @clients.on_each_backend
    def test_undici_by_http2(self, backend):
        self.package(backend, 'undiciHttp2', tls=True)

    def package(self, backend, case, tls):
        with self.serve(backend, tls) as server:
            try:
                self.run_node(server, case)
            except clients.Failed as failure:
                if failure.code != _NEEDS_PACKAGE:
                    raise
                print('node_test: no package for it, %s is skipped' % case, file=sys.stderr)
                self.skipTest('no package for it')
            self.assertEqual(server.stop(), 0, server.said())


if __name__ == '__main__':
    clients.take_arguments()
    unittest.main()
