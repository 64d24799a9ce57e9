"""Tests once more, where the kernel refuses io_uring."""

def without_uring_tests(tests, size = "small"):
    """Runs each of `tests` in a filter that refuses io_uring with EPERM.

    For every test there is a second one, called x_without_uring_test for an
    x_test.

    Args:
      tests: names of cc_tests in this package.
      size: as for cc_test.
    """
    for test in tests:
        native.sh_test(
            name = test[:-len("_test")] + "_without_uring_test",
            size = size,
            srcs = ["//backends/testing:without_uring"],
            args = ["$(rootpath :%s)" % test],
            data = [":" + test],
        )
