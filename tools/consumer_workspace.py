#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a workspace of a user's to DIRECTORY: tools/consumer, with what the documents show.

  MODULE.bazel, WORKSPACE, .bazelrc, server/
                       the blocks of README.md, to the letter, each the beginning
                       of its file: its dependencies and its servers
  multi_writer.cc      the sample that docs/ring.md shows, and its test
  targets/             for each target of docs/targets.md: its example, compiled
                       with the targets whose headers that includes, and all its
                       headers, compiled with nothing but that target
"""

import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
import public_targets  # noqa: E402

# What a block of README.md is by its first line, and where it goes.
_FILES_OF_README = {
    'MODULE.bazel': 'MODULE.bazel',
    'WORKSPACE': 'WORKSPACE',
    '.bazelrc': '.bazelrc',
    'BUILD.bazel': 'server/BUILD.bazel',
}

# Its servers, in their order.
_SERVERS_OF_README = ['server/server.cc', 'server/http_server.cc']

_TARGETS_HEADER = '''load("@rules_cc//cc:defs.bzl", "cc_library")
load("//:options.bzl", "USER_COPTS")
'''
_TARGET = '''
cc_library(
    name = "{name}",
    testonly = True,
    srcs = ["{name}.cc"],
    copts = USER_COPTS,
    deps = {deps},
)
'''


def read(name):
    with open(name, encoding='utf-8') as file:
        return file.read()


def write(name, text):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text)


def write_targets(folder):
    os.makedirs(folder)
    build = _TARGETS_HEADER
    targets = public_targets.documented()

    def add(name, text, labels):
        write(os.path.join(folder, name + '.cc'), text)
        return _TARGET.format(name=name, deps=json.dumps(['@ringway' + l for l in labels]))

    for label, (headers, example) in targets.items():
        name = re.sub(r'\W+', '_', label).strip('_')
        build += add(name + '_headers', ''.join('#include "ringway/%s"\n' % h for h in headers),
                     [label])
        included = re.findall(r'#include "ringway/([^"]+)"', example)
        build += add(name + '_example', example,
                     [l for l, (provided, _) in targets.items()
                      if l == label or any(h in included for h in provided)])
    write(os.path.join(folder, 'BUILD.bazel'), build)


def blocks_of_readme():
    """Path in the workspace -> the block of README.md."""
    blocks = re.findall(r'^```(\w*)\n(.*?)^```', read('README.md'), re.DOTALL | re.MULTILINE)
    servers = [text for language, text in blocks if language == 'cpp']
    shown = list(zip(_SERVERS_OF_README, servers))
    if len(servers) != len(_SERVERS_OF_README):
        sys.exit('README.md shows %d servers and not %d' % (len(servers), len(_SERVERS_OF_README)))
    for name, path in _FILES_OF_README.items():
        shown += [(path, text) for _, text in blocks if re.match('# %s\\b' % re.escape(name), text)]
    if sorted(path for path, _ in shown) != sorted(
            [*_SERVERS_OF_README, *_FILES_OF_README.values()]):
        sys.exit('README.md does not show each once, but: %s' % ', '.join(p for p, _ in shown))
    return dict(shown)


def main():
    folder = sys.argv[1]
    shutil.copytree('tools/consumer', folder,
                    ignore=lambda _, names: [n for n in names if n.startswith('bazel-')])
    for name, text in blocks_of_readme().items():
        path = os.path.join(folder, name)
        write(path, text + ('\n' + read(path) if os.path.isfile(path) else ''))
    for name in ('multi_writer.cc', 'multi_writer_test.sh'):
        shutil.copy(os.path.join('tools/samples', name), folder)
    write_targets(os.path.join(folder, 'targets'))


if __name__ == '__main__':
    main()
