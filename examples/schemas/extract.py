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
    "azurerm": {
        "azurerm_application_insights": "internal/services/applicationinsights/application_insights_resource.go",
        "azurerm_batch_account": "internal/services/batch/batch_account_resource.go",
        "azurerm_batch_pool": "internal/services/batch/batch_pool_resource.go",
        "azurerm_capacity_reservation": "internal/services/compute/capacity_reservation_resource.go",
        "azurerm_capacity_reservation_group": "internal/services/compute/capacity_reservation_group_resource.go",
        "azurerm_cognitive_account": "internal/services/cognitive/cognitive_account_resource.go",
        "azurerm_cognitive_deployment": "internal/services/cognitive/cognitive_deployment_resource.go",
        "azurerm_container_app": "internal/services/containerapps/container_app_resource.go",
        "azurerm_container_app_environment": "internal/services/containerapps/container_app_environment_resource.go",
        "azurerm_container_app_job": "internal/services/containerapps/container_app_job_resource.go",
        "azurerm_container_registry": "internal/services/containers/container_registry_resource.go",
        "azurerm_key_vault": "internal/services/keyvault/key_vault_resource.go",
        "azurerm_kubernetes_cluster": "internal/services/containers/kubernetes_cluster_resource.go",
        "azurerm_kubernetes_cluster_node_pool": "internal/services/containers/kubernetes_cluster_node_pool_resource.go",
        "azurerm_linux_virtual_machine": "internal/services/compute/linux_virtual_machine_resource.go",
        "azurerm_linux_virtual_machine_scale_set": "internal/services/compute/linux_virtual_machine_scale_set_resource.go",
        "azurerm_log_analytics_workspace": "internal/services/loganalytics/log_analytics_workspace_resource.go",
        "azurerm_machine_learning_compute_cluster": "internal/services/machinelearning/machine_learning_compute_cluster_resource.go",
        "azurerm_machine_learning_workspace": "internal/services/machinelearning/machine_learning_workspace_resource.go",
        "azurerm_managed_disk": "internal/services/compute/managed_disk_resource.go",
        "azurerm_managed_lustre_file_system": "internal/services/storagecache/managed_lustre_file_system_resource.go",
        "azurerm_netapp_account": "internal/services/netapp/netapp_account_resource.go",
        "azurerm_netapp_pool": "internal/services/netapp/netapp_pool_resource.go",
        "azurerm_netapp_volume": "internal/services/netapp/netapp_volume_resource.go",
        "azurerm_network_security_group": "internal/services/network/network_security_group_resource.go",
        "azurerm_network_security_rule": "internal/services/network/network_security_rule_resource.go",
        "azurerm_orchestrated_virtual_machine_scale_set": "internal/services/compute/orchestrated_virtual_machine_scale_set_resource.go",
        "azurerm_proximity_placement_group": "internal/services/compute/proximity_placement_group_resource.go",
        "azurerm_resource_group": "internal/services/resource/resource_group_resource.go",
        "azurerm_role_assignment": "internal/services/authorization/role_assignment_resource.go",
        "azurerm_storage_account": "internal/services/storage/storage_account_resource.go",
        "azurerm_storage_container": "internal/services/storage/storage_container_resource.go",
        "azurerm_subnet": "internal/services/network/subnet_resource.go",
        "azurerm_subnet_network_security_group_association": "internal/services/network/subnet_network_security_group_association_resource.go",
        "azurerm_user_assigned_identity": "internal/services/managedidentity/user_assigned_identity_resource.go",
        "azurerm_virtual_network": "internal/services/network/virtual_network_resource.go",
    },
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
    "azurerm": ("registry.terraform.io/hashicorp/azurerm", "github.com/hashicorp/terraform-provider-azurerm"),
    "google": ("registry.terraform.io/hashicorp/google", "github.com/hashicorp/terraform-provider-google"),
}
# Settings of the provider itself that stacks here use.
SETTINGS = {
    "azurerm": ["subscription_id", "tenant_id", "client_id", "environment"],
    "google": ["project", "region", "zone", "credentials"],
}
# Blocks that the provider itself demands, without what may stand in them.
SETTING_BLOCKS = {
    "azurerm": {"features": {"nesting_mode": "list", "min_items": 1, "max_items": 1, "block": {"attributes": {}}}},
}
# What functions of the source give.
HELPERS = {
    "tpgresource.DeletionPolicySchemaEntry": {"Type": ["schema.TypeString"], "Optional": ["true"], "Computed": ["true"]},
}

# Functions whose lines before the `return` only prepare what values are checked against.
CHECKS_ONLY = {"SchemaStorageAccountCorsRule"}

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


def computed(what, words):
    """Stops at what the source computes, where the tables alone do not say what comes of it."""
    raise SystemExit(f"{what}: computed in the source, not read: {' '.join(words[:12])}")


def returned(words, start, what, package=None):
    """What a function gives, from its `func` on: its one `return`, or a table in a variable that known lines complete."""
    # The body's brace is the first after the parameters; a receiver and a result have none.
    at = words.index("{", start) + 1
    if what in CHECKS_ONLY:
        at = words.index("return", at)
    if words[at] == "return":
        return Reader(words, at + 1).value()
    name = words[at]
    if words[at + 1:at + 5] != [":", "=", "&", "pluginsdk.Resource"]:
        computed(what, words[at:])
    reader = Reader(words, at + 4)
    value = reader.value()
    at = reader.at
    while words[at:at + 2] != ["return", name]:
        if words[at:at + 2] == [f"{name}.Identity", "="]:
            # Tells how objects are named on import: no attribute.
            reader = Reader(words, words.index("{", at))
            reader.literal()
            at = reader.at
        elif words[at:at + 7] == ["for", "k", ",", "v", ":", "=", "range"] and words[at + 8:at + 18] == ["(", ")", "{", f"{name}.Schema", "[", "k", "]", "=", "v", "}"]:
            more, _ = given(package, words[at + 7])
            value["Schema"] |= more
            at += 18
        else:
            computed(what, words[at:])
    return value


def given(package, name):
    """What a function of the source gives, and the package that it stands in."""
    text, package = package(name)
    words, name = tokens(text), name.split(".")[-1]
    start = next(at for at in range(len(words)) if words[at] == "func" and words[at + 1] == name)
    value = returned(words, start, name, package)
    return given(package, value[0]) if isinstance(value, list) else (value, package)


def resolved(package, fields):
    """The tables, with what functions give written out."""
    for key, field in fields.items():
        inside = package
        if isinstance(field, list):
            if field[0] in HELPERS:
                field = fields[key] = HELPERS[field[0]]
            else:
                field, inside = given(package, field[0])
                fields[key] = field
        if isinstance(field.get("Elem"), list):
            field["Elem"], inside = given(inside, field["Elem"][0])
        inner = field.get("Elem") or {}
        if isinstance(inner.get("Schema"), list):
            if inner["Schema"][0] == "func":
                inner["Schema"] = returned(inner["Schema"], 0, key)
            else:
                inner["Schema"], inside = given(inside, inner["Schema"][0])
        if "Schema" in inner:
            resolved(inside, inner["Schema"])
    return fields


def kind(field):
    return "".join(field["Type"]).split(".")[-1]


def flag(field, name):
    words = field.get(name, ["false"])
    return words == ["true"] or (words != ["false"] and computed(name, words))


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
            # A least number counts for a required block only: an optional one may be left out.
            if required:
                one["min_items"] = int("".join(field.get("MinItems", ["1"])))
            if "MaxItems" in field:
                one["max_items"] = int("".join(field["MaxItems"]))
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


TIMES = ("Create", "Read", "Update", "Delete")


def typed(words, package):
    """A resource with a method for its arguments and one for what it computes: its fields, and its timeouts."""
    fields = {}
    for method in ("Arguments", "Attributes"):
        at = next(at for at in range(len(words)) if words[at:at + 2] == [")", method])
        value, inside = returned(words, at, method), package
        if isinstance(value, list):
            value, inside = given(package, value[0])
        fields |= resolved(inside, value)
    return fields, [name for name in TIMES if any(words[at:at + 3] == [")", name, "("] for at in range(len(words)))]


def plain(words, package):
    """A resource that one function declares: its fields, and its timeouts."""
    declared = next(at for at in range(len(words)) if words[at] == "func" and words[at + 1].lower().startswith("resource"))
    if "pluginsdk.Resource" in words[declared:words.index("{", declared)]:
        # Lines before or after the table may change it.
        whole = returned(words, declared, words[declared + 1], package)
        value, times = whole["Schema"], whole.get("Timeouts", [])
        inside = package
        if isinstance(value, list):
            value, inside = given(package, value[0])
        return resolved(inside, value), [name for name in TIMES if name in times]
    start = next(at for at in range(declared, len(words)) if words[at] == "Schema" and words[at + 2:at + 6] == ["map", "[", "string", "]"])
    times = [name for name in TIMES if "Timeouts" in words and "schema.DefaultTimeout" in words and name in words]
    return resolved(package, Reader(words, start + 2).value()), times


def resource(text, package):
    words = tokens(text)
    is_typed = any(words[at:at + 2] == [")", "Arguments"] for at in range(len(words)))
    fields, times = (typed if is_typed else plain)(words, package)
    found = block(fields)
    found["attributes"].setdefault("id", {"type": "string", "optional": True, "computed": True})
    if "Timeouts" in words or is_typed:
        times = {name.lower(): {"type": "string", "optional": True} for name in times}
        found.setdefault("block_types", {})["timeouts"] = {"nesting_mode": "single", "block": {"attributes": times}}
    stated = [words[at + 2] for at in range(len(words)) if words[at:at + 2] == ["SchemaVersion", ":"]]
    return {"version": int(stated[0]) if stated else 0, "block": found}


def main():
    provider, git = sys.argv[1:]
    ask = lambda *words: subprocess.run(["git", "-C", git, *words], check=True, capture_output=True, text=True).stdout
    commit, date = ask("log", "-1", "--format=%H %cs").split()
    address, origin = SOURCE[provider]

    def beside(path):
        """Finds functions by name, as the file at `path` names them: its own package's, or an imported one's."""
        folder = path.rsplit("/", 1)[0]
        text = ask("show", f"HEAD:{path}")

        def found(name):
            where = folder
            if "." in name:
                alias = name.split(".")[0]
                imports = re.findall(r'^\s+(?:(\w+) )?"([^"]+)"$', text, re.M)
                imported = next((to for short, to in imports if alias == (short or to.split("/")[-1])), None)
                if imported is None:
                    computed(name, [path])
                own = f"{origin}/"
                where = imported.removeprefix(own) if imported.startswith(own) else f"vendor/{imported}"
            last = name.split(".")[-1]
            files = ask("grep", "-lE", rf"^func {last}\(", "HEAD", "--", f":(glob){where}/*.go").split()
            at = files[0].removeprefix("HEAD:")
            return ask("show", f"HEAD:{at}"), beside(at)

        return found

    types = {name: resource(ask("show", f"HEAD:{path}"), beside(path)) for name, path in FILES[provider].items()}
    settings = {name: {"type": "string", "optional": True} for name in SETTINGS[provider]}
    own = {"attributes": settings} | ({"block_types": SETTING_BLOCKS[provider]} if provider in SETTING_BLOCKS else {})
    out = {
        "format_version": "1.0",
        "provider_schemas": {
            address: {"provider": {"version": 0, "block": own}, "resource_schemas": types},
        },
    }
    print(json.dumps(out, indent=1, sort_keys=True))
    print(f"{provider}: {len(types)} types of {origin} at {commit}, {date}", file=sys.stderr)


main()
