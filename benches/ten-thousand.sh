#!/usr/bin/env bash
# Plans and applies 10,000 objects with the release build, and with terraform where it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -p stratiform
engine="$PWD/target/release/stratiform"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
measure() { /usr/bin/time -f "%U s user, %S s system, %e s wall, %M KB: $*" "$@" >/dev/null; }
for tool in "$engine" terraform; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; continue; }
  dir="$work/$(basename "$tool")"
  mkdir -p "$dir"
  printf 'resource "terraform_data" "a" {\n  count = 10000\n  input = "v${count.index}"\n}\n' >"$dir/main.tf"
  cd "$dir"
  "$tool" init >/dev/null
  measure "$tool" plan
  measure "$tool" apply -auto-approve
  measure "$tool" plan
done
