#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that a file is a well-formed Chrome trace: check_trace.py FILE.

It is JSON; each thread has a name; the slices of each thread are balanced and
nested, and its times never go back; each asynchronous event that begins ends.
"""

import collections
import json
import sys


def check(events):
    names = {e['tid']: e['args']['name'] for e in events
             if e['ph'] == 'M' and e['name'] == 'thread_name'}
    depth = collections.Counter()
    last = collections.defaultdict(float)
    begun = {}
    for e in events:
        if e['ph'] == 'M':
            continue
        place = (e['pid'], e['tid'])
        assert e['tid'] in names, e
        assert e['ts'] >= last[place], 'time goes back: %s' % e
        last[place] = e['ts']
        if e['ph'] == 'B':
            assert e['name'], e
            depth[place] += 1
        elif e['ph'] == 'E':
            depth[place] -= 1
            assert depth[place] >= 0, 'ends and did not begin: %s' % e
        elif e['ph'] == 'b':
            key = (e['cat'], e['id'])
            assert key not in begun, 'begins twice: %s' % e
            begun[key] = e
        elif e['ph'] == 'e':
            begin = begun.pop((e['cat'], e['id']))
            assert begin['name'] == e['name'] and begin['ts'] <= e['ts'], e
        else:
            raise AssertionError('no such phase: %s' % e)
    assert not any(depth.values()), 'slices do not end: %s' % depth
    assert not begun, 'do not end: %s' % list(begun.values())


if __name__ == '__main__':
    with open(sys.argv[1], encoding='utf-8') as file:
        check(json.load(file)['traceEvents'])
