//! `get`: brings modules.

use std::path::Path;

use install::module;
use syntax::SourceMap;

use crate::args::GetArgs;
use crate::exit::Exit;
use crate::fetching::{self, Teller};
use crate::session::{Session, without_no_files};
use crate::ui::Ui;

/// Brings the modules of all calls.
pub(crate) fn get(session: &Session, args: &GetArgs) -> Exit {
    let ui = Ui::new(&args.common, session.clock());
    let fetcher = match fetching::fetcher(session, &ui) {
        Ok(fetcher) => fetcher,
        Err(error) => return ui.fail_with(error),
    };
    let data_dir = fetching::data_dir();
    let now = fetching::timestamp(&*session.clock());
    let mut sources = SourceMap::new();
    let directory = args.test_directory.as_deref();
    let (tests, faults) = fetching::tests(&*session.world, directory, &mut sources);
    if faults.has_errors() {
        return ui.fail(&faults, &sources);
    }
    let request = module::Request {
        root: Path::new("."),
        data_dir: &data_dir,
        upgrade: args.update,
        tests: &fetching::test_calls(&tests),
        now: &now,
    };
    let teller = Teller::new(&ui);
    match module::install(&fetcher, &request, &mut sources, &|event| teller.tell(event)) {
        Ok(_) => {
            // What blocks say is checked here, as in Terraform; what they refer to is not.
            let (configuration, mut found) = fetching::load_blocks(&*session.world);
            found.extend(config::required_versions(&configuration));
            let found = without_no_files(report::calls::with_calls(found, &configuration));
            if found.has_errors() {
                return ui.fail(&found, &configuration.sources);
            }
            // The process ends: taking a tree of thousands of files apart would be a tenth of the work.
            std::mem::forget(configuration);
            Exit::Success
        }
        Err(errors) => fetching::fail(&ui, errors, &sources),
    }
}
