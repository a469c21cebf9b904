#!/usr/bin/env python3
"""What checks, prices and placement add to a plan.

Usage: benches/ai_layer.py PROGRAM [REPEATS]

No cloud is asked and no provider is started: resource types come from a file of schemas. Checks have no switch, so a
stack of volumes, which they look at, is compared with the same stack of another type, which they do not. Times are
processor time, user and system together, the least of so many runs.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = str(Path(sys.argv[1]).resolve())
REPEATS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
HERE = Path(__file__).resolve().parent.parent

ARGUMENTS = {"availability_zone": "string", "type": "string", "size": "number", "iops": "number", "throughput": "number", "encrypted": "bool"}


def schemas(names):
    attributes = {name: {"type": kind, "optional": True} for name, kind in ARGUMENTS.items()}
    attributes["id"] = {"type": "string", "computed": True}
    types = {name: {"version": 0, "block": {"attributes": attributes}} for name in names}
    provider = {"version": 0, "block": {"attributes": {"region": {"type": "string", "optional": True}}}}
    return json.dumps({"format_version": "1.0", "provider_schemas": {"registry.terraform.io/hashicorp/aws": {"provider": provider, "resource_schemas": types}}})


def measured(files, command=("plan",)):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            path = root / "stack" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "STRATIFORM_HOME": folder, "NO_COLOR": "1"}
        least = None
        for _ in range(REPEATS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            ran = subprocess.run([PROGRAM, *command], cwd=root / "stack", env=environment, capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if ran.returncode != 0:
                sys.exit(f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
            used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
            least = used if least is None else min(least, used)
        return least


def volumes(kind, count):
    main = f"""provider "aws" {{
  region = "us-east-1"
}}
resource "{kind}" "v" {{
  count             = {count}
  availability_zone = "us-east-1a"
  type              = "gp3"
  size              = 100 + count.index % 900
  iops              = 3000
  throughput        = 125
  encrypted         = true
}}
"""
    return {"main.tf": main, ".stratiform/schemas/aws.json": schemas(["aws_ebs_volume", "aws_volume_of_no_check"])}


TRAINER = """component_type "trainer" {
  input "nodes" { type = number }
  input "peer" {
    type    = any
    default = null
  }
  near = { peer = "region" }
  output "id" {}
%s}
"""

IMPLEMENTATION = """  implementation "%s" {
    backend  = "%s"
    source   = "./any"
    offer    = offer.kind == "instance_type" && offer.accelerator != null && offer.accelerator_count >= 8
    machines = input.nodes
  }
"""

ANY = 'variable "nodes" { type = number }\nresource "terraform_data" "this" { input = var.nodes }\noutput "id" { value = terraform_data.this.id }\n'


def placed(count):
    backends = "".join(IMPLEMENTATION % (name, name) for name in ("aws", "azure", "google", "oracle", "lambda"))
    blocks = "".join(f'trainer "t{at}" {{\n  nodes = {1 + at % 4}\n' + (f"  peer  = trainer.t{at // 2 if at > 1 else 0}\n" if at else "") + "}\n" for at in range(count))
    return {"main.tf": TRAINER % backends + blocks, "any/main.tf": ANY}


def called(count):
    """The same without components."""
    blocks = "".join(f'module "t{at}" {{\n  source = "./any"\n  nodes  = {1 + at % 4}\n}}\n' for at in range(count))
    return {"main.tf": blocks, "any/main.tf": ANY}


def example(name):
    files = {}
    for root in (HERE / "examples" / name,):
        for path in root.rglob("*"):
            if path.is_file():
                files[str(path.relative_to(root))] = path.read_text()
    files[".stratiform/schemas/google.json"] = (HERE / "examples/schemas/google.json").read_text()
    return files


def main():
    count = int(os.environ.get("COUNT", "10000"))
    plain, looked_at = measured(volumes("aws_volume_of_no_check", count)), measured(volumes("aws_ebs_volume", count))
    print(f"{count} volumes: {plain:.3f} s without checks, {looked_at:.3f} s with them, {(looked_at / plain - 1) * 100:+.1f} %")
    nothing = measured({"main.tf": 'resource "terraform_data" "a" {}\n'})
    print(f"a plan of one object: {nothing * 1000:.0f} ms")
    for size in (1, 6, 200):
        without, placed_in = measured(called(size)), measured(placed(size))
        print(f"{size} components over the whole catalog: {placed_in * 1000:.0f} ms, {(placed_in - without) * 1000:.0f} ms more than as many modules")
    whole = measured(example("pretrain-google"))
    print(f"examples/pretrain-google, known by schemas: {whole * 1000:.0f} ms, {(whole - nothing) * 1000:.0f} ms more than one object")
    print(f"catalog chips: {measured({'main.tf': ''}, ('catalog', 'chips')) * 1000:.0f} ms")


main()
