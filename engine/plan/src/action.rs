//! What is to be done with an object, and why.

use address::AttributePath;
use value::Value;

/// What apply does with one resource instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make the object.
    Create,
    /// Read a data source, which has to wait for apply.
    Read,
    /// Change the object in place.
    Update,
    /// Make a new object in place of the old one.
    Replace(ReplaceOrder),
    /// Destroy the object.
    Delete,
    /// Drop the object from the state and let it live on.
    Forget,
}

/// Which half of a replacement comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplaceOrder {
    /// The old object goes before the new one comes.
    DeleteThenCreate,
    /// The new object comes first; until then the old one is deposed.
    CreateThenDelete,
}

impl Action {
    /// The name in Terraform's JSON: one word for each call.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Create => &["create"],
            Self::Read => &["read"],
            Self::Update => &["update"],
            Self::Replace(ReplaceOrder::DeleteThenCreate) => &["delete", "create"],
            Self::Replace(ReplaceOrder::CreateThenDelete) => &["create", "delete"],
            Self::Delete => &["delete"],
            Self::Forget => &["forget"],
        }
    }

    /// True for what ends an object.
    pub fn destroys(self) -> bool {
        matches!(self, Self::Delete | Self::Replace(_))
    }

    /// True for what makes an object.
    pub fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Replace(_))
    }
}

/// Why an action was chosen, where the difference alone does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionReason {
    /// The difference says it.
    Difference,
    /// An attribute that changed cannot change in place.
    CannotUpdate,
    /// The object was left in doubt by a failed create.
    Tainted,
    /// The run asked for it by `-replace`.
    Requested,
    /// Something named in `replace_triggered_by` changed.
    Triggered,
    /// No block declares the resource any more.
    NoResource,
    /// The module instance is gone.
    NoModule,
    /// `count` or `for_each` no longer gives this key.
    NoKey,
    /// The key is not of the kind that the block's `count` or `for_each` gives.
    WrongRepetition,
    /// The configuration of a data source is not known yet.
    ConfigUnknown,
    /// A data source waits for a change to something it depends on.
    DependencyPending,
    /// The data source belongs to a check, which looks again when all is done.
    CheckNested,
    /// The run destroys everything.
    Destroying,
    /// It was deposed by an earlier replacement.
    Deposed,
    /// The state that is led back to does not have it.
    LedBack,
}

/// Chooses the action for one managed resource instance.
///
/// `prior` is the object that the state records, `planned` the one that the provider plans; `None` means
/// that there is none. `must_replace` is what the provider cannot change in place; it counts only where both
/// objects exist.
///
/// Source: the change life cycle of the Terraform provider protocol, tfplugin 6.
pub fn choose_action(
    prior: Option<&Value>,
    planned: Option<&Value>,
    must_replace: &[AttributePath],
    order: ReplaceOrder,
) -> Action {
    match (prior, planned) {
        (None, None) => Action::NoOp,
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        (Some(_), Some(_)) if !must_replace.is_empty() => Action::Replace(order),
        (Some(prior), Some(planned)) if prior == planned => Action::NoOp,
        (Some(_), Some(_)) => Action::Update,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::{Marks, Type};

    #[test]
    fn action_follows_from_prior_planned_and_must_replace() {
        use ReplaceOrder::{CreateThenDelete, DeleteThenCreate};
        let (a, b) = (Value::from("a"), Value::from("b"));
        let secret = a.clone().mark(Marks::SENSITIVE);
        let unknown = Value::unknown(Type::String);
        let zone = [AttributePath::from("zone")];
        let table = [
            ("absent", None, None, &[][..], DeleteThenCreate, Action::NoOp),
            ("new", None, Some(&a), &[], DeleteThenCreate, Action::Create),
            ("new ignores must_replace", None, Some(&a), &zone, DeleteThenCreate, Action::Create),
            ("dropped", Some(&a), None, &[], DeleteThenCreate, Action::Delete),
            ("unchanged", Some(&a), Some(&a), &[], DeleteThenCreate, Action::NoOp),
            ("changed", Some(&a), Some(&b), &[], DeleteThenCreate, Action::Update),
            ("not known yet", Some(&a), Some(&unknown), &[], DeleteThenCreate, Action::Update),
            ("only marks differ", Some(&a), Some(&secret), &[], DeleteThenCreate, Action::Update),
            (
                "fixed",
                Some(&a),
                Some(&b),
                &zone,
                DeleteThenCreate,
                Action::Replace(DeleteThenCreate),
            ),
            (
                "fixed, new first",
                Some(&a),
                Some(&b),
                &zone,
                CreateThenDelete,
                Action::Replace(CreateThenDelete),
            ),
        ];
        for (case, prior, planned, must_replace, order, expected) in table {
            assert_eq!(choose_action(prior, planned, must_replace, order), expected, "{case}");
        }
    }
}
