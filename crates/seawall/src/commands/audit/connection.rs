//! Who one is to an Event Hub: a connection string in a file or a variable, never on the command line.

use std::fs;
use std::path::Path;

use sources::eventhub::ConnectionString;

use crate::failure::Failure;

/// The variable that may hold one.
const VARIABLE: &str = "SEAWALL_EVENTHUB_CONNECTION_STRING";

/// A connection string, where there is one: in a file, else in the environment.
pub(crate) fn connection(file: Option<&Path>) -> anyhow::Result<Option<ConnectionString>> {
    let help = "`az eventhubs eventhub authorization-rule keys list` shows those of a rule; `Listen` is enough";
    if let Some(file) = file {
        let shown = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
        let connection = ConnectionString::new(&text)
            .map_err(|why| Failure::new(format!("`{shown}`: {why}")).help(help))?;
        return Ok(Some(connection));
    }
    let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let connection = ConnectionString::new(&text)
        .map_err(|why| Failure::new(format!("{VARIABLE}: {why}")).help(help))?;
    Ok(Some(connection))
}
