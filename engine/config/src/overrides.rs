//! Override files: their arguments take the place of those in the blocks of the same kind and labels.

use std::sync::Arc;

use syntax::{Block, Body, Diagnostics};

use crate::error::ConfigError;

/// How many labels each kind of block has; in JSON, levels of objects are labels. Other kinds are components.
const LABELS: [(&str, usize); 15] = [
    ("check", 1),
    ("component_type", 1),
    ("data", 2),
    ("ephemeral", 2),
    ("import", 0),
    ("locals", 0),
    ("module", 1),
    ("moved", 0),
    ("output", 1),
    ("provider", 1),
    ("removed", 0),
    ("resource", 2),
    ("stack", 0),
    ("terraform", 0),
    ("variable", 1),
];

/// Kinds that an override file may add, since a module may do without them.
const STAND_ALONE: [&str; 2] = ["provider", "terraform"];

/// Merges override bodies into the primary ones, in the order of the files' names.
pub(crate) fn merge(
    mut primary: Vec<Body>,
    overrides: Vec<Body>,
    diagnostics: &mut Diagnostics,
) -> Vec<Body> {
    if overrides.is_empty() {
        return primary;
    }
    primary = primary.into_iter().map(|body| top_level(body, diagnostics)).collect();
    for over in overrides {
        let mut added = Vec::new();
        let shell =
            Body { attributes: Vec::new(), blocks: Vec::new(), json: false, ..over.clone() };
        for block in top_level(over, diagnostics).blocks {
            match find(&mut primary, &block) {
                Some(base) => base.body = Arc::new(merge_body(&base.body, &block.body)),
                None if STAND_ALONE.contains(&&*block.kind.text) => added.push(block),
                None => diagnostics.push(ConfigError::InvalidAddress {
                    text: header(&block),
                    expected: "a block that another file declares, and an override needs one",
                    span: block.header,
                }),
            }
        }
        primary.push(Body { blocks: added, ..shell });
    }
    primary
}

/// The body with blocks in place of JSON's properties.
fn top_level(body: Body, diagnostics: &mut Diagnostics) -> Body {
    if !body.json {
        return body;
    }
    let mut kinds: Vec<Arc<str>> = Vec::new();
    for name in body.names().filter(|name| &*name.text != "//") {
        if !kinds.contains(&name.text) {
            kinds.push(Arc::clone(&name.text));
        }
    }
    let labels =
        |kind: &str| LABELS.iter().find(|(known, _)| *known == kind).map_or(1, |(_, n)| *n);
    let blocks = kinds.iter().flat_map(|kind| body.blocks_checked(kind, labels(kind), diagnostics));
    let blocks = blocks.collect();
    Body { attributes: Vec::new(), blocks, json: false, ..body }
}

/// The body with blocks of a kind as blocks, whichever way they were written.
fn with_blocks(body: &Body, kind: &str) -> Body {
    let blocks = body.blocks_named(kind, 0);
    let mut out = body.clone();
    out.attributes.retain(|attribute| !body.json || &*attribute.name.text != kind);
    out.blocks.retain(|block| &*block.kind.text != kind);
    out.blocks.extend(blocks);
    out
}

fn header(block: &Block) -> String {
    let labels = block.labels.iter().map(|label| format!(" \"{label}\"")).collect::<String>();
    format!("{}{labels}", block.kind)
}

fn find<'a>(primary: &'a mut [Body], block: &Block) -> Option<&'a mut Block> {
    let labels = |block: &Block| {
        block.labels.iter().map(|label| Arc::clone(&label.text)).collect::<Vec<_>>()
    };
    let wanted = labels(block);
    let blocks = primary.iter_mut().flat_map(|body| body.blocks.iter_mut());
    let mut found =
        blocks.filter(|base| base.kind.text == block.kind.text && labels(base) == wanted);
    if &*block.kind.text == "locals" {
        let has_name = |base: &Block| {
            block.body.attributes.iter().any(|a| base.body.attribute(&a.name.text).is_some())
        };
        return found.find(|base| has_name(base));
    }
    found.next()
}

/// Blocks whose arguments are merged one by one; other nested blocks are replaced as a whole.
const MERGED: [&str; 2] = ["lifecycle", "required_providers"];

/// Blocks that say where the state is.
const STORAGE: [&str; 2] = ["backend", "cloud"];

fn merge_body(base: &Body, over: &Body) -> Body {
    let both =
        |body: &Body| MERGED.iter().fold(body.clone(), |body, kind| with_blocks(&body, kind));
    let (base, over) = (both(base), both(over));
    let mut merged = base.clone();
    merged.json |= over.json;
    for attribute in &over.attributes {
        // In JSON, a property may stand for blocks that the base has written out.
        merged.blocks.retain(|block| block.kind.text != attribute.name.text);
        match merged.attributes.iter_mut().find(|found| found.name.text == attribute.name.text) {
            Some(found) => *found = attribute.clone(),
            None => merged.attributes.push(attribute.clone()),
        }
    }
    // One of the two sets `count`, the other `for_each`: the number counts, as in Terraform.
    let repeats = |body: &Body, name: &str| body.attribute(name).is_some();
    let both = repeats(&merged, "count") && repeats(&merged, "for_each");
    let in_one = |body: &Body| repeats(body, "count") && repeats(body, "for_each");
    if both && !in_one(&base) && !in_one(&over) {
        merged.attributes.retain(|found| found.name.as_str() != "for_each");
    }
    // A module keeps its state in one place, whichever of the two blocks says where.
    let stores = |block: &Block| STORAGE.contains(&&*block.kind.text);
    if over.blocks.iter().any(stores) {
        merged.blocks.retain(|block| !stores(block));
    }
    for block in &over.blocks {
        let merges = MERGED.contains(&&*block.kind.text);
        if let Some(found) =
            merged.blocks.iter_mut().find(|found| merges && found.kind.text == block.kind.text)
        {
            found.body = Arc::new(merge_body(&found.body, &block.body));
            continue;
        }
        let of_base = |found: &Block| {
            found.kind.text == block.kind.text && !over.blocks.iter().any(|b| b.span == found.span)
        };
        merged.blocks.retain(|found| !of_base(found));
        merged.attributes.retain(|found| !base.json || found.name.text != block.kind.text);
        merged.blocks.push(block.clone());
    }
    merged
}
