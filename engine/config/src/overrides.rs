//! Override files: their arguments take the place of those in the blocks of the same kind and labels.

use std::sync::Arc;

use syntax::{Block, Body, Diagnostics};

use crate::error::ConfigError;

/// Merges override bodies into the primary ones, in the order of the files' names. JSON override files are not
/// supported yet and say so.
pub(crate) fn merge(
    mut primary: Vec<Body>,
    overrides: Vec<Body>,
    diagnostics: &mut Diagnostics,
) -> Vec<Body> {
    for body in overrides {
        if body.json {
            diagnostics.push(ConfigError::Unsupported {
                what: "an override file in JSON".to_owned(),
                span: body.span,
                help: Some("write it as `override.tf`".to_owned()),
            });
            continue;
        }
        for block in body.blocks {
            match find(&mut primary, &block) {
                Some(base) => base.body = Arc::new(merge_body(&base.body, &block.body)),
                None => diagnostics.push(ConfigError::InvalidAddress {
                    text: header(&block),
                    expected: "a block that another file declares, and an override needs one",
                    span: block.header,
                }),
            }
        }
    }
    primary
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

fn merge_body(base: &Body, over: &Body) -> Body {
    let mut merged = base.clone();
    for attribute in &over.attributes {
        match merged.attributes.iter_mut().find(|found| found.name.text == attribute.name.text) {
            Some(found) => *found = attribute.clone(),
            None => merged.attributes.push(attribute.clone()),
        }
    }
    for block in &over.blocks {
        let merges = matches!(&*block.kind.text, "lifecycle" | "required_providers");
        if let Some(found) =
            merged.blocks.iter_mut().find(|found| merges && found.kind.text == block.kind.text)
        {
            found.body = Arc::new(merge_body(&found.body, &block.body))
        } else {
            let replaced = base.blocks.iter().any(|found| found.kind.text == block.kind.text);
            if replaced {
                let kept = |found: &Block| {
                    found.kind.text != block.kind.text
                        || over.blocks.iter().any(|b| b.span == found.span)
                };
                merged.blocks.retain(kept);
            }
            merged.blocks.push(block.clone());
        }
    }
    merged
}
