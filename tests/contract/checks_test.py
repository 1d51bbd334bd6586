#!/usr/bin/env python3
"""The tests' own parts: every line has its check, the samples are read as they are meant, and what differs
from a sample is seen."""
import unittest

import conformance_test
import matcher
import registry
import samples


class Coverage(unittest.TestCase):
    def setUp(self):
        conformance_test.load_checks()

    def test_every_line_has_its_check_and_every_check_its_line(self):
        lines = registry.read_lines()
        self.assertEqual([], registry.uncovered(lines))
        self.assertEqual(len(lines), len(registry.CHECKS))

    def test_a_line_without_a_check_and_a_check_without_a_line_are_seen(self):
        lines = registry.read_lines()
        more = registry.Line("004", "GET", "/new", (200,), "query")
        self.assertEqual([f"no check: {more}"], registry.uncovered([*lines, more]))
        self.assertEqual([f"no line: {' '.join(lines[0].key)}"], registry.uncovered(lines[1:]))

    def test_what_is_said_not_to_be_served_is_a_line(self):
        keys = {line.key for line in registry.read_lines()}
        self.assertLessEqual(conformance_test.PENDING, keys)


class Samples(unittest.TestCase):
    def test_a_sample_is_read_though_it_is_no_json(self):
        for printed, meant in (
                ('[{"a": 1 "b": [1, 2,],}]', [{"a": 1, "b": [1, 2]}]),
                ('{"a": [0, 25] // [offline, online]\n}', {"a": [0, 25]}),
                ('{"data": ["x": {"y": true}]}', {"data": {"x": {"y": True}}}),
                ('{"data": [{"a": 1}], [{"a": 2}]}', {"data": [{"a": 1}, {"a": 2}]}),
                ('  "a" : {\n    "b" : 1\n  "c" : [ ]', {"a": {"b": 1}, "c": []}),
                ('{"a": "two\nlines"}', {"a": "two\nlines"})):
            self.assertEqual(meant, samples.read_json(printed), printed)

    def test_every_sample_is_read(self):
        for name, at_least in (("vmfront", 6), ("orchestrator", 18), ("reservation", 10), ("perspective", 17),
                               ("nano", 80)):
            found = samples.of(name)
            self.assertEqual(at_least, len(found))
            for title, sample in found.items():
                for kind, text in sample.blocks:
                    is_json = text.lstrip().startswith(("[", "{", '"')) and "'timestamp'" not in text
                    if kind.startswith("answer") and is_json:
                        self.assertTrue(samples.read_json(text), f"{name}: {title}")

    def test_a_last_comma_alone_is_taken_out_of_what_is_sent(self):
        update = samples.of("reservation")["PUT /v1/leases/{lease_id}"]
        self.assertIn('"2017-3-12 12:00",\n}', update.printed_body)
        self.assertIn('"2017-3-12 12:00"\n}', update.body)


class Differences(unittest.TestCase):
    SAMPLE = {"id": "6ee55c78-ac52-41a6-99af-2d2d73bcc466", "at": "2017-02-21 14:50:38", "n": 1, "list": [{"a": None}]}
    OTHER = {"id": "7ee55c78-ac52-41a6-99af-2d2d73bcc466", "at": "2026-02-21 14:50:38", "n": 1, "list": [{"a": None}]}

    def seen(self, **change):
        return matcher.differences(self.SAMPLE, {**self.OTHER, **change})

    def test_ids_and_times_may_differ_within_their_form(self):
        self.assertEqual([], self.seen())
        self.assertTrue(self.seen(id="6"))
        self.assertTrue(self.seen(at="2026-02-21T14:50:38"))

    def test_everything_else_may_not(self):
        for change in ({"n": 2}, {"n": "1"}, {"n": True}, {"n": None}, {"list": []}, {"list": [{"a": 1}]},
                       {"list": [{"a": None, "b": 1}]}, {"list": [{}]}, {"more": 1}):
            self.assertTrue(self.seen(**change), change)
        self.assertTrue(matcher.differences(self.SAMPLE, {}))

    def test_a_free_member_keeps_its_type(self):
        self.assertEqual([], matcher.differences({"n": 1}, {"n": 2}, free=["n"]))
        self.assertTrue(matcher.differences({"n": 1}, {"n": "2"}, free=["n"]))


if __name__ == "__main__":
    unittest.main()
