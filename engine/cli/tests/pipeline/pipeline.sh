#!/bin/sh
# A pipeline as people write it for Terraform. PROGRAM says what runs; nothing else may change.
# Exit codes: 0 all is well, 3 the policy refuses, 4 drift; anything else is the program's own.
set -eu
export TF_IN_AUTOMATION=1 TF_INPUT=0 NO_COLOR=1

stage() { echo "== $1"; }

stage format
"$PROGRAM" fmt -check -recursive

stage init
"$PROGRAM" init -input=false -no-color > init.log

stage validate
"$PROGRAM" validate -json > validate.json
jq -r '"valid: \(.valid), errors: \(.error_count), warnings: \(.warning_count)"' validate.json

if [ "${1:-}" = drift ]; then
  stage drift
  code=0
  "$PROGRAM" plan -detailed-exitcode -input=false -no-color -out=drift.bin > drift.log || code=$?
  echo "exit code $code"
  "$PROGRAM" show -json drift.bin > drift.json
  jq -r '.resource_drift // [] | .[] | "drifted: \(.address) \(.change.before.size) -> \(.change.after.size)"' drift.json
  [ "$code" -eq 2 ] && exit 4
  exit "$code"
fi

stage plan
code=0
"$PROGRAM" plan -input=false -no-color -lock-timeout=30s -detailed-exitcode -out=plan.bin > plan.log || code=$?
echo "exit code $code"
case "$code" in 0 | 2) ;; *) exit "$code" ;; esac
grep -E -o '^(Plan: .*|No changes)' plan.log
"$PROGRAM" show -json plan.bin > plan.json
"$PROGRAM" show -no-color plan.bin > plan.txt
grep -E -o '^  # [^ ]+ (will|must) be [a-z]+' plan.txt | LC_ALL=C sort || true

stage policy
if ! jq -e '[.resource_changes // [] | .[] | select(.type == "sim_node" and (.change.actions | index("delete")))] == []' plan.json > /dev/null; then
  jq -r '.resource_changes[] | select(.change.actions | index("delete")) | "refused: \(.address) would be destroyed (\(.action_reason))"' plan.json
  exit 3
fi

stage comment
jq -r '
  def row: "| `\(.address)` | \(.change.actions | join(", ")) | \([.change.after_unknown | objects | keys[]] | join(", ")) |";
  "### Plan with \(.format_version)", "", "| address | actions | known after apply |", "| --- | --- | --- |",
  ([.resource_changes // [] | .[] | select(.change.actions != ["no-op"]) | row] | sort | .[])
' plan.json > comment.md
cat comment.md

stage apply
"$PROGRAM" apply -input=false -no-color plan.bin > apply.log
grep -E -o '^Apply complete! .*' apply.log
"$PROGRAM" output -json | jq -c 'map_values(.value)'
"$PROGRAM" output -raw name; echo

stage again
"$PROGRAM" plan -input=false -no-color -detailed-exitcode > again.log && echo "nothing left to do"
"$PROGRAM" state list | LC_ALL=C sort
