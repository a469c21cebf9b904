#!/usr/bin/env python3
"""What a call to a provider costs, in our engine and in terraform, with one and the same provider program.

    benches/rpc.py [--objects 500] [--engine target/release/stratiform] [--peer target/release/examples/peer]

Both programs plan a stack of one object and one of many that are there already. An object costs four calls: its
stored form is upgraded, it is read, its configuration is checked, its change is planned. The difference between the
two stacks, by their calls, is what a call costs with all that the program does around it; the provider's own work is
in it, too, and is nearly nothing. Wall time, the best of three. Without terraform its column is left out.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

CALLS = 4
HEAD = 'terraform {\n  required_providers {\n    peer = { source = "test/peer" }\n  }\n}\n'


def stack(peer, objects):
    directory = tempfile.mkdtemp()
    os.makedirs(directory + "/plugins")
    os.symlink(os.path.abspath(peer), directory + "/plugins/terraform-provider-peer")
    with open(directory + "/rc", "w") as out:
        out.write(f'provider_installation {{\n  dev_overrides {{\n    "test/peer" = "{directory}/plugins"\n  }}\n'
                  '  direct {}\n}\n')
    with open(directory + "/main.tf", "w") as out:
        out.write(HEAD + f'resource "peer_thing" "a" {{\n  count = {objects}\n  name  = "a${{count.index}}"\n}}\n')
    return directory


def run(directory, *args):
    environment = {**os.environ, "STRATIFORM_HOME": directory + "/home", "TF_CLI_CONFIG_FILE": directory + "/rc",
                   "CHECKPOINT_DISABLE": "1"}
    began = time.monotonic()
    done = subprocess.run(args, cwd=directory, env=environment, capture_output=True, text=True)
    wall = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"{args} failed:\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}")
    return wall


def per_call(program, peer, objects):
    best = {}
    for size in (1, objects):
        directory = stack(peer, size)
        run(directory, program, "apply", "-auto-approve")
        best[size] = min(run(directory, program, "plan") for _ in range(3))
        shutil.rmtree(directory)
    return (best[objects] - best[1]) / ((objects - 1) * CALLS) * 1000, best[1]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--objects", type=int, default=500)
    options.add_argument("--engine", default="target/release/stratiform")
    options.add_argument("--peer", default="target/release/examples/peer")
    options = options.parse_args()
    ours, start = per_call(os.path.abspath(options.engine), options.peer, options.objects)
    print("| | plan of one object | a call |\n| --- | --- | --- |")
    print(f"| Stratiform | {start:.2f} s | {ours:.3f} ms |")
    if shutil.which("terraform"):
        theirs, start = per_call("terraform", options.peer, options.objects)
        print(f"| terraform | {start:.2f} s | {theirs:.3f} ms |")
        print(f"| ratio | | {theirs / ours:.1f} × |")
    else:
        print("skipped: terraform is not here to compare with")


if __name__ == "__main__":
    main()
