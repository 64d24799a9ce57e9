"""Tests that every backend has to pass."""

load("//tools/build:rules.bzl", "ringway_test")

def conformance_test(name, deps = [], **kwargs):
    """One file of the conformance suite.

    Args:
      name: of the test, and of its source.
      deps: beyond those that every such test has.
      **kwargs: as for ringway_test.
    """
    ringway_test(
        name = name,
        deps = deps + [
            "//backends:prepare",
            "//backends/testing:backend_fixture",
            "//backends/testing:views",
        ],
        **kwargs
    )
