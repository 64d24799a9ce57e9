#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a workspace of a user's to DIRECTORY: tools/consumer, with what the documents show.

  readme_server.cc     the code block of README.md
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


def main():
    folder = sys.argv[1]
    shutil.copytree('tools/consumer', folder,
                    ignore=lambda _, names: [n for n in names if n.startswith('bazel-')])
    for name in ('WORKSPACE', 'MODULE.bazel'):  # the latter where there is one
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            write(path, read(path).replace('"../.."', '"%s"' % os.path.realpath('.')))
    shown = re.findall(r'^```cpp\n(.*?)^```', read('README.md'), re.DOTALL | re.MULTILINE)
    if len(shown) != 1:
        sys.exit('README.md shows %d programs, not one' % len(shown))
    write(os.path.join(folder, 'readme_server.cc'), shown[0])
    for name in ('multi_writer.cc', 'multi_writer_test.sh'):
        shutil.copy(os.path.join('tools/samples', name), folder)
    write_targets(os.path.join(folder, 'targets'))


if __name__ == '__main__':
    main()
