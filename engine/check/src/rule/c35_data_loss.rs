//! C-35: what holds data is not thrown away unnoticed.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, flag, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-35",
    title: "loss of data",
    grade: Grade::Warning,
    formula: "destroying or replacing a file system or volume that leaves no snapshot, backup or linked bucket is told",
    source: "our own rule",
    types: &[
        "aws_fsx_lustre_file_system",
        "aws_ebs_volume",
        "aws_efs_file_system",
        "azurerm_managed_lustre_file_system",
        "azurerm_netapp_volume",
        "google_filestore_instance",
        "google_lustre_instance",
        "google_parallelstore_instance",
    ],
    example: "Turning on `efa_enabled` replaces the file system: what lies on it and in no bucket is gone.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !subject.destroys || subject.prior.is_null() {
        return;
    }
    let prior = subject.prior;
    let kept = match subject.type_name {
        "aws_ebs_volume" => flag(prior, "final_snapshot").known() == Some(true),
        "aws_fsx_lustre_file_system" => {
            let backups = number(prior, "automatic_backup_retention_days").known();
            let skips = flag(prior, "skip_final_backup").known();
            text(prior, "export_path").known().is_some()
                || backups.is_some_and(|days| days > 0.0)
                || skips == Some(false)
        }
        "azurerm_managed_lustre_file_system" => block(prior, "hsm_setting").is_some(),
        "azurerm_netapp_volume" => block(prior, "data_protection_backup_policy").is_some(),
        // Nothing of a file system outlives it but backups that another service makes.
        _ => false,
    };
    if !kept {
        let message = "what is stored there is destroyed, and no snapshot, backup or bucket of it is declared";
        let fix = "make a snapshot or backup first, add `lifecycle { prevent_destroy = true }`, or except this check with a reason";
        found.warning("id", message.to_owned(), fix.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use value::Value;

    use super::RULE;
    use crate::judge::judge;
    use crate::testing::{circumstances, object, subject};

    fn told(type_name: &str, prior: &str, destroys: bool) -> bool {
        let (prior, planned) = (object(prior), Value::dynamic_null());
        let subject = subject(type_name, &prior, &planned, destroys);
        let verdict = judge(&[subject], &circumstances(&[]));
        verdict.findings.iter().any(|finding| finding.rule.id == RULE.id)
    }

    #[test]
    fn destroying_what_is_nowhere_else_is_told() {
        let volume = "aws_ebs_volume";
        assert!(told(volume, r#"{"final_snapshot": false}"#, true));
        assert!(!told(volume, r#"{"final_snapshot": true}"#, true));
        assert!(!told(volume, r#"{"final_snapshot": false}"#, false));
        assert!(!told(volume, "null", true), "there is nothing yet");
        let lustre = "aws_fsx_lustre_file_system";
        assert!(told(lustre, r#"{"automatic_backup_retention_days": 0}"#, true));
        assert!(!told(lustre, r#"{"automatic_backup_retention_days": 7}"#, true));
        let azure = "azurerm_managed_lustre_file_system";
        assert!(told(azure, r#"{"hsm_setting": []}"#, true));
        assert!(!told(azure, r#"{"hsm_setting": [{"container_id": "c"}]}"#, true));
        assert!(told("google_filestore_instance", r#"{"tier": "ZONAL"}"#, true));
        assert!(!told(lustre, r#"{"export_path": "s3://a/b"}"#, true));
    }
}
