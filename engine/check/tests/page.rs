//! `docs/checks.md` holds a section for each rule, made from the rule.
//!
//! `STRATIFORM_UPDATE_DOCS=1 cargo test -p stratiform-check --test page` writes the sections anew.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

const MARK: &str =
    "<!-- Made from the rules in `engine/check/src/rule`; do not edit below this line. -->\n";

#[test]
fn every_check_is_documented() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (head, rest) = page.split_once(MARK).expect("the page has a generated part");
    let wanted = stratiform_check::page::sections();
    if std::env::var_os("STRATIFORM_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{MARK}{wanted}")).expect("the page can be written");
    } else {
        assert_eq!(rest, wanted, "run with STRATIFORM_UPDATE_DOCS=1");
    }
}
