//! `seawall audit query`: a history, asked in SQL.

use anyhow::Result;

/// Answers questions in SQL to a history that `audit compact` made.
///
/// The table is called `events`; `--columns` lists what it has. Only what is asked for is read: days and clusters that a
/// question rules out are not touched. Nothing is ever written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seawall audit query --in history \"SELECT username, count(*) FROM events WHERE code = 403 GROUP BY username\"
  seawall audit query --in history --format csv \"SELECT * FROM events WHERE day = '2026-11-26' AND name = 'db'\"
  seawall audit query --in history --ballista http://scheduler:50050 \"SELECT count(*) FROM events\"

Exit code: 0 answered; 2 no question, or it cannot be answered.")]
pub(crate) struct Args {
    /// The question
    #[arg(value_name = "SQL", required_unless_present = "columns")]
    pub(crate) sql: Option<String>,
    /// Folder, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, that holds the history
    #[arg(
        long = "in",
        value_name = "DIR|URL",
        required_unless_present = "columns"
    )]
    pub(crate) history: Option<String>,
    /// table, csv or json (an object on each line)
    #[arg(long, value_name = "F", default_value = "table")]
    pub(crate) format: String,
    /// Lists the columns of `events`
    #[arg(long)]
    pub(crate) columns: bool,
    /// Shows how the question would be answered
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) place: super::Place,
}

#[cfg(not(feature = "history"))]
pub(crate) fn run(_: &Args) -> Result<u8> {
    Err(super::without().into())
}

#[cfg(feature = "history")]
pub(crate) use with::run;

#[cfg(feature = "history")]
mod with {
    use std::io::{self, BufWriter, Write};

    use history::{Format, Session};

    use super::{Args, Result};
    use crate::commands::audit::with::{failed, stores};
    use crate::failure::Failure;

    pub(crate) fn run(args: &Args) -> Result<u8> {
        let mut out = BufWriter::new(io::stdout().lock());
        if args.columns {
            for (name, what) in history::columns() {
                writeln!(out, "{name:16} {what}")?;
            }
            return Ok(0);
        }
        let format = match args.format.as_str() {
            "table" => Format::Table,
            "csv" => Format::Csv,
            "json" => Format::Json,
            other => {
                return Err(Failure::new(format!("there is no format `{other}`"))
                    .help("--format takes table, csv or json")
                    .into());
            }
        };
        let history = args.history.as_deref().unwrap_or_default();
        let sql = args.sql.as_deref().unwrap_or_default();
        let session = Session::open(history, &stores(), &args.place.chosen()?).map_err(failed)?;
        if args.plan {
            out.write_all(session.plan(sql).map_err(failed)?.as_bytes())?;
            return Ok(0);
        }
        session.query(sql, format, &mut out).map_err(failed)?;
        Ok(0)
    }
}
