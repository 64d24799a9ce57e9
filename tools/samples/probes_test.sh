#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A server has the probes that docs/observability.md lists, and no others:
# probes_test.sh SERVER
set -euo pipefail

case $(uname -m) in
  x86_64 | aarch64) ;;
  *)
    echo "there are no probes on this machine"
    exit 0
    ;;
esac

notes=$(readelf --notes "$1")
found=$(grep -A 1 'Provider: ringway$' <<<"$notes" | sed -n 's/^ *Name: //p' | sort -u)
listed=$(sed -n '/^| probe /,/^$/ s/^| `\([a-z_]*\)` .*/\1/p' docs/observability.md | sort -u)
[[ -n $listed ]] || {
  echo "docs/observability.md lists no probes" >&2
  exit 1
}
diff <(echo "$listed") <(echo "$found") || {
  echo "the probes of docs/observability.md (<) and of the server (>) differ" >&2
  exit 1
}
echo PASS
