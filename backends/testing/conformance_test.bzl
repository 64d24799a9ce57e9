"""Tests that every backend has to pass."""

def conformance_test(name, srcs, deps = [], **kwargs):
    """One file of the conformance suite.

    Args:
      name: of the test.
      srcs: its source.
      deps: beyond those that every such test has.
      **kwargs: as for cc_test.
    """
    native.cc_test(
        name = name,
        srcs = srcs,
        deps = deps + [
            "//backends:prepare",
            "//backends/testing:backend_fixture",
            "//backends/testing:views",
            "@com_google_googletest//:gtest_main",
        ],
        **kwargs
    )
