"""The rules of Ringway's own targets: C++ rules with common attributes.

Headers are included by their path below `ringway/`, from here and from outside:
`#include "ringway/net/tcp.h"`. A folder `net` of a user's own hides nothing.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("@rules_shell//shell:sh_test.bzl", "sh_test")

def ringway_library(name, hdrs = None, srcs = None, private_hdrs = [], **kwargs):
    """A cc_library whose headers are found below `ringway/`.

    Args:
      name: of the library.
      hdrs: NAME.h if not given.
      srcs: NAME.cc, if there is one, if not given.
      private_hdrs: headers for the sources of this library alone.
      **kwargs: as for cc_library.
    """
    cc_library(
        name = name,
        srcs = native.glob([name + ".cc"]) if srcs == None else srcs,
        hdrs = ([name + ".h"] if hdrs == None else hdrs) + private_hdrs,
        include_prefix = ("ringway/" + native.package_name()).rstrip("/"),
        **kwargs
    )

def ringway_public_library(name, deps, **kwargs):
    """A public target: one name for several libraries.

    Args:
      name: of the target, which docs/targets.md describes.
      deps: the libraries, with the headers that users include.
      **kwargs: as for cc_library.
    """
    cc_library(
        name = name,
        visibility = ["//visibility:public"],
        deps = deps,
        **kwargs
    )

def ringway_binary(name, srcs = None, **kwargs):
    """A cc_binary.

    Args:
      name: of the program.
      srcs: NAME.cc if not given.
      **kwargs: as for cc_binary.
    """
    cc_binary(
        name = name,
        srcs = [name + ".cc"] if srcs == None else srcs,
        **kwargs
    )

def ringway_test(
        name,
        srcs = None,
        deps = [],
        size = "small",
        main = True,
        tags = [],
        threads = False,
        without_uring = False,
        **kwargs):
    """A cc_test that uses GoogleTest.

    Args:
      name: of the test.
      srcs: NAME.cc if not given.
      deps: beyond GoogleTest.
      size: as for cc_test.
      main: whether GoogleTest supplies main(); the test does if not.
      tags: as for cc_test.
      threads: whether threads meet in it: `tools/dev test` repeats these tests
        under the thread sanitizer. The lint compares it with the sources.
      without_uring: runs it once more where the kernel refuses io_uring with
        EPERM, as x_without_uring_test for an x_test.
      **kwargs: as for cc_test.
    """
    cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"] if srcs == None else srcs,
        tags = tags + (["threads"] if threads else []),
        deps = deps + (["@com_google_googletest//:gtest_main"] if main else []),
        **kwargs
    )
    if without_uring:
        sh_test(
            name = name[:-len("_test")] + "_without_uring_test",
            size = size,
            srcs = ["//backends/testing:without_uring"],
            args = ["$(rootpath :%s)" % name],
            data = [":" + name],
        )
