"""Stand-ins for what the distribution's Bazel 4.2.3 would download.

Used by Ringway's own WORKSPACE only. A released Bazel knows its version and
fetches these repositories itself; the distribution's build reports none.
"""

def bazel_compat_repositories():
    """Defines Bazel's built-in repositories from files of this machine."""
    if native.bazel_version:
        return
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/tools/platforms",
        "remote_coverage_tools": "third_party/bazel_compat/remote_coverage_tools",
        "rules_cc": "third_party/bazel_compat/rules_cc",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        native.local_repository(name = name, path = path)
