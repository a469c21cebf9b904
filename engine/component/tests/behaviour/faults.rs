use crate::common::{faults, machine, run, run_in, texts, world};

#[test]
fn faults_name_what_is_wrong_and_by_how_much() {
    let table = [
        ("resorce \"a\" \"b\" {}", "unknown block type `resorce` | did you mean `resource`?"),
        ("filesytem \"a\" {}", "unknown block type `filesytem` | did you mean `filesystem`?"),
        (
            "filesystem \"a\" {}",
            "component `filesystem.a` needs the input `capacity_gib` | Space in GiB.",
        ),
        (
            "filesystem \"a\" { capacity_gb = 1 }",
            "component type `filesystem` has no input `capacity_gb` | did you mean `capacity_gib`?",
        ),
        (
            "filesystem \"a\" { capacity_gib = [] }",
            "unsuitable value for input `capacity_gib`: number required, but have tuple",
        ),
        (
            "filesystem \"a\" { capacity_gib = -1 }",
            "unsuitable value for input `capacity_gib` of `filesystem.a` | Capacity must be more than 0 GiB.",
        ),
        (
            "filesystem \"a\" { capacity_gib = 101 }",
            "no place for `filesystem.a` | `local` on `m`: needs 101 GiB, m gives at most 100",
        ),
        (
            "filesystem \"a\" { capacity_gib = 12 }",
            "no place for `filesystem.a` | `local` on `m`: wants 12 of `disk_gib`, `m` has 10 left: 2 too little",
        ),
        (
            "filesystem \"a\" { capacity_gib = 7 }\nfilesystem \"b\" { capacity_gib = 7 }",
            "no place for `filesystem.b` | `local` on `m`: wants 7 of `disk_gib`, `m` has 3 left: 4 too little (of 10, `filesystem.a` takes 7)",
        ),
        (
            "filesystem \"a\" {\n  count = 3\n  capacity_gib = 4\n}",
            "no place for `filesystem.a` | `local` on `m`: wants 12 of `disk_gib`, `m` has 10 left: 2 too little",
        ),
        (
            "filesystem \"a\" {\n  capacity_gib = 1\n  backend = \"slurm\"\n}",
            "no place for `filesystem.a` | `filesystem` has implementations for `local`, but none of these is both allowed and offered here",
        ),
        (
            "stack {\n  placement { objective = \"fun\" }\n}",
            "unsuitable setting: an objective is `cost`, `carbon` or `performance`, or an object of weights",
        ),
        (
            "stack {\n  placement { max_hourly_usd = 1 }\n}\nfilesystem \"a\" { capacity_gib = 1 }",
            "the stack costs 2 USD per hour, 1 more than `max_hourly_usd` allows | raise `max_hourly_usd`, or ask for less: `filesystem.a` costs 2",
        ),
    ];
    for (main, expected) in table {
        let found = faults(main, &[machine("m", 10, 2)]);
        assert!(found.iter().any(|text| text.starts_with(expected)), "{main}\n{found:#?}");
    }
}

#[test]
fn a_stack_over_its_limit_has_the_code_of_its_page() {
    let main =
        "stack {\n  placement { max_hourly_usd = 1 }\n}\nfilesystem \"a\" { capacity_gib = 1 }";
    let found = run(main, &[machine("m", 10, 2)]).faults;
    let codes: Vec<String> =
        found.iter().filter_map(|fault| Some(fault.code()?.to_string())).collect();
    assert_eq!(codes, ["stratiform::component::over_budget"]);
}

#[test]
fn a_type_of_the_configuration_wins_and_says_so() {
    let mut world = world("filesystem \"a\" {}");
    world.write(
        "types.tf",
        "component_type \"filesystem\" {\n  implementation \"own\" {\n    backend = \"local\"\n    source = \"./own\"\n  }\n}\n",
    );
    world.write("own/main.tf", "locals { a = 1 }\n");
    let run = run_in(&world, &[machine("m", 10, 2)], &[]);
    assert_eq!(
        texts(&run.faults),
        [
            "component type `filesystem` replaces the one of the standard library | give it another name if that is not meant"
        ]
    );
    assert!(!run.faults.has_errors());
    assert_eq!(run.placed.decisions[0].implementation, "own");
}

#[test]
fn an_implementation_without_an_output_of_its_type_is_a_fault() {
    let mut world = world("filesystem \"a\" { capacity_gib = 1 }");
    world.write("stratiform:modules/filesystem/local/main.tf", "variable \"capacity_gib\" {}\n");
    let run = run_in(&world, &[machine("m", 10, 2)], &[]);
    assert!(
        texts(&run.faults)[0]
            .starts_with("implementation `local` of `filesystem` lacks the output `path`"),
        "{:?}",
        run.faults
    );
}
