#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_server as a browser sees it: Chromium without a screen, if it is installed.

  browser_test.py SERVER CA-FILE

The page is browser_page.html.
"""

import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

sys.dont_write_bytecode = True
_FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _FOLDER)
import clients  # noqa: E402

_PATIENCE_SECONDS = 60
_CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chrome'))), None)


def png(width, height):
    def chunk(name, content):
        sum_ = zlib.crc32(name + content)
        return struct.pack('>I', len(content)) + name + content + struct.pack('>I', sum_)
    rows = (b'\0' + b'\xff\0\0' * width) * height
    return (b'\x89PNG\r\n\x1a\n' +
            chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def write_page(folder):
    for name, copy in (('browser_page.html', 'index.html'), ('browser_page.js', 'page.js')):
        shutil.copy(os.path.join(_FOLDER, name), os.path.join(folder, copy))
    with open(os.path.join(folder, 'style.css'), 'w') as file:
        file.write('body { color: rgb(1, 2, 3); }\n')
    with open(os.path.join(folder, 'image.png'), 'wb') as file:
        file.write(png(5, 3))


class Browser:
    """Is asked by the debugger's protocol: JSON that ends with a zero byte, on pipes."""

    def __init__(self, folder):
        self._errors = tempfile.TemporaryFile()
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        command = ('exec "$@" 3<&%d 4>&%d' % (to_browser, from_browser))
        self._process = subprocess.Popen(
            ['bash', '-c', command, 'bash', _CHROMIUM, '--headless=new', '--no-sandbox',
             '--disable-gpu', '--no-first-run', '--ignore-certificate-errors',
             '--user-data-dir=' + folder, '--remote-debugging-pipe', 'about:blank'],
            pass_fds=(to_browser, from_browser), stdout=self._errors, stderr=self._errors,
            env=dict(os.environ, HOME=folder))
        os.close(to_browser)
        os.close(from_browser)
        self._bytes = b''
        self._n_asked = 0
        self._deadline = time.monotonic() + _PATIENCE_SECONDS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._to)  # it ends by that
        try:
            self._process.wait(_PATIENCE_SECONDS)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            os.close(self._from)
            self._errors.close()

    def _message(self):
        while b'\0' not in self._bytes:
            left = self._deadline - time.monotonic()
            piece = b''
            if left > 0 and select.select([self._from], [], [], left)[0]:
                piece = os.read(self._from, 1 << 16)
            if not piece:
                self._errors.seek(0)
                raise AssertionError('the browser does not answer: ' +
                                     self._errors.read().decode())
            self._bytes += piece
        text, self._bytes = self._bytes.split(b'\0', 1)
        return json.loads(text)

    def ask(self, method, session=None, **parameters):
        self._n_asked += 1
        question = {'id': self._n_asked, 'method': method, 'params': parameters}
        if session is not None:
            question['sessionId'] = session
        os.write(self._to, json.dumps(question).encode() + b'\0')
        while True:
            answer = self._message()
            if answer.get('id') != self._n_asked:
                continue
            if 'error' in answer:
                raise AssertionError('%s: %s' % (method, answer['error']))
            return answer['result']

    def results(self, url):
        """The lines of the page's list, when it is done."""
        target = self.ask('Target.createTarget', url=url)['targetId']
        session = self.ask('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        while True:
            text = self.ask('Runtime.evaluate', session, returnByValue=True, expression=(
                '[document.title, ...Array.from(document.querySelectorAll("#results li"), '
                '(line) => line.textContent)]'))['result'].get('value', [])
            if text and text[0] == 'done':
                return text[1:]
            if time.monotonic() > self._deadline:
                raise AssertionError('the page is not done: %s' % text)
            time.sleep(0.05)


@clients.needs('chromium', _CHROMIUM)
class BrowserTest(unittest.TestCase):

    def open_page(self, backend, tls):
        with tempfile.TemporaryDirectory() as folder:
            root = os.path.join(folder, 'root')
            os.mkdir(root)
            write_page(root)
            with clients.Server('--backend=' + backend, '--root=' + root, '--workers=2',
                                tls=tls) as server:
                with Browser(os.path.join(folder, 'browser')) as browser:
                    results = browser.results(server.origin + '/')
                self.assertEqual(len(results), 9)
                self.assertEqual([line for line in results if not line.endswith(': ok')], [])
                self.assertEqual(server.stop(), 0, server.said())

    @clients.on_each_backend
    def test_a_page(self, backend):
        self.open_page(backend, tls=False)

    @clients.on_each_backend
    def test_a_page_by_tls_and_http2(self, backend):
        self.open_page(backend, tls=True)


if __name__ == '__main__':
    clients.take_arguments()
    unittest.main()
