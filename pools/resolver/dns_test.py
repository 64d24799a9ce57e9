#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Look-ups by a name server of the test's own, in a network namespace of its own.

Needs root, for the namespaces; skipped with a message without.
"""

import ipaddress
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

_A, _PTR, _AAAA = 1, 12, 28
_ALL = {_A: ['192.0.2.1', '192.0.2.2'], _AAAA: ['2001:db8::1']}
_NAMES = {
    ipaddress.ip_address(address).reverse_pointer: name
    for address, name in (('192.0.2.1', 'four.test'), ('2001:db8::1', 'six.test'))
}


def encoded(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'


def data_of(kind, answer):
    """An address or a name as a record holds it."""
    if kind == _PTR:
        return encoded(answer)
    return socket.inet_pton(socket.AF_INET if kind == _A else socket.AF_INET6, answer)


def question_of(query):
    """The name and type that a query asks for, and where the question ends."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    (kind,) = struct.unpack('>H', query[at + 1:at + 3])
    return '.'.join(labels), kind, at + 5


def answer_to(query):
    """None: it is not answered."""
    name, kind, end = question_of(query)
    host = name.split('.')[0]
    if host == 'stalled':
        return None
    if kind == _PTR:
        answers = [_NAMES[name]] if name in _NAMES else None
    elif host == 'all':
        answers = _ALL.get(kind, [])
    elif host.isdigit():
        answers = ['192.0.2.' + host] if kind == _A else []
    else:
        answers = None
    code = 3 if answers is None else 0  # 3: there is no such name
    records = b''
    for answer in answers or []:
        data = data_of(kind, answer)
        records += b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 60, len(data)) + data
    header = query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(answers or []), 0, 0)
    return header + query[12:end] + records


def serve(server):
    # Apart from the client, whose longest turn is printed.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    while True:
        query, client = server.recvfrom(4096)
        answer = answer_to(query)
        if answer:
            server.sendto(answer, client)


def in_namespaces(client):
    """Runs in a network and a mount namespace that are this process's own."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (('resolv.conf', 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n'),
                           ('nsswitch.conf', 'hosts: dns\n')):
            path = os.path.join(folder, name)
            with open(path, 'w', encoding='ascii') as file:
                file.write(text)
            place = os.path.realpath('/etc/' + name)
            subprocess.run(['mount', '--bind', path, place], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(('127.0.0.1', 53))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        return subprocess.run([client], timeout=100, check=False).returncode


def main():
    client = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        return in_namespaces(client)
    for tool in ('unshare', 'ip', 'mount'):
        if not shutil.which(tool):
            print('SKIPPED: there is no ' + tool)
            return 0
    unshare = ['unshare', '--net', '--mount']
    if subprocess.run(unshare + ['true'], check=False).returncode != 0:
        print('SKIPPED: no namespaces may be made here')
        return 0
    return subprocess.run(unshare + [sys.executable, __file__, client, 'inside'],
                          check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
