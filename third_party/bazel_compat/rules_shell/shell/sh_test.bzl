"""The shell rules are native in Bazel 4: this only gives one its loadable name."""

sh_test = native.sh_test
