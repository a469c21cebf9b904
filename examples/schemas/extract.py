"""Makes a schema file of some resource types from the published source of a provider.

    python3 extract.py PROVIDER GIT_DIRECTORY > PROVIDER.json

Reads the tables of attributes that the source has, and nothing else. What a function computes there is known by HELPERS
or stops the script.
"""
import json
import re
import subprocess
import sys

# Where each type is declared, by provider.
FILES = {
    "google": {
        "google_cloud_run_v2_service": "google/services/cloudrunv2/resource_cloud_run_v2_service.go",
        "google_compute_firewall": "google/services/compute/resource_compute_firewall.go",
        "google_compute_global_address": "google/services/compute/resource_compute_global_address.go",
        "google_compute_instance_group_manager": "google/services/compute/resource_compute_instance_group_manager.go",
        "google_compute_instance_template": "google/services/compute/resource_compute_instance_template.go",
        "google_compute_network": "google/services/compute/resource_compute_network.go",
        "google_compute_resource_policy": "google/services/compute/resource_compute_resource_policy.go",
        "google_compute_router": "google/services/compute/resource_compute_router.go",
        "google_compute_router_nat": "google/services/compute/resource_compute_router_nat.go",
        "google_compute_subnetwork": "google/services/compute/resource_compute_subnetwork.go",
        "google_filestore_instance": "google/services/filestore/resource_filestore_instance.go",
        "google_lustre_instance": "google/services/lustre/resource_lustre_instance.go",
        "google_service_account": "google/services/resourcemanager/resource_google_service_account.go",
        "google_service_networking_connection": "google/services/servicenetworking/resource_service_networking_connection.go",
        "google_storage_bucket": "google/services/storage/resource_storage_bucket.go",
        "google_storage_bucket_object": "google/services/storage/resource_storage_bucket_object.go",
        "google_workflows_workflow": "google/services/workflows/resource_workflows_workflow.go",
    },
}
SOURCE = {
    "google": ("registry.terraform.io/hashicorp/google", "github.com/hashicorp/terraform-provider-google"),
}
# Settings of the provider itself that stacks here use.
SETTINGS = {
    "google": ["project", "region", "zone", "credentials"],
}
# What functions of the source give.
HELPERS = {
    "tpgresource.DeletionPolicySchemaEntry": {"Type": ["schema.TypeString"], "Optional": ["true"], "Computed": ["true"]},
}

TOKEN = re.compile(r'\s+|//[^\n]*|/\*.*?\*/|(`[^`]*`|"(?:\\.|[^"\\])*"|[A-Za-z_][\w.]*|\d[\w.]*|.)', re.S)
SCALARS = {"TypeString": "string", "TypeInt": "number", "TypeFloat": "number", "TypeBool": "bool"}


def tokens(text):
    return [found.group(1) for found in TOKEN.finditer(text) if found.group(1)]


class Reader:
    """Reads literals of Go; everything else is kept as a list of its tokens."""

    def __init__(self, words, at):
        self.words, self.at = words, at

    def literal(self):
        """The body of `{ … }`, at whose brace it stands: fields by name."""
        assert self.words[self.at] == "{", self.words[self.at - 5:self.at + 5]
        self.at += 1
        fields = {}
        while self.words[self.at] != "}":
            key = self.words[self.at].strip('"')
            assert self.words[self.at + 1] == ":", self.words[self.at - 5:self.at + 9]
            self.at += 2
            fields[key] = self.value()
            if self.words[self.at] == ",":
                self.at += 1
        self.at += 1
        return fields

    def value(self):
        start = self.at
        while self.words[self.at] in ("&", "schema.Resource", "schema.Schema", "pluginsdk.Resource", "pluginsdk.Schema"):
            self.at += 1
        if self.words[self.at] == "map" and self.words[self.at:self.at + 4][1:4] == ["[", "string", "]"]:
            self.at += 4
            while self.words[self.at] in ("*", "schema.Schema", "pluginsdk.Schema"):
                self.at += 1
        if self.words[self.at] == "{" and (self.at == start or self.words[self.at - 1].endswith(("Resource", "Schema"))):
            return self.literal()
        # An expression, up to the comma or brace that ends the field.
        depth = 0
        while depth or self.words[self.at] not in (",", "}"):
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(self.words[self.at], 0)
            self.at += 1
        return self.words[start:self.at]


def resolved(package, fields):
    """The tables, with what functions of the same package give written out."""
    def given(name):
        words = tokens(package(name))
        start = next(at for at in range(len(words)) if words[at] == "func" and words[at + 1] == name)
        at = words.index("return", start)
        assert words[at + 1:at + 3] in (["&", "schema.Resource"], ["&", "schema.Schema"]), words[at:at + 6]
        return Reader(words, at + 1).value()

    for key, field in fields.items():
        if isinstance(field, list):
            if field[0] in HELPERS:
                field = fields[key] = HELPERS[field[0]]
            else:
                field = fields[key] = given(field[0])
        if isinstance(field.get("Elem"), list):
            field["Elem"] = given(field["Elem"][0])
        if "Schema" in (field.get("Elem") or {}):
            resolved(package, field["Elem"]["Schema"])
    return fields


def kind(field):
    return "".join(field["Type"]).split(".")[-1]


def flag(field, name):
    return field.get(name) == ["true"]


def element(field):
    """The type of an attribute."""
    name = kind(field)
    if name in SCALARS:
        return SCALARS[name]
    inner = field.get("Elem")
    if inner is None:
        inner = "string"
    elif "Schema" in inner:
        inner = ["object", {key: element(one) for key, one in inner["Schema"].items()}]
    else:
        inner = element(inner)
    return [{"TypeList": "list", "TypeSet": "set", "TypeMap": "map"}[name], inner]


def block(fields):
    attributes, blocks = {}, {}
    for name, field in sorted(fields.items()):
        inner = field.get("Elem")
        nested = isinstance(inner, dict) and "Schema" in inner
        required, optional, computed = (flag(field, one) for one in ("Required", "Optional", "Computed"))
        is_attribute = (computed and not optional) or "".join(field.get("ConfigMode", [])).endswith("SchemaConfigModeAttr")
        if nested and not is_attribute:
            one = {"nesting_mode": "set" if kind(field) == "TypeSet" else "list", "block": block(inner["Schema"])}
            if required:
                one["min_items"] = 1
            for key, limit in (("min_items", "MinItems"), ("max_items", "MaxItems")):
                if limit in field:
                    one[key] = int("".join(field[limit]))
            blocks[name] = one
            continue
        one = {"type": element(field)}
        one |= {key: True for key, holds in (("required", required), ("optional", optional), ("computed", computed)) if holds}
        if flag(field, "Sensitive"):
            one["sensitive"] = True
        if flag(field, "WriteOnly"):
            one["write_only"] = True
        attributes[name] = one
    return {"attributes": attributes, "block_types": blocks} if blocks else {"attributes": attributes}


def resource(text, package):
    words = tokens(text)
    declared = next(at for at in range(len(words)) if words[at] == "func" and words[at + 1].startswith("Resource"))
    start = next(at for at in range(declared, len(words)) if words[at] == "Schema" and words[at + 2:at + 6] == ["map", "[", "string", "]"])
    reader = Reader(words, start + 2)
    found = block(resolved(package, reader.value()))
    found["attributes"].setdefault("id", {"type": "string", "optional": True, "computed": True})
    if "Timeouts" in words:
        times = {name.lower(): {"type": "string", "optional": True} for name in ("Create", "Read", "Update", "Delete") if f"schema.DefaultTimeout" in words and name in words}
        found.setdefault("block_types", {})["timeouts"] = {"nesting_mode": "single", "block": {"attributes": times}}
    return {"version": 0, "block": found}


def main():
    provider, git = sys.argv[1:]
    ask = lambda *words: subprocess.run(["git", "-C", git, *words], check=True, capture_output=True, text=True).stdout
    commit, date = ask("log", "-1", "--format=%H %cs").split()
    address, origin = SOURCE[provider]

    def beside(path):
        folder = path.rsplit("/", 1)[0]
        return lambda name: ask("show", ask("grep", "-lE", rf"^func {name}\(", "HEAD", "--", folder).split()[0])

    types = {name: resource(ask("show", f"HEAD:{path}"), beside(path)) for name, path in FILES[provider].items()}
    settings = {name: {"type": "string", "optional": True} for name in SETTINGS[provider]}
    out = {
        "format_version": "1.0",
        "provider_schemas": {
            address: {"provider": {"version": 0, "block": {"attributes": settings}}, "resource_schemas": types},
        },
    }
    print(json.dumps(out, indent=1, sort_keys=True))
    print(f"{provider}: {len(types)} types of {origin} at {commit}, {date}", file=sys.stderr)


main()
