//! The table `events`: the data files that a snapshot of a history names, and no others.
//!
//! Files of other days and clusters than those that are asked for are left out before anything of them is read; what is
//! in a file is left out by Parquet's statistics.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use object_store::path::{Path, PathPart};
use serde_json::{Value, json};

use crate::commit::{DataFile, Snapshot};
use crate::root::Root;
use crate::rows::{PARTITION, SCHEMA};

const DAY: i64 = 86_400_000_000;

/// The table.
#[derive(Debug)]
pub(crate) struct Events {
    url: ObjectStoreUrl,
    prefix: Path,
    files: Vec<DataFile>,
    schema: TableSchema,
}

impl Events {
    pub(crate) fn new(root: &Root, snapshot: &Snapshot) -> Self {
        Self::of(
            root.url.clone(),
            root.prefix.clone(),
            snapshot.files.clone(),
        )
    }

    fn of(url: ObjectStoreUrl, prefix: Path, files: Vec<DataFile>) -> Self {
        Self {
            url,
            prefix,
            files,
            schema: TableSchema::builder(Arc::clone(&SCHEMA))
                .with_table_partition_cols(PARTITION.clone())
                .build(),
        }
    }

    /// For another process.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| json!([file.path, file.cluster, file.day, file.rows, file.bytes]))
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "url": self.url.as_str(),
            "prefix": self.prefix.as_ref(),
            "files": files,
        })
        .to_string()
        .into_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        if value.get("version")?.as_str()? != env!("CARGO_PKG_VERSION") {
            return None;
        }
        let url = ObjectStoreUrl::parse(value.get("url")?.as_str()?).ok()?;
        let files = value.get("files")?.as_array()?.iter().map(|file| {
            let day = file.get(2)?;
            Some(DataFile {
                path: file.get(0)?.as_str()?.to_owned(),
                cluster: file.get(1)?.as_str()?.to_owned(),
                day: day.as_i64().and_then(|day| i32::try_from(day).ok()),
                rows: file.get(3)?.as_u64()?,
                bytes: file.get(4)?.as_u64()?,
            })
        });
        let files = files.collect::<Option<_>>()?;
        let prefix = Path::parse(value.get("prefix")?.as_str()?).ok()?;
        Some(Self::of(url, prefix, files))
    }

    /// The files that may hold what is asked for.
    fn chosen(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&DataFile>> {
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(self.files.iter().collect());
        };
        let schema = DFSchema::try_from(self.schema())?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let predicate = PruningPredicateBuilder::new()
            .with_file_schema(self.schema())
            .try_build(filter)?;
        let may = predicate.prune(&Files(&self.files))?;
        let files = self.files.iter().zip(may);
        Ok(files
            .filter_map(|(file, may)| may.then_some(file))
            .collect())
    }
}

/// What is known of files without reading them.
struct Files<'f>(&'f [DataFile]);

impl Files<'_> {
    fn edge(&self, column: &str, last: bool) -> Option<ArrayRef> {
        let days = || self.0.iter().map(|file| file.day);
        match column {
            "cluster" => {
                let clusters = self.0.iter().map(|file| Some(file.cluster.as_str()));
                Some(Arc::new(clusters.collect::<StringArray>()))
            }
            "day" => Some(Arc::new(days().collect::<Date32Array>())),
            "time" => {
                let moment = days().map(|day| {
                    let start = i64::from(day?) * DAY;
                    Some(if last { start + DAY - 1 } else { start })
                });
                let moments: TimestampMicrosecondArray = moment.collect();
                Some(Arc::new(moments.with_timezone("UTC")))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for Files<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.edge(&column.name, false)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.edge(&column.name, true)
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        // A file is of one day, or all of its events have no time.
        matches!(column.name.as_str(), "day" | "time").then(|| {
            let nulls = self.0.iter().map(|file| match file.day {
                Some(_) => Some(0),
                None => Some(file.rows),
            });
            Arc::new(nulls.collect::<UInt64Array>()) as ArrayRef
        })
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.0.iter().map(|file| Some(file.rows));
        Some(Arc::new(rows.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let chosen = self.chosen(state, filters)?;
        let groups = grouped(chosen, state.config().target_partitions());
        let groups = groups.into_iter().map(|files| {
            let files = files.into_iter().map(|file| self.partitioned(file));
            FileGroup::new(files.collect())
        });
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let config = FileScanConfigBuilder::new(self.url.clone(), source)
            .with_file_groups(groups.collect())
            .with_projection_indices(projection.cloned())?
            // What a filter leaves out must not count.
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

impl Events {
    fn partitioned(&self, file: &DataFile) -> PartitionedFile {
        let below = file.path.split('/').map(PathPart::from);
        let path: Path = self.prefix.parts().chain(below).collect();
        let values = vec![
            ScalarValue::Utf8(Some(file.cluster.clone())),
            ScalarValue::Date32(file.day),
        ];
        let mut one = PartitionedFile::new("", file.bytes).with_partition_values(values);
        // As it is: what makes a path of a text writes letters down otherwise.
        one.object_meta.location = path;
        one
    }
}

/// Files in groups of about the same size, at most so many.
fn grouped(mut files: Vec<&DataFile>, most: usize) -> Vec<Vec<&DataFile>> {
    files.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    let mut groups: BTreeMap<usize, (u64, Vec<&DataFile>)> = BTreeMap::new();
    for file in files {
        let number = if groups.len() < most.max(1) {
            groups.len()
        } else {
            let least = groups.iter().min_by_key(|(_, (bytes, _))| *bytes);
            least.map(|(number, _)| *number).unwrap_or_default()
        };
        let (bytes, group) = groups.entry(number).or_default();
        *bytes += file.bytes;
        group.push(file);
    }
    groups.into_values().map(|(_, group)| group).collect()
}
