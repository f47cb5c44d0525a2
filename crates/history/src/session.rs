//! Questions to a history: SQL, and the guide's detections, answered here or by a Ballista cluster.

use std::io::Write;
use std::sync::Arc;

use audit::Losses;
use audit::detect::Detections;
use ballista::extension::{SessionConfigExt, SessionContextExt};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::cast::as_binary_array;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use futures::StreamExt;

use crate::commit::{DataFile, Snapshot};
use crate::error::{Error, to};
use crate::found::{self, Asking};
use crate::output::{Format, Output};
use crate::registry::{Codec, Registry};
use crate::root::{Root, Stores};
use crate::rows::columns;
use crate::table::Events;

/// How deep plans of nested questions may recurse: a thread of DataFusion needs more than the usual stack.
const STACK: usize = 16 << 20;

/// What work is done with.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(to("start threads"))
}

/// Where questions are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// In this process.
    Here {
        /// bytes of memory; what needs more goes to temporary files
        memory: usize,
        /// at once
        threads: usize,
    },
    /// By the cluster of a scheduler: `http://HOST:50050`.
    Ballista(String),
}

/// A part of time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// not before
    pub since: Option<i64>,
    /// before
    pub until: Option<i64>,
}

/// What detections found in a history.
pub struct Detected {
    /// what was found
    pub state: Detections<'static, 'static>,
    /// what was lost
    pub losses: Losses,
}

/// One who asks.
pub struct Session {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
    snapshot: Snapshot,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Opens a history as it is now.
    ///
    /// # Errors
    /// When there is none, or no scheduler.
    pub fn open(name: &str, stores: &Stores, place: &Where) -> Result<Self, Error> {
        let runtime = runtime()?;
        let root = Root::open(name, stores)?;
        let (context, snapshot) = runtime.block_on(async {
            let snapshot = Snapshot::read(&root).await?;
            if snapshot.number == 0 {
                return Err(Error::new(format!("there is no history in `{name}`"))
                    .help("`seawall audit compact LOG --to DIR` makes one"));
            }
            let context = context(stores, place).await?;
            context
                .register_table("events", Arc::new(Events::new(&root, &snapshot)))
                .map_err(failed)?;
            Ok((context, snapshot))
        })?;
        Ok(Self {
            runtime,
            context,
            snapshot,
        })
    }

    /// What the history is at this moment.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Answers a question in SQL, a part at a time; how many rows it has.
    ///
    /// # Errors
    /// When it is no question, or cannot be answered.
    pub fn query(&self, sql: &str, format: Format, out: &mut dyn Write) -> Result<u64, Error> {
        // Reading never writes: no COPY, no INSERT, no table elsewhere.
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        self.runtime.block_on(async {
            let answer = self.context.sql_with_options(sql, options).await;
            stream(answer.map_err(refused)?, format, out).await
        })
    }

    /// How a question would be answered.
    ///
    /// # Errors
    /// When it is no question.
    pub fn plan(&self, sql: &str) -> Result<String, Error> {
        self.runtime.block_on(async {
            let answer = self.context.sql(sql).await.map_err(refused)?;
            let plan = answer.create_physical_plan().await.map_err(failed)?;
            let shown = datafusion::physical_plan::displayable(&*plan);
            Ok(shown.indent(false).to_string())
        })
    }

    /// Asks detections about all events of a part of time.
    ///
    /// # Errors
    /// When the history cannot be read, or an executor is of another version.
    pub fn detect(&self, asking: &Asking, window: Window) -> Result<Detected, Error> {
        let batches = self.runtime.block_on(async {
            let plan = self.detections(asking, window).await?;
            plan.collect().await
        });
        let mut all: Option<Detected> = None;
        for batch in batches.map_err(failed)? {
            let column = as_binary_array(batch.column(0)).map_err(failed)?;
            for bytes in column.iter().flatten() {
                let (_, bytes) = found::split(bytes)
                    .ok_or_else(|| Error::new("what was found cannot be read"))?;
                let (state, losses) = asking.read(Some(bytes))?;
                all = Some(Detected { state, losses });
            }
        }
        let mut all = match all {
            Some(all) => all,
            None => {
                let (state, losses) = asking.read(None)?;
                Detected { state, losses }
            }
        };
        // What is no event was counted when logs were read; nobody knows of which time it is.
        all.losses.unreadable += self.snapshot.unreadable;
        all.losses.forgot |= self.snapshot.forgot;
        for (category, count) in &self.snapshot.other {
            *all.losses.other.entry(category.clone()).or_default() += count;
        }
        Ok(all)
    }

    async fn detections(
        &self,
        asking: &Asking,
        window: Window,
    ) -> Result<DataFrame, DataFusionError> {
        let mut events = self.context.table("events").await?;
        let moment = |at: i64| {
            let zone = Some("UTC".into());
            lit(datafusion::common::ScalarValue::TimestampMicrosecond(
                Some(at),
                zone,
            ))
        };
        if let Some(since) = window.since {
            events = events.filter(col("time").gt_eq(moment(since)))?;
        }
        if let Some(until) = window.until {
            events = events.filter(col("time").lt(moment(until)))?;
        }
        let mut arguments: Vec<Expr> = vec![lit(asking.key())];
        arguments.extend(found::COLUMNS.iter().map(|name| col(*name)));
        let call = found::function().call(arguments);
        events.aggregate(Vec::new(), vec![call.alias("found")])
    }
}

async fn context(stores: &Stores, place: &Where) -> Result<SessionContext, Error> {
    let context = match place {
        Where::Here { memory, threads } => {
            let config = SessionConfig::new().with_target_partitions(*threads);
            let runtime = Registry::new(Arc::clone(stores)).runtime(Some(*memory));
            let state = state(config).with_runtime_env(runtime.map_err(failed)?);
            SessionContext::new_with_state(state.build())
        }
        Where::Ballista(url) => {
            let runtime = Registry::new(Arc::clone(stores)).runtime(None);
            let state: SessionState = state(ballista_config())
                .with_runtime_env(runtime.map_err(failed)?)
                .build();
            let context = SessionContext::remote_with_state(url, state).await;
            context.map_err(|error| {
                Error::new(format!("cannot ask `{url}`: {error}"))
                    .help("`seawall audit scheduler` starts one; its address is http://HOST:50050")
            })?
        }
    };
    context.register_udaf((*found::function()).clone());
    Ok(context)
}

/// What both ends of a cluster agree on.
pub(crate) fn ballista_config() -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_logical_extension_codec(Arc::new(Codec::default()))
}

pub(crate) fn state(config: SessionConfig) -> SessionStateBuilder {
    SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
}

/// Some columns of one data file.
pub(crate) async fn one_file(
    root: &Root,
    file: &DataFile,
    names: &[&str],
) -> Result<SendableRecordBatchStream, Error> {
    let store = Arc::clone(&root.store);
    let stores: Stores = Arc::new(move |_| Ok(Arc::clone(&store)));
    let runtime = Registry::new(stores).runtime(None).map_err(failed)?;
    let config = SessionConfig::new().with_target_partitions(1);
    let state = state(config).with_runtime_env(runtime).build();
    let snapshot = Snapshot {
        files: vec![file.clone()],
        ..Snapshot::default()
    };
    let events = Arc::new(Events::new(root, &snapshot));
    let rows = SessionContext::new_with_state(state)
        .read_table(events)
        .and_then(|rows| rows.select_columns(names))
        .map_err(failed)?;
    rows.execute_stream().await.map_err(failed)
}

async fn stream(answer: DataFrame, format: Format, out: &mut dyn Write) -> Result<u64, Error> {
    let mut batches = answer.execute_stream().await.map_err(refused)?;
    let schema = batches.schema();
    let mut output = Output::new(format, schema, out);
    while let Some(batch) = batches.next().await {
        let batch: RecordBatch = batch.map_err(failed)?;
        output.add(&batch)?;
    }
    output.finish()
}

/// Why a question was not answered.
pub(crate) fn failed(error: DataFusionError) -> Error {
    let text = error.strip_backtrace();
    let error = Error::new(text.lines().next().unwrap_or_default().to_owned());
    if text.contains("Resources exhausted") {
        error.help("give more with --memory, or ask about fewer days")
    } else {
        error
    }
}

/// Why something is no question, in the words of people who write SQL.
fn refused(error: DataFusionError) -> Error {
    let root = error.find_root();
    match root {
        DataFusionError::SchemaError(schema, _) => {
            if let SchemaError::FieldNotFound { field, .. } = &**schema {
                let all: Vec<&str> = columns().map(|(name, _)| name).collect();
                return Error::new(format!("there is no column `{}`", field.name))
                    .help(format!("`events` has {}", all.join(", ")));
            }
            failed(error)
        }
        DataFusionError::Plan(text) if text.contains("not found") && text.contains("table ") => {
            Error::new(text.clone()).help("the table is called `events`")
        }
        DataFusionError::SQL(why, _) => Error::new(format!("this is no SQL: {why}"))
            .help("docs/history.md has questions to begin with"),
        _ => failed(error),
    }
}
