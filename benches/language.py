#!/usr/bin/env python3
"""Loads, validates and formats made-up folders with Stratiform and with terraform, and prints a table in Markdown.

    benches/language.py [--files 3000] [--resources 10000] [--engine target/release/stratiform] [--no-terraform]

CPU is user and system time together, as the kernel counts it for the process; both programs run on the same folders,
one after the other. What is formatted is spelled untidily first, so that each file is written.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

RESOURCE = '''resource "terraform_data" "r{n}" {{
  input = {{
    name    = "${{var.prefix}}-{n}"
    enabled = var.prefix != "" ? true : false
    zones   = [for zone in ["a", "b", "c"] : upper(zone)]
  }}

  # A comment that stays where it is.
  triggers_replace = [
    "{n}",
    var.prefix,
  ]

  lifecycle {{
    ignore_changes = [input]
  }}
}}

'''
UNTIDY = RESOURCE.replace("    name    =", " name =").replace("  triggers_replace =", "triggers_replace   =")


def tree(folder, files):
    """Modules of a hundred files each, every file with five resources."""
    os.makedirs(folder, exist_ok=True)
    modules = max(1, files // 100)
    with open(f"{folder}/main.tf", "w") as root:
        for m in range(modules):
            root.write(f'module "m{m}" {{\n  source = "./m{m}"\n  prefix = "p{m}"\n}}\n\n')
    for m in range(modules):
        os.makedirs(f"{folder}/m{m}")
        for f in range(files // modules - 1):
            with open(f"{folder}/m{m}/f{f}.tf", "w") as out:
                out.write("".join(RESOURCE.format(n=5 * f + n) for n in range(5)))
        with open(f"{folder}/m{m}/variables.tf", "w") as out:
            out.write('variable "prefix" {\n  type = string\n}\n')


def untidy(folder, files):
    os.makedirs(folder)
    for f in range(files):
        if f % 100 == 0:
            os.makedirs(f"{folder}/d{f // 100}")
        with open(f"{folder}/d{f // 100}/f{f}.tf", "w") as out:
            out.write("".join(UNTIDY.format(n=20 * f + n) for n in range(20)))


def resources(folder, count):
    os.makedirs(folder)
    with open(f"{folder}/main.tf", "w") as out:
        out.write('variable "prefix" {\n  default = "p"\n}\n\n')
        out.write("".join(RESOURCE.format(n=n) for n in range(count)))


def run(folder, *args):
    """CPU seconds, wall seconds, MiB."""
    began = time.monotonic()
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull,
                   "STRATIFORM_HOME": folder + "/.home"}
    with open(folder + "/.log", "wb") as log:
        child = subprocess.Popen(args, cwd=folder, stdout=log, stderr=log, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{args} failed:\n" + open(folder + "/.log").read()[-2000:])
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def size(folder):
    return sum(os.path.getsize(os.path.join(root, name))
               for root, _, names in os.walk(folder) for name in names if name.endswith(".tf")) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--resources", type=int, default=10000)
    parser.add_argument("--engine", default="target/release/stratiform")
    parser.add_argument("--no-terraform", action="store_true")
    options = parser.parse_args()
    engine = os.path.abspath(options.engine)
    peer = None if options.no_terraform else shutil.which("terraform")
    cases = [
        (f"load {options.files:,} files (`get`)", lambda at: tree(at, options.files), [], ["get"]),
        (f"`validate` {options.files:,} files", lambda at: tree(at, options.files), ["get"], ["validate"]),
        (f"`validate` {options.resources:,} resources", lambda at: resources(at, options.resources), [],
         ["validate"]),
        ("`fmt -recursive`, all files change", lambda at: untidy(at, options.files), [],
         ["fmt", "-recursive", "-list=false"]),
        ("`fmt -check -recursive`, none changes", lambda at: tree(at, options.files), [],
         ["fmt", "-check", "-recursive"]),
    ]
    print("| what | MB | CPU | wall | memory | terraform: CPU | wall | memory | ratio of CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, make, before, command in cases:
        found = []
        for program in filter(None, [engine, peer]):
            base = tempfile.mkdtemp()
            make(base + "/w")
            megabytes = size(base + "/w")
            if before:
                run(base + "/w", program, *before)
            found.append(run(base + "/w", program, *command))
            shutil.rmtree(base)
        cells = [f"{cpu:.2f} s | {wall:.2f} s | {memory:.0f} MB" for cpu, wall, memory in found]
        ratio = f"{found[1][0] / max(found[0][0], 0.001):.0f} ×" if peer else "–"
        print(f"| {name} | {megabytes:.1f} | {' | '.join(cells)} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
