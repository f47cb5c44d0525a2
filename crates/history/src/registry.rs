//! What DataFusion and Ballista have to know of a history: how stores are found that plans name, the function that
//! detects, and how the table of events travels to another process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use ballista_core::serde::BallistaLogicalExtensionCodec;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result, TableReference, exec_err};
use datafusion::datasource::file_format::FileFormatFactory;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::{AggregateUDF, Extension, LogicalPlan, ScalarUDF};
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

use crate::root::{Stores, address};
use crate::table::Events;

/// Finds the stores that plans name.
pub(crate) struct Registry {
    stores: Stores,
    local: Arc<dyn ObjectStore>,
    containers: Mutex<BTreeMap<String, Arc<dyn ObjectStore>>>,
}

impl Registry {
    pub(crate) fn new(stores: Stores) -> Self {
        Self {
            stores,
            local: Arc::new(LocalFileSystem::new()),
            containers: Mutex::default(),
        }
    }

    /// With memory of at most so many bytes, beyond which it is written to temporary files.
    pub(crate) fn runtime(self, memory: Option<usize>) -> Result<Arc<RuntimeEnv>> {
        let mut builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(self));
        if let Some(memory) = memory {
            builder = builder.with_memory_limit(memory, 1.0);
        }
        builder.build_arc()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl ObjectStoreRegistry for Registry {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == "file" {
            return Ok(Arc::clone(&self.local));
        }
        let Some(address) = address(url) else {
            return exec_err!("`{url}` is no place of a history");
        };
        let mut known = self
            .containers
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if let Some(store) = known.get(&address) {
            return Ok(Arc::clone(store));
        }
        let store = (self.stores)(&address)
            .map_err(|why| DataFusionError::Execution(format!("`{address}`: {why}")))?;
        known.insert(address, Arc::clone(&store));
        Ok(store)
    }
}

/// Ballista's own codec, and the table of events.
#[derive(Debug, Default)]
pub(crate) struct Codec(BallistaLogicalExtensionCodec);

impl LogicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[LogicalPlan],
        context: &TaskContext,
    ) -> Result<Extension> {
        self.0.try_decode(bytes, inputs, context)
    }

    fn try_encode(&self, node: &Extension, bytes: &mut Vec<u8>) -> Result<()> {
        self.0.try_encode(node, bytes)
    }

    fn try_decode_table_provider(
        &self,
        bytes: &[u8],
        _: &TableReference,
        _: SchemaRef,
        _: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        match Events::from_bytes(bytes) {
            Some(events) => Ok(Arc::new(events)),
            None => exec_err!("a table that is no history of this version of seawall"),
        }
    }

    fn try_encode_table_provider(
        &self,
        name: &TableReference,
        table: Arc<dyn TableProvider>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let table: &dyn std::any::Any = &*table;
        match table.downcast_ref::<Events>() {
            Some(events) => {
                bytes.extend_from_slice(&events.to_bytes());
                Ok(())
            }
            None => exec_err!("the table `{name}` cannot be sent to a cluster"),
        }
    }

    fn try_decode_file_format(
        &self,
        bytes: &[u8],
        context: &TaskContext,
    ) -> Result<Arc<dyn FileFormatFactory>> {
        self.0.try_decode_file_format(bytes, context)
    }

    fn try_encode_file_format(
        &self,
        bytes: &mut Vec<u8>,
        format: Arc<dyn FileFormatFactory>,
    ) -> Result<()> {
        self.0.try_encode_file_format(bytes, format)
    }

    fn try_decode_udf(&self, name: &str, bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
        self.0.try_decode_udf(name, bytes)
    }

    fn try_decode_udaf(&self, name: &str, bytes: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.0.try_decode_udaf(name, bytes)
    }
}
