"""External repositories of Ringway, for its own WORKSPACE and for its users'.

    load("@ringway//third_party:repositories.bzl", "ringway_dependencies")

    ringway_dependencies()

A repository that the calling WORKSPACE has already defined is left alone. With
MODULE.bazel, extensions.bzl defines the part that is no module.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

def _unpack(ctx, url, sha256, prefix):
    # By position: the last parameter's name differs between versions of Bazel.
    ctx.download_and_extract(url, "", sha256, "", prefix)

def _overlay(ctx, build_file):
    ctx.file("WORKSPACE", "")
    ctx.symlink(build_file, "BUILD.bazel")

def _source_archive_impl(ctx):
    # The distribution's source package, if `tools/dev setup` has fetched it,
    # otherwise the upstream release. Both are checked against their hash.
    cache = ctx.os.environ.get("RINGWAY_SOURCES", "")
    if not cache:
        cache = ctx.os.environ.get("HOME", "") + "/.cache/ringway/sources"
    packaged = ctx.path(cache + "/" + ctx.attr.packaged_file)
    if packaged.exists:
        _unpack(ctx, "file://" + str(packaged), ctx.attr.packaged_sha256, ctx.attr.packaged_prefix)
    else:
        _unpack(ctx, ctx.attr.url, ctx.attr.sha256, ctx.attr.prefix)

    if ctx.attr.patch:
        ctx.patch(ctx.attr.patch, strip = 1)

    # clang-tidy would read it for the headers in there, and fail on some.
    ctx.delete(".clang-tidy")
    if ctx.attr.build_file:
        _overlay(ctx, ctx.attr.build_file)

_source_archive = repository_rule(
    implementation = _source_archive_impl,
    attrs = {
        "build_file": attr.label(
            allow_single_file = True,
            doc = "Overlaid as BUILD.bazel; absent when the archive has its own.",
        ),
        "packaged_file": attr.string(mandatory = True),
        "packaged_prefix": attr.string(mandatory = True),
        "packaged_sha256": attr.string(mandatory = True),
        "patch": attr.label(
            allow_single_file = True,
            doc = "Applied to either archive.",
        ),
        "prefix": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "url": attr.string(mandatory = True),
    },
    environ = [
        "HOME",
        "RINGWAY_SOURCES",
    ],
)

def _installed_headers_impl(ctx):
    # The distribution's package of headers where it is installed in the right
    # version, otherwise the upstream release.
    probe = ctx.path(ctx.attr.installed + "/" + ctx.attr.version_file)
    if probe.exists and ctx.attr.version_line in ctx.read(probe):
        for entry in ctx.attr.headers:
            ctx.symlink(ctx.attr.installed + "/" + entry, "include/" + entry)
    else:
        _unpack(ctx, ctx.attr.url, ctx.attr.sha256, ctx.attr.prefix)
    _overlay(ctx, ctx.attr.build_file)

_installed_headers = repository_rule(
    implementation = _installed_headers_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True, mandatory = True),
        "headers": attr.string_list(
            doc = "What to take from `installed`.",
            mandatory = True,
        ),
        "installed": attr.string(default = "/usr/include"),
        "prefix": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "url": attr.string(mandatory = True),
        "version_file": attr.string(mandatory = True),
        "version_line": attr.string(mandatory = True),
    },
)

def _pkg_config(ctx, variable):
    # Empty without pkg-config, or if that does not know the package.
    program = ctx.which("pkg-config")
    if not program:
        return ""
    asked = ctx.execute([program, "--variable=" + variable, ctx.attr.package])
    return asked.stdout.strip() if asked.return_code == 0 else ""

def _installed_library_impl(ctx):
    # The distribution's package, in the version that is installed: nothing is
    # fetched. Headers that differ between machines have a folder of their own.
    includes = _pkg_config(ctx, "includedir") or "/usr/include"
    libraries = _pkg_config(ctx, "libdir")
    version = ctx.path(includes + "/" + ctx.attr.version_file)
    if not version.exists or ctx.attr.version_line not in ctx.read(version):
        fail(("@{name}: {file} was not found, or is not of {version}. Install " +
              "{deb} (tools/dev setup does), or define a repository {name}: " +
              "third_party/{name}/README.md.").format(
            deb = ctx.attr.deb,
            file = version,
            name = ctx.name.split("~")[-1].split("+")[-1],
            version = ctx.attr.version_line,
        ))
    ctx.symlink(includes + "/" + ctx.attr.headers, "include/" + ctx.attr.headers)
    for machine in [libraries.split("/")[-1], "x86_64-linux-gnu", "aarch64-linux-gnu"]:
        of_machine = ctx.path("/".join([includes, machine, ctx.attr.headers]))
        if of_machine.exists:
            ctx.symlink(of_machine, "include_of_machine/" + ctx.attr.headers)
            break
    elsewhere = libraries and not libraries.startswith("/usr/lib")
    linkopts = ["-L" + libraries, "-Wl,-rpath," + libraries] if elsewhere else []
    ctx.file("found.bzl", "LINKOPTS = %r\n" % linkopts)
    _overlay(ctx, ctx.attr.build_file)

_installed_library = repository_rule(
    implementation = _installed_library_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True, mandatory = True),
        "deb": attr.string(
            doc = "The package that has it, for the message.",
            mandatory = True,
        ),
        "headers": attr.string(
            doc = "The folder of headers.",
            mandatory = True,
        ),
        "package": attr.string(
            doc = "Its name for pkg-config.",
            mandatory = True,
        ),
        "version_file": attr.string(mandatory = True),
        "version_line": attr.string(mandatory = True),
    },
    environ = [
        "PATH",
        "PKG_CONFIG_PATH",
    ],
)

def _native_shell_rules_impl(ctx):
    # Every Bazel that reads a WORKSPACE has them: this gives one its loadable name.
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    ctx.file("shell/BUILD.bazel", "")
    ctx.file("shell/sh_test.bzl", "sh_test = native.sh_test\n")

_native_shell_rules = repository_rule(implementation = _native_shell_rules_impl)

def overlaid_repositories(define):
    """Defines the repositories that have build files of ours, in either mode.

    Args:
      define: is called as define(rule, name = ..., **attributes) for each.
    """
    define(
        _source_archive,
        name = "liburing",
        build_file = Label("//third_party/liburing:liburing.BUILD"),
        packaged_file = "liburing_2.3.orig.tar.gz",
        packaged_prefix = "liburing-2.3",
        packaged_sha256 = "2eac26f880125d83f75ba8641fde5d88226dd352d3cee95d45a9128758a8f1be",
        prefix = "liburing-liburing-2.3",
        sha256 = "60b367dbdc6f2b0418a6e0cd203ee0049d9d629a36706fcf91dfb9428bae23c8",
        url = "https://github.com/axboe/liburing/archive/refs/tags/liburing-2.3.tar.gz",
    )

    # For HTTP only. The package of nghttp2 has a copy of llhttp's release.
    define(
        _source_archive,
        name = "llhttp",
        build_file = Label("//third_party/llhttp:llhttp.BUILD"),
        packaged_file = "nghttp2_1.64.0.orig.tar.gz",
        packaged_prefix = "nghttp2-1.64.0/third-party/llhttp",
        packaged_sha256 = "b452dc69a1fcbc9375389b8b154175d8b7b125cdd713fc426774c2b79a1ebd77",
        prefix = "llhttp-release-v9.2.1",
        sha256 = "3c163891446e529604b590f9ad097b2e98b5ef7e4d3ddcf1cf98b62ca668f23e",
        url = "https://github.com/nodejs/llhttp/archive/refs/tags/release/v9.2.1.tar.gz",
    )
    define(
        _source_archive,
        name = "nghttp2",
        build_file = Label("//third_party/nghttp2:nghttp2.BUILD"),
        packaged_file = "nghttp2_1.64.0.orig.tar.gz",
        packaged_prefix = "nghttp2-1.64.0",
        packaged_sha256 = "b452dc69a1fcbc9375389b8b154175d8b7b125cdd713fc426774c2b79a1ebd77",
        patch = Label("//third_party/nghttp2:terminated_session.patch"),
        prefix = "nghttp2-1.64.0",
        sha256 = "b452dc69a1fcbc9375389b8b154175d8b7b125cdd713fc426774c2b79a1ebd77",
        url = "https://github.com/nghttp2/nghttp2/archive/refs/tags/v1.64.0.tar.gz",
    )
    define(
        _source_archive,
        name = "zlib",
        build_file = Label("//third_party/zlib:zlib.BUILD"),
        packaged_file = "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
        packaged_prefix = "zlib-1.3.1",
        packaged_sha256 = "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
        prefix = "zlib-1.3.1",
        sha256 = "17e88863f3600672ab49182f217281b6fc4d3c762bde361935e436a95214d05c",
        url = "https://github.com/madler/zlib/archive/refs/tags/v1.3.1.tar.gz",
    )

    # For TLS only.
    define(
        _installed_library,
        name = "openssl",
        build_file = Label("//third_party/openssl:openssl.BUILD"),
        deb = "libssl-dev",
        headers = "openssl",
        package = "openssl",
        version_file = "openssl/opensslv.h",
        version_line = "# define OPENSSL_VERSION_MAJOR  3",
    )

    # For benchmarks only.
    define(
        _installed_headers,
        name = "asio",
        build_file = Label("//third_party/asio:asio.BUILD"),
        headers = [
            "asio",
            "asio.hpp",
        ],
        prefix = "asio-1.22.1",
        sha256 = "6874d81a863d800ee53456b1cafcdd1abf38bbbf54ecf295056b053c0d7115ce",
        url = "https://downloads.sourceforge.net/project/asio/asio/1.22.1%20(Stable)/asio-1.22.1.tar.bz2",
        version_file = "asio/version.hpp",
        version_line = "#define ASIO_VERSION 102201",
    )

def _maybe(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def ringway_dependencies():
    """Defines what Ringway builds on, each unless the caller already has it."""
    _maybe(_native_shell_rules, name = "rules_shell")
    _maybe(
        _source_archive,
        name = "com_google_absl",
        packaged_file = "abseil_20220623.1.orig.tar.gz",
        packaged_prefix = "abseil-20220623.1",
        packaged_sha256 = "abfe2897f3a30edaa74bc34365afe3c2a3cd012091a97dc7e008f7016adcd5fe",
        prefix = "abseil-cpp-20220623.1",
        sha256 = "91ac87d30cc6d79f9ab974c51874a704de9c2647c40f6932597329a282217ba8",
        url = "https://github.com/abseil/abseil-cpp/archive/refs/tags/20220623.1.tar.gz",
    )
    _maybe(
        _source_archive,
        name = "com_google_googletest",
        packaged_file = "googletest_1.12.1.orig.tar.gz",
        packaged_prefix = "googletest-release-1.12.1",
        packaged_sha256 = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        prefix = "googletest-release-1.12.1",
        sha256 = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        url = "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz",
    )
    _maybe(
        _source_archive,
        name = "com_github_google_benchmark",
        packaged_file = "benchmark_1.7.1.orig.tar.gz",
        packaged_prefix = "benchmark-1.7.1",
        packaged_sha256 = "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        prefix = "benchmark-1.7.1",
        sha256 = "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        url = "https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz",
    )
    overlaid_repositories(_maybe)

    # Abseil's BUILD files load the first and name processors that the platforms
    # of Bazel 4 and 5 lack. A Bazel that reports no version is a distribution's
    # build of one of them. rules_cc comes with Bazel.
    _maybe(
        http_archive,
        name = "bazel_skylib",
        sha256 = "66ffd9315665bfaafc96b52278f57c7e2dd09f5ede279ea6d39b2be471e7e3aa",
        url = "https://github.com/bazelbuild/bazel-skylib/releases/download/1.4.2/bazel-skylib-1.4.2.tar.gz",
    )
    if native.bazel_version[:2] in ["", "4.", "5."]:
        _maybe(
            http_archive,
            name = "platforms",
            sha256 = "5308fc1d8865406a49427ba24a9ab53087f17f5266a7aabbfc28823f3916e1ca",
            url = "https://github.com/bazelbuild/platforms/releases/download/0.0.6/platforms-0.0.6.tar.gz",
        )
