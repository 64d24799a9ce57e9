"""The dependencies that MODULE.bazel cannot name as modules."""

load(":repositories.bzl", "overlaid_repositories")

def _define(rule, name, **attributes):
    rule(name = name, **attributes)

def _dependencies_impl(_ctx):
    overlaid_repositories(_define)

dependencies = module_extension(
    implementation = _dependencies_impl,
    doc = "Defines @liburing, @llhttp, @nghttp2, @openssl and @zlib, and @asio for Ringway's own benchmarks.",
)
