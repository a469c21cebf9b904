#!/usr/bin/env python3
"""Plans, applies and destroys stacks of several shapes and sizes, and prints a table in Markdown.

    benches/shapes.py [--sizes 1000,10000] [--terraform 1000] [--engine target/release/stratiform]

CPU is user and system time together, memory the largest resident set, both as the kernel counts them for the
process. `--terraform SIZES` plans the same folders with terraform, where it is there: its plan alone, since its
apply takes minutes at these sizes. It has no components, so that the AI stack stands alone. The exponent says how CPU
grows from the smallest size to the largest.
"""
import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time


def independent(n):
    return {"main.tf": f'resource "terraform_data" "a" {{\n  count = {n}\n  input = "v${{count.index}}"\n}}\n'}


def chain(n):
    blocks = ['resource "terraform_data" "r0" {\n  input = "v"\n}\n']
    blocks += [f'resource "terraform_data" "r{i}" {{\n  input = terraform_data.r{i - 1}.id\n}}\n' for i in range(1, n)]
    return {"main.tf": "".join(blocks)}


def layers(n):
    text = 'resource "terraform_data" "l0" {\n  count = 100\n  input = "v"\n}\n'
    for i in range(1, n // 100):
        text += (f'resource "terraform_data" "l{i}" {{\n  count = 100\n'
                 f'  input = length(terraform_data.l{i - 1}[*].id)\n}}\n')
    return {"main.tf": text}


def for_each(n):
    return {"main.tf": 'resource "terraform_data" "a" {\n'
                       f'  for_each = toset([for i in range({n}) : "k${{i}}"])\n  input    = each.key\n}}\n'
            if n <= 1024 else
            'locals {\n'
            f'  keys = toset([{", ".join(chr(34) + "k" + str(i) + chr(34) for i in range(n))}])\n}}\n'
            'resource "terraform_data" "a" {\n  for_each = local.keys\n  input    = each.key\n}\n'}


def modules(n):
    child = 'variable "name" {}\n' + "".join(
        f'resource "terraform_data" "r{i}" {{\n  input = "${{var.name}}-{i}"\n}}\n' for i in range(10))
    child += 'output "ids" {\n  value = [' + ", ".join(f"terraform_data.r{i}.id" for i in range(10)) + "]\n}\n"
    return {"main.tf": f'module "m" {{\n  source = "./m"\n  count  = {n // 10}\n  name   = "n${{count.index}}"\n}}\n',
            "m/main.tf": child}


def outputs(n):
    text = f'resource "terraform_data" "a" {{\n  count = {n}\n  input = count.index\n}}\n'
    text += "".join(f'output "o{i}" {{\n  value = terraform_data.a[{i}].output\n}}\n' for i in range(0, n, 10))
    return {"main.tf": text}


def data(n):
    """Half data sources that wait for all of the other half."""
    return {"main.tf": f'resource "terraform_data" "a" {{\n  count = {n // 2}\n  input = count.index\n}}\n'
                       f'data "terraform_remote_state" "s" {{\n  count = {n // 2}\n  backend = "local"\n'
                       '  config = { path = "s.tfstate" }\n  depends_on = [terraform_data.a]\n}\n',
            "s.tfstate": '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {}, "resources": []}'}


def nested(n):
    """Three levels of modules, ten objects in each of the innermost."""
    leaf = 'variable "name" {}\n' + "".join(
        f'resource "terraform_data" "r{i}" {{\n  input = "${{var.name}}-{i}"\n}}\n' for i in range(10))
    leaf += 'output "id" {\n  value = terraform_data.r0.id\n}\n'
    middle = ('variable "name" {}\nmodule "leaf" {\n  source = "../leaf"\n  count  = 10\n'
              '  name   = "${var.name}.${count.index}"\n}\noutput "ids" {\n  value = module.leaf[*].id\n}\n')
    root = (f'module "middle" {{\n  source = "./middle"\n  count  = {n // 100}\n  name   = "n${{count.index}}"\n}}\n'
            'output "ids" {\n  value = flatten(module.middle[*].ids)\n}\n')
    return {"main.tf": root, "middle/main.tf": middle, "leaf/main.tf": leaf}


def ai_stack(n):
    """Teams of four components in a chain of references; each is placed and becomes twenty objects."""
    kind = ('component_type "store" {\n  description = "Room for data."\n'
            '  input "size" {\n    type        = number\n    description = "Size in GiB."\n    default     = 1\n  }\n'
            '  input "after" {\n    type        = string\n    description = "What it is filled from."\n'
            '    default     = ""\n  }\n'
            '  output "id" {\n    description = "Names the store."\n  }\n'
            '  implementation "local" {\n    backend = "local"\n    source  = "./store"\n'
            '    offer   = offer.kind == "machine"\n  }\n}\n'
            'stack {\n  placement {\n    backends = ["local"]\n  }\n}\n')
    team = 'store "s0" {}\n' + "".join(
        f'store "s{i}" {{\n  after = store.s{i - 1}.id\n}}\n' for i in range(1, 4))
    return {"main.tf": kind + "".join(f'module "team{i}" {{\n  source = "./team"\n}}\n' for i in range(n // 80)),
            "team/main.tf": team,
            "store/main.tf": 'variable "size" {\n  type = number\n}\nvariable "after" {\n  type = string\n}\n'
                             'resource "terraform_data" "this" {\n  input = { size = var.size, after = var.after }\n}\n'
                             'resource "terraform_data" "part" {\n  count = 19\n'
                             '  input = { of = terraform_data.this.id, number = count.index }\n}\n'
                             'output "id" {\n  value = terraform_data.this.id\n}\n'}


SHAPES = {"one count": independent, "chain": chain, "layers of 100": layers, "for_each of a set": for_each,
          "modules of 10": modules, "an output for each tenth": outputs,
          "modules in modules": nested, "AI stack": ai_stack,
          "data sources that wait for all": data}

# Beside each shape stands one object that changes alone.
ONE = '\nvariable "one" {\n  default = ""\n}\nresource "terraform_data" "one" {\n  input = var.one\n}\n'


def run(directory, *args):
    """CPU seconds, wall seconds, MiB."""
    began = time.monotonic()
    with open(os.path.join(directory, "log"), "wb") as log:
        child = subprocess.Popen(args, cwd=directory, stdout=log, stderr=log,
                                 env={**os.environ, "STRATIFORM_HOME": directory + "/home"})
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{args} failed:\n" + open(os.path.join(directory, "log")).read()[-2000:])
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def write(files):
    directory = tempfile.mkdtemp()
    for name, text in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
    return directory


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sizes", default="1000,10000")
    options.add_argument("--terraform", default="1000")
    options.add_argument("--engine", default="target/release/stratiform")
    options.add_argument("--shapes", default=",".join(SHAPES))
    options = options.parse_args()
    engine = os.path.abspath(options.engine)
    sizes = [int(size) for size in options.sizes.split(",")]
    terraform = [int(size) for size in options.terraform.split(",") if size]
    if terraform and not shutil.which("terraform"):
        print("skipped: terraform is not here to compare with")
        terraform = []
    head = ["shape", "objects", "plan CPU", "plan MiB", "apply wall", "empty plan CPU", "empty plan MiB",
            "one change CPU", "destroy wall", "terraform plan CPU", "ratio"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for name in options.shapes.split(","):
        cpus, empties = {}, {}
        for size in sizes:
            files = SHAPES[name](size)
            files["main.tf"] += ONE
            directory = write(files)
            cpu, _, memory = run(directory, engine, "plan")
            _, applied, _ = run(directory, engine, "apply", "-auto-approve")
            empty, _, held = run(directory, engine, "plan", "-detailed-exitcode")
            one, _, _ = run(directory, engine, "plan", "-var=one=x")
            _, destroyed, _ = run(directory, engine, "destroy", "-auto-approve")
            theirs, ratio = "–", "–"
            if size in terraform and name != "AI stack":
                run(directory, "terraform", "init")
                other, _, _ = run(directory, "terraform", "plan")
                theirs, ratio = f"{other:.2f} s", f"{other / max(cpu, 0.01):.0f} ×"
            cpus[size], empties[size] = cpu, empty
            print(f"| {name} | {size:,} | {cpu:.2f} s | {memory:.0f} | {applied:.2f} s | {empty:.2f} s | {held:.0f} "
                  f"| {one:.2f} s | {destroyed:.2f} s | {theirs} | {ratio} |", flush=True)
            shutil.rmtree(directory)
        if len(sizes) > 1:
            def exponent(values):
                return math.log(values[sizes[-1]] / max(values[sizes[0]], 1e-3)) / math.log(sizes[-1] / sizes[0])
            print(f"| {name} | exponent | {exponent(cpus):.2f} | | | {exponent(empties):.2f} | | | | | |", flush=True)


if __name__ == "__main__":
    main()
