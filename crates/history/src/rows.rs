//! An event as a row: what people ask about in columns of their own, and its text, so that nothing is lost.
//!
//! A column is null where the record does not say it; which of these are cut rather than absent tells `cut`, the first
//! field that is not all there.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use audit::{Asked, DECISION, Event, Field as Said, Json, Kept, REASON, Record, What};
use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

/// What a column is for.
type Column = (&'static str, DataType, &'static str);

fn text() -> DataType {
    DataType::Utf8
}

fn texts() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The columns of a data file, in order.
static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    vec![
        (
            "time",
            moment(),
            "when the stage was reached, else when the request came",
        ),
        ("received", moment(), "when the request came"),
        (
            "kind",
            text(),
            "`event`, or `activity` for the activity log of Azure",
        ),
        ("stage", text(), "`ResponseComplete` …"),
        ("level", text(), "`Metadata`, `Request`, `RequestResponse`"),
        ("verb", text(), "`get`, `create` …"),
        (
            "username",
            text(),
            "who asked, as authentication named them",
        ),
        ("user_groups", texts(), "their groups"),
        (
            "impersonated",
            text(),
            "as whom they acted, where that is somebody else",
        ),
        (
            "source_ips",
            texts(),
            "from where; the first is what the client said",
        ),
        ("user_agent", text(), "with which program, as it said"),
        ("namespace", text(), "of what was asked for"),
        ("resource", text(), "`pods`"),
        ("subresource", text(), "`exec`"),
        (
            "api_group",
            text(),
            "of the resource, empty in the core group",
        ),
        ("name", text(), "of the object"),
        ("uri", text(), "the path and query"),
        ("code", DataType::Int64, "the HTTP status of the answer"),
        ("reason", text(), "why it failed: `Forbidden`"),
        (
            "decision",
            text(),
            "`allow` or `forbid`, as authorization noted it",
        ),
        ("decision_reason", text(), "which binding allowed it"),
        (
            "audit_id",
            text(),
            "of the request; whoever asks may choose it",
        ),
        (
            "cut",
            text(),
            "the first field that the record ends in; null for whole ones",
        ),
        ("damaged", DataType::Boolean, "no JSON from some place on"),
        (
            "is_copy",
            DataType::Boolean,
            "was there before, word for word as far as it matters",
        ),
        (
            "is_first",
            DataType::Boolean,
            "no other stage of the request was there before",
        ),
        (
            "event_key",
            DataType::UInt64,
            "the same for copies of an event",
        ),
        (
            "request_key",
            DataType::UInt64,
            "the same for all stages of a request",
        ),
        ("category", text(), "`kube-audit`, where the sink says it"),
        (
            "resource_id",
            text(),
            "the Azure resource of the cluster, where the sink says it",
        ),
        ("collected", text(), "when the sink had it, as it wrote it"),
        ("source", text(), "the file that it was read from"),
        ("line", DataType::UInt64, "its line there"),
        ("event", text(), "the record's text"),
        (
            "raw",
            DataType::Binary,
            "the record's bytes, where they are no UTF-8",
        ),
    ]
});

/// What the path of a data file tells: its partition.
pub(crate) static PARTITION: LazyLock<Vec<FieldRef>> = LazyLock::new(|| {
    vec![
        Arc::new(Field::new("cluster", DataType::Utf8, false)),
        Arc::new(Field::new("day", DataType::Date32, true)),
    ]
});

/// The schema of a data file.
pub(crate) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = COLUMNS
        .iter()
        .map(|(name, kind, _)| Field::new(*name, kind.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
});

/// All columns of the table `events`, with what they are for.
pub fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    let partition = [
        ("cluster", "the name of the cluster"),
        ("day", "the day of `time`, in UTC"),
    ];
    let own = COLUMNS.iter().map(|(name, _, what)| (*name, *what));
    own.chain(partition)
}

/// The cluster and the day, in days since 1970.
pub(crate) type Partition = (String, Option<i32>);

const DAY: i64 = 86_400_000_000;

/// Where a record belongs. `unnamed` is the cluster of records that name none.
pub(crate) fn partition(record: &Record<'_>, unnamed: &str) -> Partition {
    let kept = Kept::of(record);
    let cluster = match kept.resource {
        // `…/managedClusters/NAME`, in capitals from some sinks.
        Some(id) => id.rsplit('/').next().unwrap_or(id).to_lowercase(),
        None => unnamed.to_owned(),
    };
    let day = record
        .at
        .and_then(|at| i32::try_from(at.div_euclid(DAY)).ok());
    (cluster, day)
}

/// A cell of a row.
enum Cell<'r> {
    Text(Option<Cow<'r, str>>),
    Texts(Option<Vec<Cow<'r, str>>>),
    Moment(Option<i64>),
    Number(Option<i64>),
    Count(Option<u64>),
    Flag(bool),
    Bytes(Option<&'r [u8]>),
}

impl<'r> Cell<'r> {
    fn text(text: Option<&'r str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }

    /// A text of a record, where it is known.
    fn said(field: Option<&'r audit::Text<'_>>) -> Self {
        let text = field.and_then(Said::known);
        Self::text(text.map(AsRef::as_ref))
    }

    /// The same where empty is as good as nothing.
    fn filled(text: Option<&'r str>) -> Self {
        Self::text(text.filter(|text| !text.is_empty()))
    }

    fn texts(list: Option<&Json<'r>>) -> Self {
        Self::Texts(list.map(|list| list.strings()))
    }
}

/// The cells of a record, in the order of [`COLUMNS`].
fn cells<'r>(
    record: &'r Record<'_>,
    kept: &'r Kept<'r>,
    asked: &'r Said<Asked<'r>>,
    place: (&'r str, u64),
) -> Vec<Cell<'r>> {
    let event = match &record.what {
        What::Event(event) => Some(*event),
        What::Activity(_) => None,
    };
    let object = match asked {
        Said::Known(Asked::Resource(object)) => Some(object),
        _ => None,
    };
    let user = event.and_then(|event| event.user.there());
    let acting = event.and_then(|event| event.impersonated.there());
    let response = event.and_then(|event| event.response.there());
    let keys = event.and_then(audit::kept::numbers);
    let received = event.and_then(|event| audit::time::micros(event.received.as_str()));
    let note = |key: &str| {
        let noted = event.map(|event| event.annotation(key));
        Cell::Text(match noted {
            Some(Said::Known(text)) => Some(text),
            _ => None,
        })
    };
    let text = String::from_utf8_lossy(&kept.text);
    let raw = matches!(text, Cow::Owned(_)).then_some(&*kept.text);
    vec![
        Cell::Moment(record.at),
        Cell::Moment(received),
        Cell::text(Some(if kept.activity { ACTIVITY } else { "event" })),
        Cell::said(event.map(|event| &event.stage)),
        Cell::said(event.map(|event| &event.level)),
        Cell::said(event.map(|event| &event.verb)),
        Cell::said(user.map(|user| &user.name)),
        Cell::texts(user.and_then(|user| user.groups.there())),
        Cell::said(acting.map(|user| &user.name)),
        Cell::texts(event.and_then(|event| event.source_ips.there())),
        Cell::said(event.map(|event| &event.user_agent)),
        Cell::filled(object.map(|object| &*object.namespace)),
        Cell::filled(object.map(|object| &*object.resource)),
        Cell::filled(object.map(|object| &*object.subresource)),
        Cell::text(object.map(|object| &*object.group)),
        Cell::filled(object.map(|object| &*object.name)),
        Cell::said(event.map(|event| &event.request_uri)),
        Cell::Number(response.and_then(|response| response.code.known().copied())),
        Cell::said(response.map(|response| &response.reason)),
        note(DECISION),
        note(REASON),
        Cell::said(event.map(|event| &event.audit_id)),
        Cell::text(event.and_then(Event::cut_at)),
        Cell::Flag(event.is_some_and(|event| event.damaged)),
        Cell::Flag(record.copy),
        Cell::Flag(record.first),
        Cell::Count(keys.map(|(_, event)| event)),
        Cell::Count(keys.map(|(request, _)| request)),
        Cell::text(kept.category),
        Cell::text(kept.resource),
        Cell::text(kept.collected),
        Cell::text(Some(place.0)),
        Cell::Count(Some(place.1)),
        Cell::Text(Some(text)),
        Cell::Bytes(raw),
    ]
}

/// A column that is being made.
#[derive(Debug)]
enum Maker {
    Text(StringBuilder),
    Texts(ListBuilder<StringBuilder>),
    Moment(TimestampMicrosecondBuilder),
    Number(Int64Builder),
    Count(UInt64Builder),
    Flag(BooleanBuilder),
    Bytes(BinaryBuilder),
}

impl Maker {
    fn of(kind: &DataType) -> Self {
        match kind {
            DataType::List(_) => Self::Texts(ListBuilder::new(StringBuilder::new())),
            DataType::Timestamp(..) => {
                Self::Moment(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            DataType::Int64 => Self::Number(Int64Builder::new()),
            DataType::UInt64 => Self::Count(UInt64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            DataType::Binary => Self::Bytes(BinaryBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn add(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Text(column), Cell::Text(text)) => column.append_option(text),
            (Self::Texts(column), Cell::Texts(list)) => {
                for text in list.iter().flatten() {
                    column.values().append_value(text);
                }
                column.append(list.is_some());
            }
            (Self::Moment(column), Cell::Moment(at)) => column.append_option(at),
            (Self::Number(column), Cell::Number(number)) => column.append_option(number),
            (Self::Count(column), Cell::Count(number)) => column.append_option(number),
            (Self::Flag(column), Cell::Flag(flag)) => column.append_value(flag),
            (Self::Bytes(column), Cell::Bytes(bytes)) => column.append_option(bytes),
            // Shorter than the others, so the batch is refused; a test makes a row of every kind.
            _ => {}
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Texts(column) => Arc::new(column.finish()),
            Self::Moment(column) => Arc::new(column.finish()),
            Self::Number(column) => Arc::new(column.finish()),
            Self::Count(column) => Arc::new(column.finish()),
            Self::Flag(column) => Arc::new(column.finish()),
            Self::Bytes(column) => Arc::new(column.finish()),
        }
    }
}

/// Rows that are being made.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<Maker>,
    pub(crate) count: usize,
    /// about how many bytes there are
    pub(crate) bytes: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            columns: COLUMNS.iter().map(|(_, kind, _)| Maker::of(kind)).collect(),
            count: 0,
            bytes: 0,
        }
    }
}

impl Rows {
    /// Adds a record, which stands in a line of a file.
    pub(crate) fn add(&mut self, record: &Record<'_>, source: &str, line: u64) {
        let kept = Kept::of(record);
        let asked = match &record.what {
            What::Event(event) => event.asked(),
            What::Activity(_) => Said::Absent,
        };
        let cells = cells(record, &kept, &asked, (source, line));
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.add(cell);
        }
        self.count += 1;
        // What stands in columns of its own stands in the text too.
        self.bytes += 2 * kept.text.len() + source.len() + 256;
    }

    /// What was added, as a batch.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.count = 0;
        self.bytes = 0;
        let columns = self.columns.iter_mut().map(Maker::finish).collect();
        RecordBatch::try_new(Arc::clone(&SCHEMA), columns)
    }
}

/// `kind` of what the activity log of Azure says.
pub(crate) const ACTIVITY: &str = "activity";
