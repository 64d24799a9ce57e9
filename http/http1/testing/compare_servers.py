#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what HTTP servers make of the requests in *.inc.

Runs nginx, haproxy and Apache httpd, as far as they are installed, on free ports
with configurations of their own, sends each of them every test request, and
prints the requests on which one accepts or refuses something else than the
verdict in the file, which is that of Ringway. docs/http_strictness.md explains
the differences.

  http/http1/testing/compare_servers.py
  http/http1/testing/compare_servers.py --server=ringway=127.0.0.1:8080
"""

import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

# Status codes that say that a request could not be read; any other means that it
# was, even if this server has nothing for it.
_REFUSALS = {400, 411, 413, 414, 417, 421, 422, 431, 501, 505}

_CONFIGURATIONS = {
    'nginx': ('nginx -p {folder} -c {file} -e stderr', '''
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok"; }}
  }}
}}
'''),
    'haproxy': ('haproxy -f {file}', '''
global
  maxconn 512
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  timeout http-request 30s
frontend http
  bind 127.0.0.1:{port}
  option http-buffer-request
  http-request return status 200 content-type text/plain string ok
'''),
    'apache2': ('apache2 -X -f {file}', '''
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ErrorLog /dev/null
DocumentRoot {folder}
<Directory {folder}>
  Require all granted
</Directory>
'''),
}

TestRequests = collections.namedtuple('TestRequests', 'verdict reason title bytes')


def decode(text):
    """Returns the bytes that a line stands for, without its end."""
    def one(match):
        kind = match.group(1)
        if kind.startswith('x'):
            return chr(int(kind[1:], 16))
        return {'r': '\r', 'n': '\n', 't': '\t', '0': '\0'}.get(kind, kind)

    # From the innermost outwards.
    repeated = re.compile(r'\\\{(\d+)\*((?:[^{}\\]|\\[^{])*)\}')
    while repeated.search(text):
        text = repeated.sub(lambda m: m.group(2) * int(m.group(1)), text)
    return re.sub(r'\\(x[0-9a-f]{2}|.)', one, text)


def read_requests(file_name):
    requests = []
    with open(file_name) as file:
        for line in file.read().split('\n'):
            if line.startswith('|'):
                whole = not line.endswith('\\c')
                text = decode(line[1:] if whole else line[1:-2]) + ('\r\n' if whole else '')
                requests[-1].bytes.extend(text.encode('latin-1'))
            elif re.match(r'[-0-9]', line):
                verdicts, reason, title = line.split(' | ')
                of_parser, _, of_server = verdicts.partition('>')
                codes = of_parser.split(' ')
                if of_server:
                    codes[-1] = of_server
                requests.append(TestRequests(' '.join(codes).replace('-', ''), reason, title,
                                             bytearray()))
    return requests


def all_requests():
    here = os.path.dirname(os.path.abspath(__file__))
    return [test for file_name in sorted(glob.glob(os.path.join(here, '*.inc')))
            for test in read_requests(file_name)]


def verdict_of(answer):
    """The status codes of all responses, with 200 for what was accepted."""
    codes = []
    while answer:
        head, _, answer = answer.partition(b'\r\n\r\n')
        match = re.match(rb'HTTP/1\.[01] (\d{3})', head)
        if not match:
            codes.append('text')
            break
        code = int(match.group(1))
        length = re.search(rb'\r\ncontent-length: *(\d+)', head, re.IGNORECASE)
        if not 100 <= code <= 199:
            codes.append(str(code) if code in _REFUSALS else '200')
            # A response to HEAD has no body.
            if not answer.startswith(b'HTTP/1.'):
                answer = answer[int(length.group(1)) if length else len(answer):]
    return ' '.join(codes)


def ask(address, requests, patience):
    with socket.create_connection(address, timeout=patience) as connection:
        answer = b''
        try:
            connection.sendall(requests.bytes)
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        except OSError:  # it has waited for more, or has cut the connection
            pass
        return verdict_of(answer)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def start(name, folder):
    """Returns the process and its address."""
    command, configuration = _CONFIGURATIONS[name]
    port = free_port()
    folder = os.path.join(folder, name)
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    file_name = os.path.join(folder, 'configuration')
    with open(file_name, 'w') as file:
        file.write(configuration.format(folder=folder, port=port))
    with open(os.path.join(folder, 'index.html'), 'w') as file:
        file.write('ok')
    process = subprocess.Popen(command.format(folder=folder, file=file_name).split(),
                               stdin=subprocess.DEVNULL)
    address = ('127.0.0.1', port)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(address, timeout=1).close()
            return process, address
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                sys.exit('%s did not start' % name)
            time.sleep(0.05)


def same(a, b):
    """Whether both accept the same requests, and both refuse what follows or not."""
    accepted = lambda verdict: ['200' if code == '200' else 'x' for code in verdict.split()]
    return accepted(a) == accepted(b)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--server', action='append', default=[], metavar='NAME=HOST:PORT',
                        help='one more, which is running; may be repeated')
    parser.add_argument('--patience', type=float, default=1.0, metavar='SECONDS',
                        help='for more of an answer (default %(default)s)')
    parser.add_argument('--codes', action='store_true',
                        help='also print where only the status codes differ')
    options = parser.parse_args()

    tests = all_requests()
    servers = {}
    for server in options.server:
        name, _, address = server.partition('=')
        host, _, port = address.rpartition(':')
        servers[name] = (host, int(port))
    processes = []
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(32) as threads:
        os.chmod(folder, 0o755)
        try:
            for name in _CONFIGURATIONS:
                if shutil.which(name):
                    process, servers[name] = start(name, folder)
                    processes.append(process)
                else:
                    print('%s is not installed' % name)
            found = {name: list(threads.map(
                lambda test, address=address: ask(address, test, options.patience), tests))
                     for name, address in servers.items()}
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    print('%d requests\n' % len(tests))
    names = list(found)
    print('| ' + ' | '.join(['request', 'reason', 'file'] + names) + ' |')
    print('|---' * (3 + len(names)) + '|')
    n_rows = 0
    for i, test in enumerate(tests):
        row = [found[name][i] for name in names]
        differs = [not same(test.verdict, verdict) or (options.codes and test.verdict != verdict)
                   for verdict in row]
        if any(differs):
            n_rows += 1
            cells = [verdict or '-' if differ else '' for verdict, differ in zip(row, differs)]
            print('| ' + ' | '.join([test.title, test.reason, test.verdict or '-'] + cells) + ' |')
    print('\n%d differ' % n_rows)


if __name__ == '__main__':
    main()
