#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the public targets with docs/targets.md, and what other pages say of them."""

import glob
import os
import re

_DOCUMENT = 'docs/targets.md'
# Repositories of their own, or what they are made of.
_NOT_OURS = ('third_party/', 'tools/consumer/')


def build_files():
    return sorted(name for name in glob.glob('**/BUILD.bazel', recursive=True)
                  if not name.startswith(_NOT_OURS + ('bazel-',)))


def public_targets_of(package, text):
    """The labels in a BUILD file that any workspace may depend on."""
    labels = []
    default = re.search(r'^package\(([^)]*)\)', text, re.MULTILINE)
    default_is_public = bool(default) and '//visibility:public' in default.group(1)
    for rule, body in re.findall(r'^(\w+)\(\n(.*?)^\)', text, re.DOTALL | re.MULTILINE):
        name = re.search(r'^    name = "([^"]+)"', body, re.MULTILINE)
        if not name:
            continue
        visibility = re.search(r'^    visibility = \[(.*?)\]', body, re.DOTALL | re.MULTILINE)
        public = ('//visibility:public' in visibility.group(1) if visibility
                  else default_is_public or rule == 'ringway_public_library')
        if public:
            short = name.group(1) == os.path.basename(package)
            labels.append('//' + package + ('' if short else ':' + name.group(1)))
    return labels


def public_targets():
    labels = []
    for name in build_files():
        with open(name, encoding='utf-8') as file:
            labels += public_targets_of(os.path.dirname(name), file.read())
    return sorted(labels)


def documented_targets(text):
    """Label -> its headers, without `ringway/`, and its example."""
    targets = {}
    for section in re.split(r'^## ', text, flags=re.MULTILINE)[1:]:
        label = re.match(r'`@ringway([^`]+)`\n', section)
        headers = re.search(r'^Headers: (.*?)\.$', section, re.DOTALL | re.MULTILINE)
        example = re.search(r'^```cpp\n(.*?)^```', section, re.DOTALL | re.MULTILINE)
        if label:
            targets[label.group(1)] = (
                re.findall(r'`ringway/([^`]+)`', headers.group(1)) if headers else [],
                example.group(1) if example else '')
    return targets


def documented():
    with open(_DOCUMENT, encoding='utf-8') as file:
        return documented_targets(file.read())


def public_headers():
    """Paths of what users include, in this repository."""
    return sorted({header for headers, _ in documented().values() for header in headers})


def compare(public, targets, is_file):
    """Returns a complaint for each difference between BUILD files and document."""
    problems = ['%s is visible to everybody and not in %s' % (label, _DOCUMENT)
                for label in public if label not in targets]
    problems += ['%s describes %s, which is no public target' % (_DOCUMENT, label)
                 for label in targets if label not in public]
    for label, (headers, example) in targets.items():
        problems += ['%s: %s names ringway/%s, which does not exist' % (_DOCUMENT, label, header)
                     for header in headers if not is_file(header)]
        if not any('#include "ringway/%s"' % header in example for header in headers):
            problems.append('%s: the example of %s includes none of its headers'
                            % (_DOCUMENT, label))
    return problems


def check_page(name, text, public, is_file):
    """Returns a complaint if it shows code without saying where it is from, or from where it is not."""
    headers = re.findall(r'`ringway/([^`\s]+\.h)`', text)
    labels = re.findall(r'`@ringway(//[^`\s]+)`', text)
    problems = []
    if '\n```cpp\n' in text and not headers:
        problems.append('%s shows code and names no header: `ringway/...h`' % name)
    if '\n```cpp\n' in text and not labels:
        problems.append('%s shows code and names no target: `@ringway//...`' % name)
    problems += ['%s names ringway/%s, which does not exist' % (name, header)
                 for header in headers if not is_file(header)]
    problems += ['%s names @ringway%s, which is no public target' % (name, label)
                 for label in labels if label not in public]
    return problems


def check():
    public = public_targets()
    problems = compare(public, documented(), os.path.isfile)
    for name in sorted(glob.glob('docs/*.md')):
        with open(name, encoding='utf-8') as file:
            problems += check_page(name, file.read(), public, os.path.isfile)
    return problems
