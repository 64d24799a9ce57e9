"""This user's compiler options."""

# The builtins that clang 19 calls deprecated are in Abseil's headers, and g++
# does not mind an option -Wno-... that it does not know.
USER_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-deprecated-builtins",
]
