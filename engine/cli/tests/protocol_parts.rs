//! The rarer parts of the protocol, with a provider of our own that has them all: identities, work that is put off,
//! what modules tell about themselves, objects that come from other types, plans without a provider.
//!
//! Where Terraform 1.11.4 knows the part, it drives the same program beside us.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use common::{Ran, Stack, ran};
use serde_json::{Value as Json, json};

const HEAD: &str =
    "terraform {\n  required_providers {\n    peer = { source = \"test/peer\" }\n  }\n}\n";

/// The provider, which cargo builds beside the tests.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let target = own.ancestors().nth(2).expect("tests lie in a folder of the target folder");
    let binary = target.join("examples").join("peer");
    assert!(binary.exists(), "build it first: cargo build -p stratiform --example peer");
    binary
}

/// A stack whose provider a development override names.
fn stack(text: &str) -> Stack {
    let stack = Stack::new(&[("main.tf", &format!("{HEAD}{text}"))]);
    let folder = stack.dir().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    std::os::unix::fs::symlink(binary(), folder.join("terraform-provider-peer_v1.0.0"))
        .expect("a link can be made");
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n    \"test/peer\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
        folder.display()
    );
    std::fs::create_dir_all(stack.home()).expect("a folder can be made");
    std::fs::write(stack.home().join(".terraformrc"), rc).expect("written");
    stack
}

fn set(stack: &Stack, text: &str) {
    stack.write("main.tf", &format!("{HEAD}{text}"));
}

/// Terraform with the same program; `None` where it is not there.
fn terraform(stack: &Stack, args: &[&str]) -> Option<Ran> {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", stack.home());
    command.env("TF_CLI_CONFIG_FILE", stack.home().join(".terraformrc"));
    command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
    match command.output() {
        Ok(output) => Some(ran(output)),
        Err(_) => {
            println!("skipped: there is no terraform on the path");
            None
        }
    }
}

fn pulled(stack: &Stack) -> Json {
    serde_json::from_str(&stack.ok(&["state", "pull"])).expect("a state is JSON")
}

fn planned(stack: &Stack, args: &[&str]) -> Json {
    stack.ok(&[&["plan", "-out=p"], args].concat());
    serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("a plan is JSON")
}

/// A message without the frame and the line breaks of its rendering.
fn flat(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn identities_are_kept_shown_and_imported_by() {
    let thing = "resource \"peer_thing\" \"a\" {\n  name = \"a\"\n  zone = \"north\"\n}\n";
    let stack = stack(thing);
    stack.ok(&["apply", "-auto-approve"]);
    let identity = json!({ "id": "id-a", "zone": "north" });
    let object = pulled(&stack)["resources"][0]["instances"][0].clone();
    assert_eq!((&object["identity"], &object["identity_schema_version"]), (&identity, &json!(0)));
    let shown: Json = serde_json::from_str(&stack.ok(&["show", "-json"])).expect("JSON");
    assert_eq!(shown["values"]["root_module"]["resources"][0]["identity"], identity);
    let change = &planned(&stack, &[])["resource_changes"][0]["change"];
    assert_eq!((&change["before_identity"], &change["after_identity"]), (&identity, &identity));

    // What Terraform 1.11 does not know comes through its form of a state.
    let state = stack.ok(&["state", "pull"]);
    stack.write("pulled.tfstate", &state);
    stack.ok(&["state", "rm", "peer_thing.a"]);
    stack.ok(&["state", "push", "-force", "pulled.tfstate"]);
    assert_eq!(pulled(&stack)["resources"][0]["instances"][0]["identity"], identity);
    stack.ok(&["plan", "-detailed-exitcode"]);

    // Gone from the state, it comes back by what tells it from others.
    stack.ok(&["state", "rm", "peer_thing.a"]);
    let import = |identity: &str| {
        set(
            &stack,
            &format!("{thing}import {{\n  to       = peer_thing.a\n  identity = {identity}\n}}\n"),
        );
    };
    import("{ id = \"id-a\", zone = \"north\" }");
    let plan = planned(&stack, &[]);
    assert_eq!(plan["resource_changes"][0]["change"]["importing"], json!({ "identity": identity }));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(pulled(&stack)["resources"][0]["instances"][0]["identity"], identity);
    stack.ok(&["plan", "-detailed-exitcode"]);

    stack.ok(&["state", "rm", "peer_thing.a"]);
    for (identity, fault) in [
        ("{ zone = \"north\" }", "lacks `id`"),
        ("{ id = \"x\", nope = 1 }", "has no `nope`"),
        ("{ id = [] }", "`id` of its identity"),
        ("\"id-a\"", "is no object"),
    ] {
        import(identity);
        let err = flat(&stack.fails(&["plan"]));
        assert!(err.contains(fault), "{identity}: {err}");
    }
    let schemas: Json =
        serde_json::from_str(&stack.ok(&["providers", "schema", "-json"])).expect("JSON");
    let schemas = &schemas["provider_schemas"]["registry.terraform.io/test/peer"];
    let known = &schemas["resource_identity_schemas"]["peer_thing"]["attributes"];
    assert_eq!(known["id"]["required_for_import"], true);
    assert_eq!(known["zone"]["optional_for_import"], true);
}

#[test]
fn identities_of_an_older_form_are_upgraded() {
    let text = |zone: &str| {
        format!("resource \"peer_thing\" \"a\" {{\n  name = \"a\"\n  zone = \"{zone}\"\n}}\n")
    };
    let stack = stack(&text("north"));
    stack.ok(&["apply", "-auto-approve"]);
    let stored = || {
        let object = pulled(&stack)["resources"][0]["instances"][0].clone();
        (object["identity"].clone(), object["identity_schema_version"].clone())
    };
    assert_eq!(stored(), (json!({ "id": "id-a", "zone": "north" }), json!(0)));

    // The next version of the program: the same one under another name, with a byte more for another digest.
    let folder = stack.dir().join("plugins");
    std::fs::remove_file(folder.join("terraform-provider-peer_v1.0.0")).expect("it was there");
    let next = folder.join("terraform-provider-peer_v2.0.0");
    std::fs::copy(binary(), &next).expect("copied");
    let mut program = std::fs::File::options().append(true).open(&next).expect("it is there");
    std::io::Write::write_all(&mut program, b"\n").expect("written");
    drop(program);
    let plan = planned(&stack, &["-refresh=false"]);
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(change["actions"], json!(["no-op"]));
    let upgraded = json!({ "id": "id-a", "place": "north" });
    assert_eq!((&change["before_identity"], &change["after_identity"]), (&upgraded, &upgraded));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stored(), (upgraded, json!(1)));
    stack.ok(&["plan", "-detailed-exitcode"]);

    // What the provider says of an identity that it cannot upgrade is told with the object.
    let mut state = pulled(&stack);
    state["resources"][0]["instances"][0]["identity"] = json!({ "id": "id-a", "zone": "lost" });
    state["resources"][0]["instances"][0]["identity_schema_version"] = json!(0);
    state["serial"] = json!(state["serial"].as_u64().expect("a number") + 1);
    stack.write("pulled.tfstate", &state.to_string());
    stack.ok(&["state", "push", "pulled.tfstate"]);
    let err = flat(&stack.fails(&["plan"]));
    assert!(err.contains("this zone is no place") && err.contains("peer_thing.a"), "{err}");
    // One of a newer form than the provider knows is never guessed at.
    state["resources"][0]["instances"][0]["identity_schema_version"] = json!(2);
    state["serial"] = json!(state["serial"].as_u64().expect("a number") + 1);
    stack.write("pulled.tfstate", &state.to_string());
    stack.ok(&["state", "push", "pulled.tfstate"]);
    let err = flat(&stack.fails(&["plan"]));
    assert!(err.contains("stored by a newer version of the provider"), "{err}");
}

#[test]
fn what_is_put_off_is_planned_and_not_done_and_takes_its_users_along() {
    let text = |waits: bool| {
        format!(
            "resource \"peer_thing\" \"late\" {{\n  name  = \"late\"\n  waits = {waits}\n}}\n\
             resource \"peer_thing\" \"user\" {{\n  name   = \"user\"\n  inputs = [peer_thing.late.id]\n}}\n\
             data \"peer_told\" \"reader\" {{\n  input = peer_thing.late.name\n}}\n\
             resource \"peer_thing\" \"free\" {{\n  name = \"free\"\n}}\n\
             output \"late\" {{\n  value = peer_thing.late.id\n}}\n"
        )
    };
    let stack = stack(&text(true));
    // Nobody has allowed it: the provider is not told that it may, and plans as if nothing were amiss.
    let plan = planned(&stack, &[]);
    assert_eq!(plan["resource_changes"].as_array().map(Vec::len), Some(4));
    assert_eq!((&plan["deferred_changes"], &plan["complete"]), (&Json::Null, &json!(true)));

    let plan = planned(&stack, &["-allow-deferral"]);
    let reasons: Vec<(&str, &str)> = plan["deferred_changes"]
        .as_array()
        .expect("some are put off")
        .iter()
        .map(|one| (one["resource_change"]["address"].as_str(), one["reason"].as_str()))
        .map(|(address, reason)| (address.unwrap_or_default(), reason.unwrap_or_default()))
        .collect();
    let expected = [
        ("data.peer_told.reader", "deferred_prereq"),
        ("peer_thing.late", "absent_prereq"),
        ("peer_thing.user", "deferred_prereq"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(plan["complete"], false);
    let out = stack.ok(&["plan", "-allow-deferral"]);
    assert!(
        out.contains("peer_thing.late (create): something that it needs does not exist yet"),
        "{out}"
    );
    assert!(out.contains("Plan: 1 to add"), "{out}");

    // By the plan file as well as directly, what is put off is not made.
    stack.ok(&["apply", "p"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "peer_thing.free");
    let out = stack.ok(&["apply", "-auto-approve", "-allow-deferral"]);
    assert!(out.contains("Resources: 0 added, 0 changed, 0 destroyed"), "{out}");
    assert_eq!(stack.ok(&["state", "list"]).trim(), "peer_thing.free");

    set(&stack, &text(false));
    stack.ok(&["apply", "-auto-approve", "-allow-deferral"]);
    assert_eq!(stack.ok(&["output", "-raw", "late"]), "id-late");
    // An object that is there and whose change is put off stays what it is.
    set(&stack, &text(true));
    let plan = planned(&stack, &["-allow-deferral"]);
    assert_eq!(
        plan["deferred_changes"][1]["resource_change"]["change"]["actions"],
        json!(["update"])
    );
    stack.ok(&["apply", "-auto-approve", "-allow-deferral"]);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 4);
}

#[test]
fn imports_and_secrets_that_are_put_off_wait_with_their_users() {
    let text = |waits: bool, id: &str| {
        format!(
            "resource \"peer_thing\" \"late\" {{\n  name = \"late\"\n}}\n\
             import {{\n  to = peer_thing.late\n  id = \"{id}\"\n}}\n\
             resource \"peer_thing\" \"user\" {{\n  name   = \"user\"\n  inputs = [peer_thing.late.id]\n}}\n\
             ephemeral \"peer_key\" \"k\" {{\n  waits = {waits}\n}}\n\
             resource \"peer_thing\" \"keyed\" {{\n  name = \"keyed\"\n  key  = ephemeral.peer_key.k.secret\n}}\n\
             resource \"peer_thing\" \"free\" {{\n  name = \"free\"\n}}\n"
        )
    };
    let stack = stack(&text(true, "id-late"));
    let plan = planned(&stack, &["-allow-deferral"]);
    let told = |plan: &Json| -> Vec<(String, Json, Json)> {
        let all = plan["deferred_changes"].as_array().cloned().unwrap_or_default();
        let part = |one: &Json| {
            let change = &one["resource_change"];
            let address = change["address"].as_str().unwrap_or_default().to_owned();
            (address, one["reason"].clone(), change["change"]["actions"].clone())
        };
        all.iter().map(part).collect()
    };
    let expected = [
        ("peer_thing.keyed", "deferred_prereq", "create"),
        ("peer_thing.late", "absent_prereq", "no-op"),
        ("peer_thing.user", "deferred_prereq", "create"),
    ];
    let expected = expected
        .map(|(address, reason, action)| (address.to_owned(), json!(reason), json!([action])));
    assert_eq!(told(&plan), expected);
    let import = &plan["deferred_changes"][1]["resource_change"]["change"];
    assert_eq!(import["importing"], json!({ "id": "id-late" }));
    assert_eq!(plan["complete"], false);
    let out = stack.ok(&["plan", "-allow-deferral"]);
    assert!(
        out.contains("peer_thing.late (import): something that it needs does not exist yet"),
        "{out}"
    );
    assert!(out.contains("Plan: 1 to add"), "{out}");
    stack.ok(&["apply", "p"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "peer_thing.free");

    // Where nobody allows it, the provider is not told that it may.
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 4);
    stack.ok(&["plan", "-detailed-exitcode", "-allow-deferral", "-refresh=false"]);
}

#[test]
fn modules_tell_providers_about_themselves() {
    let text = "terraform {\n  provider_meta \"peer\" {\n    module = \"root\"\n  }\n}\n\
                resource \"peer_thing\" \"a\" {\n  name = \"a\"\n}\n\
                data \"peer_told\" \"here\" {}\n\
                module \"m\" {\n  source = \"./m\"\n}\n\
                output \"told\" {\n  value = [peer_thing.a.told_by, data.peer_told.here.module, module.m.told, module.m.silent]\n}\n";
    let inner = "terraform {\n  required_providers {\n    peer = { source = \"test/peer\" }\n  }\n  provider_meta \"peer\" {\n    module = \"inner\"\n  }\n}\n\
                 resource \"peer_thing\" \"b\" {\n  name = \"b\"\n}\n\
                 module \"n\" {\n  source = \"./n\"\n}\n\
                 output \"told\" {\n  value = peer_thing.b.told_by\n}\noutput \"silent\" {\n  value = module.n.told\n}\n";
    let silent = "terraform {\n  required_providers {\n    peer = { source = \"test/peer\" }\n  }\n}\n\
                  resource \"peer_thing\" \"c\" {\n  name = \"c\"\n}\n\
                  output \"told\" {\n  value = peer_thing.c.told_by\n}\n";
    let told = json!(["root", "root", "inner", null]);
    let files = |text: &str| {
        let stack = stack(text);
        stack.write("m/main.tf", inner);
        stack.write("m/n/main.tf", silent);
        stack
    };
    let ours = files(text);
    ours.ok(&["apply", "-auto-approve"]);
    let found: Json = serde_json::from_str(&ours.ok(&["output", "-json", "told"])).expect("JSON");
    assert_eq!(found, told);
    ours.ok(&["plan", "-detailed-exitcode"]);

    let refused = text.replace("module = \"root\"", "nope = 1");
    let wrong = files(&refused);
    assert!(flat(&wrong.fails(&["plan"])).contains("unsupported argument `nope`"));
    let none = Stack::new(&[(
        "main.tf",
        "terraform {\n  provider_meta \"terraform\" {\n    a = 1\n  }\n}\nresource \"terraform_data\" \"a\" {}\n",
    )]);
    assert!(flat(&none.fails(&["plan"])).contains("takes no `provider_meta`"));

    let theirs = files(text);
    let Some(modules) = terraform(&theirs, &["get"]) else { return };
    assert_eq!(modules.code, Some(0), "{}", modules.err);
    let applied =
        terraform(&theirs, &["apply", "-auto-approve", "-no-color"]).expect("it is there");
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
    let shown = terraform(&theirs, &["output", "-json", "told"]).expect("it is there");
    assert_eq!(serde_json::from_str::<Json>(&shown.out).expect("JSON"), told);
    let theirs = Stack::new(&[]);
    theirs.write("main.tf", &std::fs::read_to_string(none.dir().join("main.tf")).expect("written"));
    let refused = terraform(&theirs, &["plan", "-no-color"]).expect("it is there");
    assert_eq!(refused.code, Some(1), "{}\n{}", refused.out, refused.err);
}

#[test]
fn objects_move_to_types_that_take_them_over() {
    let old = "resource \"peer_old\" \"a\" {\n  name = \"a\"\n}\nresource \"terraform_data\" \"b\" {\n  input = \"b\"\n}\n";
    let new = "resource \"peer_thing\" \"a\" {\n  name = \"a\"\n}\nresource \"peer_thing\" \"b\" {\n  name = \"b\"\n}\n\
               moved {\n  from = peer_old.a\n  to   = peer_thing.a\n}\n\
               moved {\n  from = terraform_data.b\n  to   = peer_thing.b\n}\n";
    let types = |state: &Json| -> Vec<(String, String, String, String)> {
        let text = |one: &Json, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let resources = state["resources"].as_array().expect("resources").iter();
        resources
            .map(|one| {
                let attributes = &one["instances"][0]["attributes"];
                (
                    text(one, "type"),
                    text(one, "name"),
                    text(one, "provider"),
                    text(attributes, "name"),
                )
            })
            .collect()
    };
    let ours = stack(old);
    ours.ok(&["apply", "-auto-approve"]);
    set(&ours, new);
    let out = ours.ok(&["plan"]);
    assert!(out.contains("0 to add, 0 to change, 0 to destroy"), "{out}");
    ours.ok(&["apply", "-auto-approve"]);
    let state = pulled(&ours);
    let peer = "provider[\"registry.terraform.io/test/peer\"]".to_owned();
    let of = |name: &str| ("peer_thing".to_owned(), name.to_owned(), peer.clone(), name.to_owned());
    assert_eq!(types(&state), [of("a"), of("b")]);
    assert_eq!(state["resources"][0]["instances"][0]["identity"]["id"], "id-a");
    ours.ok(&["plan", "-detailed-exitcode"]);

    // The other way round nobody takes the object over.
    let back = "resource \"terraform_data\" \"b\" {\n  input = \"b\"\n}\nresource \"peer_thing\" \"a\" {\n  name = \"a\"\n}\n\
                moved {\n  from = peer_thing.b\n  to   = terraform_data.b\n}\n";
    set(&ours, back);
    let err = flat(&ours.fails(&["plan"]));
    assert!(err.contains("`terraform_data` does not take over `peer_thing`"), "{err}");

    let theirs = stack(old);
    let Some(applied) = terraform(&theirs, &["apply", "-auto-approve", "-no-color"]) else {
        return;
    };
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
    set(&theirs, new);
    let applied =
        terraform(&theirs, &["apply", "-auto-approve", "-no-color"]).expect("it is there");
    assert_eq!(applied.code, Some(0), "{}\n{}", applied.out, applied.err);
    let state = std::fs::read_to_string(theirs.dir().join("terraform.tfstate")).expect("a state");
    assert_eq!(types(&serde_json::from_str(&state).expect("JSON")), [of("a"), of("b")]);
    set(&theirs, back);
    let refused = terraform(&theirs, &["plan", "-no-color"]).expect("it is there");
    assert_eq!(refused.code, Some(1), "{}", refused.out);
}

#[test]
fn a_null_resource_becomes_terraform_data() {
    let state = r#"{ "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {}, "resources": [
      { "mode": "managed", "type": "null_resource", "name": "old", "provider": "provider[\"registry.terraform.io/hashicorp/null\"]",
        "instances": [{ "schema_version": 0, "attributes": { "id": "77", "triggers": { "a": "1" } }, "sensitive_attributes": [] }] } ] }"#;
    let main = "resource \"terraform_data\" \"new\" {\n  triggers_replace = { a = \"1\" }\n}\n\
                moved {\n  from = null_resource.old\n  to   = terraform_data.new\n}\n";
    let stack = Stack::new(&[("main.tf", main), ("old.tfstate", state)]);
    stack.ok(&["state", "push", "old.tfstate"]);
    let out = stack.ok(&["plan"]);
    assert!(out.contains("0 to add, 0 to change, 0 to destroy"), "{out}");
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]).trim(), "terraform_data.new");
    assert!(stack.ok(&["state", "pull"]).contains("\"77\""));
    stack.ok(&["plan", "-detailed-exitcode"]);
}

/// Runs a command, and says how many processes of the provider it has started.
fn counted(stack: &Stack, args: &[&str]) -> (Ran, usize) {
    let starts = stack.dir().join("starts");
    let _ = std::fs::remove_file(&starts);
    let ran = ran(stack.command(args).env("PEER_STARTS", &starts).output().expect("it runs"));
    (ran, std::fs::read_to_string(&starts).unwrap_or_default().lines().count())
}

/// Runs a command that must work, and says how many processes of the provider it has started.
fn counted_ok(stack: &Stack, args: &[&str]) -> usize {
    let (ran, started) = counted(stack, args);
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    started
}

#[test]
fn what_is_validated_again_starts_no_provider() {
    let text = |region: &str, name: &str| {
        format!(
            "variable \"secret\" {{\n  default   = \"hush\"\n  sensitive = true\n}}\n\
             provider \"peer\" {{\n  region = \"{region}\"\n}}\n\
             resource \"peer_thing\" \"a\" {{\n  name = {name}\n  zone = var.secret\n}}\n\
             data \"peer_told\" \"b\" {{\n  input = peer_thing.a.id\n}}\n"
        )
    };
    let stack = stack(&text("here", "\"a\""));
    assert_eq!([(); 3].map(|()| counted_ok(&stack, &["validate"])), [1, 0, 0]);
    // Another configuration, and other surroundings, are other questions.
    set(&stack, &text("here", "\"b\""));
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &["validate"])), [1, 0]);
    let starts = stack.dir().join("starts");
    let mut elsewhere = stack.command(&["validate"]);
    elsewhere.env("PEER_STARTS", &starts).env("PEER_REGION", "there");
    assert_eq!(ran(elsewhere.output().expect("it runs")).code, Some(0));
    assert_eq!(std::fs::read_to_string(&starts).expect("it was started").lines().count(), 1);
    let mut unkept = stack.command(&["validate"]);
    unkept.env("PEER_STARTS", &starts).env("STRATIFORM_KEEP_ANSWERS", "0");
    assert_eq!(ran(unkept.output().expect("it runs")).code, Some(0));
    assert_eq!(std::fs::read_to_string(&starts).expect("it was started").lines().count(), 2);

    // What a provider complains of is never kept, and the verdict is Terraform's.
    for (region, name, complaint) in [
        ("nowhere", "\"a\"", "there is no such region"),
        ("here", "\"refused\"", "this name is refused"),
    ] {
        set(&stack, &text(region, name));
        for _ in 0..2 {
            let (refused, started) = counted(&stack, &["validate"]);
            assert_eq!((refused.code, started), (Some(1), 1), "{}", refused.err);
            assert!(flat(&refused.err).contains(complaint), "{}", refused.err);
        }
        if let Some(theirs) = terraform(&stack, &["validate", "-no-color"]) {
            assert_eq!(theirs.code, Some(1), "{}", theirs.out);
            assert!(flat(&theirs.err).contains(complaint), "{}", theirs.err);
        }
    }
    // A question with a secret that is known leaves no trace.
    set(&stack, &text("here", "sensitive(\"whisper\")"));
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &["validate"])), [1, 1]);
}

#[test]
fn a_process_ends_with_the_last_step_that_needs_it() {
    // The second step needs another provider alone, and waits for the end of the first one's process.
    let stack = stack(
        "resource \"peer_thing\" \"a\" {\n  name = \"a\"\n}\n\
         resource \"peer_thing\" \"b\" {\n  name   = \"b\"\n  inputs = [peer_thing.a.id]\n}\n\
         resource \"terraform_data\" \"after\" {\n  input = peer_thing.b.id\n  provisioner \"local-exec\" {\n    command = \"sh gone.sh\"\n  }\n}\n",
    );
    stack.write(
        "gone.sh",
        "for i in $(seq 100); do\n  if ! grep -qs \"$PWD/plugins/terraform-provider-pee[r]\" /proc/[0-9]*/cmdline; then\n    \
         echo gone > ended\n    exit 0\n  fi\n  sleep 0.1\ndone\nexit 1\n",
    );
    assert_eq!(counted_ok(&stack, &["apply", "-auto-approve"]), 1);
    assert_eq!(std::fs::read_to_string(stack.dir().join("ended")).expect("written"), "gone\n");
    assert_eq!(stack.ok(&["state", "list"]).lines().count(), 3);
}

#[test]
fn a_plan_that_looks_at_nothing_starts_no_provider_twice() {
    let text = |zone: &str, rest: &str| {
        format!(
            "variable \"zone\" {{\n  default = \"north\"\n}}\n\
             provider \"peer\" {{\n  region = \"here\"\n}}\n\
             resource \"peer_thing\" \"a\" {{\n  name = \"a\"\n  zone = {zone}\n}}\n\
             resource \"peer_thing\" \"b\" {{\n  name   = \"b\"\n  inputs = [peer_thing.a.id]\n}}\n{rest}"
        )
    };
    let stack = stack(&text("var.zone", ""));
    let same = ["plan", "-refresh=false", "-detailed-exitcode"];
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!([(); 3].map(|()| counted_ok(&stack, &same)), [1, 0, 0]);
    // Whoever wants to know what there is asks.
    assert_eq!(counted_ok(&stack, &["plan", "-detailed-exitcode"]), 1);

    // What has changed is asked about, and planned as it would be without what is kept.
    let changed = ["plan", "-refresh=false", "-var=zone=south", "-out=p"];
    let shown = |args: &[&str]| {
        let started = counted_ok(&stack, args);
        let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
        (started, plan["resource_changes"].clone())
    };
    let (started, kept) = shown(&changed);
    assert_eq!(started, 1);
    assert_eq!(kept[0]["change"]["actions"], json!(["update"]));
    let mut afresh = stack.command(&changed);
    afresh.env("STRATIFORM_KEEP_ANSWERS", "0");
    assert_eq!(ran(afresh.output().expect("it runs")).code, Some(0));
    let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    assert_eq!(plan["resource_changes"], kept);
    stack.ok(&["apply", "p"]);
    set(&stack, &text("\"south\"", ""));
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &same)), [1, 0]);

    // Data sources are read by every plan, and other settings are another question.
    set(&stack, &text("\"south\"", "data \"peer_told\" \"now\" {}\n"));
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &same)), [1, 1]);
    set(&stack, &text("\"south\"", "").replace("here", "there"));
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &same)), [1, 0]);

    // A secret among the arguments keeps its object from being remembered, and nothing on disk can be read.
    set(&stack, &text("sensitive(\"south\")", ""));
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!([(); 2].map(|()| counted_ok(&stack, &same)), [1, 1]);
    let folder = stack.home().join("cache").join("schemas");
    let files = std::fs::read_dir(folder).expect("schemas are kept").flatten();
    let kept: Vec<PathBuf> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "answers"))
        .collect();
    assert_eq!(kept.len(), 1);
    let text = std::fs::read_to_string(&kept[0]).expect("answers are lines");
    let is_line = |line: &str| {
        line.is_empty()
            || line.split_once(' ').is_some_and(|(key, flags)| {
                key.bytes().all(|byte| byte.is_ascii_hexdigit()) && flags.len() == 3
            })
    };
    assert!(text.lines().all(is_line), "{text}");
}

#[test]
fn an_offline_plan_starts_no_provider_and_says_what_it_cannot_know() {
    let text = |zone: &str| {
        format!(
            "resource \"peer_thing\" \"a\" {{\n  name = \"a\"\n  zone = \"{zone}\"\n}}\n\
             data \"peer_told\" \"same\" {{\n  input = \"x\"\n}}\n\
             output \"shout\" {{\n  value = provider::peer::shout(peer_thing.a.id)\n}}\n\
             output \"read\" {{\n  value = data.peer_told.same.input\n}}\n"
        )
    };
    let stack = stack(&text("north"));
    let run = |args: &[&str]| counted(&stack, args);
    let (early, started) = run(&["plan", "-offline"]);
    assert_eq!((early.code, started), (Some(1), 0), "{}", early.err);
    assert!(flat(&early.err).contains("its schemas are not kept yet"), "{}", early.err);

    let (applied, started) = run(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    assert!(started > 0);
    let (same, started) = run(&["plan", "-offline", "-detailed-exitcode"]);
    assert_eq!(started, 0, "a provider was started");
    assert!(same.err.contains("stratiform::plan::offline"), "{}", same.err);
    assert!(
        flat(&same.err).contains(
            "taken as recorded: 1 objects; data sources as they were read last: 1, unknown: 0"
        ),
        "{}",
        same.err
    );
    // Only what a function would give is not known.
    assert_eq!(same.code, Some(2), "{}", same.out);
    assert!(same.out.contains("0 to add, 0 to change, 0 to destroy"), "{}", same.out);

    set(&stack, &text("south").replace("\"x\"", "\"y\""));
    let (changed, started) = run(&["plan", "-offline"]);
    assert_eq!((changed.code, started), (Some(0), 0), "{}", changed.err);
    assert!(changed.out.contains("0 to add, 1 to change, 0 to destroy"), "{}", changed.out);
    assert!(flat(&changed.err).contains("unknown: 1"), "{}", changed.err);
    let refused = stack.run(&["plan", "-offline", "-out=p"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
}

#[test]
fn many_configurations_share_a_few_processes() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for at in 0..6 {
        let _ = write!(
            text,
            "provider \"peer\" {{\n  alias  = \"r{at}\"\n  region = \"r{at}\"\n}}\n\
             resource \"peer_thing\" \"t{at}\" {{\n  provider = peer.r{at}\n  name     = \"t{at}\"\n}}\n"
        );
    }
    let stack = stack(&text);
    let starts = stack.dir().join("starts");
    for (args, changes) in [
        (&["apply", "-auto-approve"][..], "6 added"),
        (&["plan", "-detailed-exitcode"], "No changes."),
        (&["destroy", "-auto-approve"], "6 destroyed"),
    ] {
        let mut command = stack.command(args);
        command.env("PEER_STARTS", &starts).env("STRATIFORM_PROVIDER_PROCESSES", "2");
        let ran = ran(command.output().expect("it runs"));
        assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
        assert!(ran.out.contains(changes), "{}", ran.out);
    }
    let lines = std::fs::read_to_string(&starts).expect("processes were started");
    let most = lines.lines().filter_map(|line| line.strip_prefix("start ")?.parse::<usize>().ok());
    let most = most.max().expect("processes were counted");
    assert_eq!(most, 2, "as many as are allowed, and no more");
    assert!(lines.lines().count() >= 6, "each configuration had a process: {lines}");
}

#[test]
fn a_busy_backend_is_asked_again_later_and_never_faster_than_allowed() {
    let stack =
        stack("resource \"peer_thing\" \"a\" {\n  count = 8\n  name  = \"a${count.index}\"\n}\n");
    let run = |args: &[&str], busy: &str, rates: &str| {
        let mut command = stack.command(args);
        command.env("PEER_BUSY", busy).env("STRATIFORM_RATES", rates);
        let began = std::time::Instant::now();
        let ran = ran(command.output().expect("it runs"));
        assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
        (ran, began.elapsed())
    };
    // Creates and reads are refused some times, and nothing is lost or made twice.
    let (applied, _) = run(&["apply", "-auto-approve"], "3", "");
    assert!(applied.out.contains("Resources: 8 added"), "{}", applied.out);
    run(&["plan", "-detailed-exitcode"], "3", "");
    let (_, slow) = run(&["plan", "-detailed-exitcode"], "", "peer_thing=10");
    assert!(slow.as_millis() >= 700, "8 reads at 10 a second took {slow:?}");
    let (wrong, _) = run(&["plan", "-detailed-exitcode"], "", "peer=fast");
    assert!(wrong.err.contains("`STRATIFORM_RATES` is left out"), "{}", wrong.err);
    // A backend that is never free is told as it is.
    let mut command = stack.command(&["plan"]);
    let never = ran(command.env("PEER_BUSY", "1000").output().expect("it runs"));
    assert_eq!(never.code, Some(1));
    assert!(flat(&never.err).contains("ThrottlingException: Rate exceeded"), "{}", never.err);
}

/// The calls of a record that look at objects and change them, in order of their text, and the configurations that were
/// checked. A stored object may be brought to its schema once or twice: each such question counts once.
fn calls(record: &str) -> (Vec<String>, BTreeSet<String>) {
    let mut exact = Vec::new();
    let (mut upgraded, mut checked) = (BTreeSet::new(), BTreeSet::new());
    for line in record.lines() {
        let Some((head, question)) = line.split_once(" > ") else { continue };
        let call = head.split_once(' ').map_or("", |(_, call)| call);
        // Terraform says in apply that work may be put off, whatever the plan said; nobody takes it up there.
        let question = question.replace("deferral_allowed: true", "deferral_allowed: false");
        let text = format!("{call} {question}");
        match call {
            "ReadResource" | "PlanResourceChange" | "ApplyResourceChange" | "ReadDataSource" => {
                exact.push(text);
            }
            "UpgradeResourceState" => {
                upgraded.insert(text);
            }
            "ValidateResourceConfig" | "ValidateDataResourceConfig" => {
                checked.insert(text);
            }
            _ => {}
        }
    }
    exact.extend(upgraded);
    exact.sort();
    (exact, checked)
}

#[test]
fn a_provider_is_asked_what_terraform_asks_it() {
    let text = |input: &str, kind: &str| {
        format!(
            "variable \"secret\" {{\n  default   = \"s\"\n  sensitive = true\n}}\n\
             resource \"peer_old\" \"a\" {{\n  name = \"a\"\n  zone = var.secret\n  kind = \"{kind}\"\n}}\n\
             resource \"peer_old\" \"b\" {{\n  count  = 2\n  name   = \"b${{count.index}}\"\n  inputs = [peer_old.a.id, \"{input}\"]\n}}\n\
             data \"peer_told\" \"early\" {{\n  input = \"{input}\"\n}}\n\
             data \"peer_told\" \"late\" {{\n  input = peer_old.b[0].id\n}}\n"
        )
    };
    let (ours, theirs) = (stack(&text("x", "k")), stack(&text("x", "k")));
    let record = theirs.dir().join("calls.txt");
    let program = theirs.dir().join("plugins/terraform-provider-peer_v1.0.0");
    std::fs::remove_file(&program).expect("it was a link");
    let script = format!(
        "#!/bin/sh\nSTRATIFORM_RECORD_PROVIDERS={} exec {} provider record {}\n",
        record.display(),
        env!("CARGO_BIN_EXE_stratiform"),
        binary().display()
    );
    std::fs::write(&program, script).expect("written");
    let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, runnable).expect("set");
    let phases: [(&str, String, &[&str]); 8] = [
        ("plan from nothing", text("x", "k"), &["plan"]),
        ("create", text("x", "k"), &["apply", "-auto-approve"]),
        ("plan again", text("x", "k"), &["plan"]),
        ("refresh", text("x", "k"), &["apply", "-auto-approve", "-refresh-only"]),
        ("change", text("y", "k"), &["apply", "-auto-approve"]),
        ("replace", text("y", "l"), &["apply", "-auto-approve"]),
        ("plan without looking", text("z", "l"), &["plan", "-refresh=false"]),
        ("destroy", text("y", "l"), &["destroy", "-auto-approve"]),
    ];
    for (phase, text, args) in phases {
        set(&ours, &text);
        set(&theirs, &text);
        let own = ours.dir().join("own.txt");
        let _ = (std::fs::remove_file(&own), std::fs::remove_file(&record));
        let mut command = ours.command(args);
        let ours_done =
            ran(command.env("STRATIFORM_RECORD_PROVIDERS", &own).output().expect("it runs"));
        assert_eq!(ours_done.code, Some(0), "{phase}\n{}\n{}", ours_done.out, ours_done.err);
        let own = std::fs::read_to_string(&own).expect("calls were taken down");
        let (own, own_checks) = calls(&own);
        let changing = own.iter().filter(|call| call.starts_with("ApplyResourceChange")).count();
        let looks = args[0] == "plan" || args.contains(&"-refresh-only");
        assert_eq!(changing == 0, looks, "{phase}: {own:#?}");
        let Some(done) = terraform(&theirs, args) else { continue };
        assert_eq!(done.code, Some(0), "{phase}\n{}\n{}", done.out, done.err);
        let counted = |ran: &Ran| -> Option<String> {
            let (_, counts) = ran.out.split_once("complete! Resources: ")?;
            Some(
                counts
                    .lines()
                    .next()?
                    .trim_end_matches(|c: char| !c.is_ascii_alphabetic())
                    .to_owned(),
            )
        };
        if args[0] == "apply" && !args.contains(&"-refresh-only") {
            assert_eq!(counted(&ours_done), counted(&done), "{phase}");
        }
        let other = std::fs::read_to_string(&record).expect("calls were taken down");
        let (other, other_checks) = calls(&other);
        // Terraform checks every block with nothing known, too, which is what `validate` does here.
        let further: Vec<_> = own_checks.difference(&other_checks).collect();
        assert!(further.is_empty(), "{phase}: checked here alone: {further:#?}");
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|call| !those.contains(call)).cloned().collect()
        };
        if args[0] == "destroy" {
            // Terraform plans everything once as if it stayed; what is destroyed, and how, is the same.
            let gone = |calls: &[String]| -> Vec<String> {
                calls.iter().filter(|call| call.starts_with("Apply")).cloned().collect()
            };
            assert_eq!(gone(&own), gone(&other), "{phase}");
            assert_eq!(only(&own, &other), [""; 0], "{phase}");
            continue;
        }
        assert!(
            own == other,
            "{phase}\nonly ours: {:#?}\nonly terraform's: {:#?}\n{} and {} in all",
            only(&own, &other),
            only(&other, &own),
            own.len(),
            other.len()
        );
    }
}
