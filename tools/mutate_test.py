#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutate.py on sources as they are written here, and with a Bazel that is played."""

import io
import json
import os
import tempfile
import unittest

import mutate

_SOURCE = '''// SPDX-License-Identifier: Apache-2.0
#include "ringway/net/a.h"
namespace ringway {
// A comment with a == b && !c.
bool Ready(int n) {
  RINGWAY_CHECK(n != 0, "none");
  if (n == 1 && !closed_) return true;
  count_ = n + 1;
  Wake();
  Wake();
  Log("a == b");
  return false;
}
}  // namespace ringway
'''


def _news(line):
    return {(m.kind, m.new) for m in mutate.mutants_of('net/a.cc', line + '\n')}


class MutantsTest(unittest.TestCase):

    def test_a_line_is_changed_in_every_way_that_it_can_be(self):
        self.assertEqual(_news('  if (n == 1 && !closed_) return true;'), {
            ('equality', 'if (n != 1 && !closed_) return true;'),
            ('junction', 'if (n == 1 || !closed_) return true;'),
            ('not', 'if (n == 1 && closed_) return true;'),
            ('result', 'if (n == 1 && !closed_) return false;'),
            ('negated', 'if (!(n == 1 && !closed_)) return true;'),
        })
        self.assertEqual(_news('x->count_ = n - 1;'), {
            ('by-one', 'x->count_ = n + 1;'), ('assignment', ';')})
        self.assertEqual(_news('while (n_ <= 4) ++n_;'), {
            ('bound', 'while (n_ < 4) ++n_;'), ('step', 'while (n_ <= 4) --n_;'),
            ('negated', 'while (!(n_ <= 4)) ++n_;')})
        self.assertEqual(_news('core_.loop().Cancel(read);'), {('call', ';')})

    def test_comments_strings_checks_and_declarations_stay(self):
        for line in ('// a == b', '#include <a>', 'RINGWAY_CHECK(a == b, "c");', 'int n = 1;',
                     'static_assert(a == b);', 'Foo(Foo&&) = delete;', 'return "a == b";',
                     'internal::SchedulePoint();', 'void Set(bool&& value, int n);',
                     'std::vector<int> v;'):
            self.assertEqual(_news(line), set(), line)

    def test_a_mutant_is_found_by_its_line_wherever_that_is(self):
        second = [m for m in mutate.mutants_of('net/a.cc', _SOURCE)
                  if m.old == 'Wake();' and m.occurrence == 1][0]
        moved = _SOURCE.replace('bool Ready', '// More.\n\nbool Ready')
        lines = mutate.apply_mutant(second, moved).splitlines()
        self.assertEqual([line.strip() for line in lines[10:12]], ['Wake();', ';'])
        self.assertIsNone(mutate.apply_mutant(second, moved.replace('  Wake();\n  Wake();\n', '')))

    def test_only_the_product_is_changed(self):
        self.assertEqual(mutate.product_files([
            'net/a.cc', 'net/a.h', 'net/a_test.cc', 'net/BUILD.bazel', 'core/a.cc',
            'backends/testing/a.cc', 'backends/sim/a.cc', 'executor/testing/loop_conformance.h',
        ]), ['net/a.cc', 'net/a.h'])

    def test_a_choice_is_the_same_for_the_same_seed_and_takes_of_each_package(self):
        pool = [m for package in mutate.PACKAGES for stem in ('a', 'b', 'loop')
                for m in mutate.mutants_of('%s/%s.cc' % (package, stem), _SOURCE)]
        most = {package: 3 for package in mutate.PACKAGES}

        def names(seed):
            return [m.id for m in mutate.choose(mutate.in_random_order(pool, seed), 16, most)]

        self.assertEqual(names(1), names(1))
        self.assertNotEqual(names(1), names(2))
        chosen = mutate.choose(mutate.in_random_order(pool, 1), 16, most)
        for package in mutate.PACKAGES:
            self.assertEqual(len([m for m in chosen if m.package == package]), 4)

    def test_tests_that_are_near_come_first(self):
        labels = ['//executor:allocation_test', '//executor/ring:ring_test',
                  '//executor/ring:mailbox_test', '//net:tcp_test']
        labels.sort(key=lambda label: mutate.distance(label, 'executor/ring/mailbox.cc'))
        self.assertEqual(labels[0], '//executor/ring:mailbox_test')
        self.assertEqual(labels[1], '//executor/ring:ring_test')
        self.assertEqual(labels[-1], '//net:tcp_test')


class _PlayedTree:
    """Gives outcomes by line; counts what it was asked."""

    def __init__(self, outcomes):
        self._outcomes = outcomes
        self.tried = []

    def try_mutant(self, mutant):
        self.tried.append(mutant.id)
        return self._outcomes(mutant), ''


class RunTest(unittest.TestCase):

    def setUp(self):
        self._pool = mutate.mutants_of('net/a.cc', _SOURCE)
        self._listed = self._pool[:3]
        self._results = {}

    def _try(self, outcomes):
        tree = _PlayedTree(outcomes)
        out = io.StringIO()
        tried = mutate.try_all(tree, 1, self._listed, self._pool, self._results,
                               lambda result: None, out)
        return tree, tried

    def test_what_has_a_result_is_not_tried_again(self):
        self._results[self._listed[0].id] = {'id': self._listed[0].id, 'status': 'killed'}
        tree, _ = self._try(lambda mutant: 'killed')
        self.assertEqual(tree.tried, [m.id for m in self._listed[1:]])

    def test_what_does_not_compile_or_is_gone_is_replaced_by_another(self):
        bad = {self._listed[0].id: 'not built', self._listed[1].id: 'stale'}
        _, tried = self._try(lambda mutant: bad.get(mutant.id, 'killed'))
        self.assertEqual(len({m.id for m in tried}), 3)
        self.assertEqual(tried[2].id, self._listed[2].id)
        self.assertFalse({m.id for m in tried} & set(bad))

    def _summary(self, tried, threshold=95.0):
        out = io.StringIO()
        good = mutate.summarise(tried, self._results, threshold, out)
        return good, out.getvalue().splitlines()[-1]

    def test_a_hang_is_a_kill_and_a_survivor_fails_the_run(self):
        outcomes = dict(zip((m.id for m in self._listed), ('killed', 'hung', 'survived')))
        _, tried = self._try(lambda mutant: outcomes[mutant.id])
        self.assertEqual(self._summary(tried, 60.0), (
            False, '3 mutants: 2 killed, 1 survived, 0 explained, 0 not tried: 66.7 % killed'))

    def test_an_explained_survivor_does_not_but_counts_against_the_rate(self):
        self._listed[2].because = 'it only saves a wake-up'
        outcomes = dict(zip((m.id for m in self._listed), ('killed', 'killed', 'survived')))
        _, tried = self._try(lambda mutant: outcomes[mutant.id])
        self.assertTrue(self._summary(tried, 60.0)[0])
        self.assertFalse(self._summary(tried, 95.0)[0])

    def test_nothing_tried_is_no_success(self):
        self.assertFalse(self._summary(self._listed)[0])

    def test_list_and_results_are_read_as_they_were_written(self):
        self._listed[1].because = 'why "not"'
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'mutants.json')
            mutate.write_list(path, 7, self._listed)
            seed, mutants = mutate.read_list(path)
            results = os.path.join(folder, 'results.jsonl')
            with open(results, 'w', encoding='utf-8') as file:
                for status in ('survived', 'killed'):
                    file.write(json.dumps({'id': 'x', 'status': status}) + '\n')
            self.assertEqual(mutate.read_results(results)['x']['status'], 'killed')
        self.assertEqual(seed, 7)
        self.assertEqual([m.as_dict() for m in mutants], [m.as_dict() for m in self._listed])
        self.assertEqual([m.id for m in mutants], [m.id for m in self._listed])


if __name__ == '__main__':
    unittest.main()
