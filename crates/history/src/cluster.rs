//! Ballista's scheduler and executor, with what seawall's questions need.
//!
//! They are Ballista's own, started here so that no other program is needed and both ends are of one version. Ballista
//! knows no passwords: whoever reaches the ports can have executors read whatever these may read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;

use crate::error::{Error, to};
use crate::found;
use crate::registry::{Codec, Registry};
use crate::root::Stores;
use crate::session::{ballista_config, runtime, state};

/// Runs a scheduler until it is told to end.
///
/// # Errors
/// When it cannot listen.
pub fn scheduler(
    listen: SocketAddr,
    name: &str,
    timeout: u64,
    stores: &Stores,
) -> Result<(), Error> {
    let stores = Arc::clone(stores);
    let config = SchedulerConfig {
        bind_host: listen.ip().to_string(),
        bind_port: listen.port(),
        external_host: name.to_owned(),
        executor_timeout_seconds: timeout,
        expire_dead_executor_interval_seconds: (timeout / 4).max(1),
        no_executors_grace_period_seconds: timeout,
        override_logical_codec: Some(Arc::new(Codec::default())),
        override_config_producer: Some(Arc::new(ballista_config)),
        override_session_builder: Some(Arc::new(move |config| {
            let runtime = Registry::new(Arc::clone(&stores)).runtime(None)?;
            let mut functions = ballista_core::extension::ballista_aggregate_functions();
            functions.push(found::function());
            Ok(state(config)
                .with_runtime_env(runtime)
                .with_scalar_functions(ballista_core::extension::ballista_scalar_functions())
                .with_aggregate_functions(functions)
                .with_window_functions(ballista_core::extension::ballista_window_functions())
                .build())
        })),
        ..SchedulerConfig::default()
    };
    runtime()?.block_on(async {
        let cluster = BallistaCluster::new_from_config(&config)
            .await
            .map_err(to("start a scheduler"))?;
        let serving = start_server(cluster, listen, Arc::new(config));
        tokio::select! {
            served = serving => served.map_err(to(format!("listen on {listen}"))),
            () = told_to_end() => Ok(()),
        }
    })
}

/// An executor.
#[derive(Debug, Clone)]
pub struct Executor {
    /// where the scheduler is
    pub scheduler: (String, u16),
    /// where it listens: for data; for work at the next port
    pub listen: SocketAddr,
    /// under which name others reach it
    pub name: Option<String>,
    /// how many tasks at once; zero for one on each processor
    pub tasks: usize,
    /// for all tasks together, in bytes
    pub memory: Option<u64>,
    /// where intermediate results are
    pub folder: PathBuf,
    /// how often it says that it lives, in seconds
    pub heartbeat: u64,
}

/// Runs an executor until it is told to end.
///
/// # Errors
/// When it cannot listen, or there is no scheduler.
pub fn executor(executor: &Executor, stores: &Stores) -> Result<(), Error> {
    let stores = Arc::clone(stores);
    let mut functions = BallistaFunctionRegistry::default();
    functions
        .aggregate_functions
        .insert(found::NAME.to_owned(), found::function());
    let (host, port) = &executor.scheduler;
    let work = executor
        .listen
        .port()
        .checked_add(1)
        .ok_or_else(|| Error::new("no port is left for work").help("choose a smaller one"))?;
    let config = ExecutorProcessConfig {
        bind_host: executor.listen.ip().to_string(),
        external_host: executor.name.clone(),
        port: executor.listen.port(),
        grpc_port: work,
        scheduler_host: host.clone(),
        scheduler_port: *port,
        scheduler_connect_timeout_seconds: 60,
        vcores: executor.tasks,
        work_dir: Some(executor.folder.display().to_string()),
        memory_pool_size: executor.memory,
        executor_heartbeat_interval_seconds: executor.heartbeat,
        override_function_registry: Some(Arc::new(functions)),
        override_logical_codec: Some(Arc::new(Codec::default())),
        override_config_producer: Some(Arc::new(|| ballista_config().upgrade_for_ballista())),
        override_runtime_producer: Some(Arc::new(move |_| {
            Registry::new(Arc::clone(&stores)).runtime(None)
        })),
        ..ExecutorProcessConfig::default()
    };
    std::fs::create_dir_all(&executor.folder)
        .map_err(to(format!("make `{}`", executor.folder.display())))?;
    runtime()?
        .block_on(start_executor_process(Arc::new(config)))
        .map_err(to(format!("work for `{host}:{port}`")))
}

/// Waits for whoever ends it.
async fn told_to_end() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}
