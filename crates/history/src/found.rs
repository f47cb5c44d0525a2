//! Detections as an aggregate function: what each part of a history says is bytes, and bytes merge.
//!
//! The function is called with what is asked and the columns that an event is made of again (`audit::kept`). Its value is
//! the state, which whoever asked reads; so it is the same here and in an executor.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use audit::Losses;
use audit::detect::{Detections, Detector};
use audit::{Fold, Kept};
use datafusion::arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_binary_array, as_boolean_array, as_string_array};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use guide::{Guide, Setting};

use crate::error::Error;
use crate::rows::ACTIVITY;

/// The function's name in plans.
pub(crate) const NAME: &str = "seawall_detections";

/// Its arguments behind what is asked: columns of `events`.
pub(crate) const COLUMNS: [&str; 8] = [
    "kind",
    "category",
    "resource_id",
    "collected",
    "event",
    "raw",
    "is_copy",
    "is_first",
];

type Held = Detector<'static>;

/// The guide that is asked, for as long as the process lives: a plan holds no borrowed things.
static GUIDE: OnceLock<(&'static Guide, &'static Setting)> = OnceLock::new();
static DETECTORS: LazyLock<Mutex<BTreeMap<String, &'static Held>>> = LazyLock::new(Mutex::default);

/// Which detections are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    key: String,
}

impl Asking {
    /// Says which guide is asked by this process, once and for all.
    ///
    /// # Errors
    /// When there is no setting for it.
    pub fn of_guide(
        guide: &'static Guide,
        setting: impl FnOnce(&'static Guide) -> std::result::Result<Setting, String>,
    ) -> std::result::Result<(), String> {
        let setting: &'static Setting = Box::leak(Box::new(setting(guide)?));
        GUIDE.get_or_init(|| (guide, setting));
        Ok(())
    }

    /// The guide that is asked.
    #[must_use]
    pub fn guide() -> Option<&'static Guide> {
        GUIDE.get().map(|(guide, _)| *guide)
    }

    /// These detections; with none, all.
    #[must_use]
    pub fn only(ids: &[String]) -> Self {
        let mut ids = ids.to_vec();
        ids.sort();
        ids.dedup();
        Self { key: ids.join(",") }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Reads what the function answered, or begins anew.
    pub(crate) fn read(
        &self,
        bytes: Option<&[u8]>,
    ) -> std::result::Result<(Detections<'static, 'static>, Losses), Error> {
        let detector = detector(&self.key).map_err(|why| Error::new(why.to_string()))?;
        match bytes {
            None => Ok((detector.start(), Losses::default())),
            Some(bytes) => detector
                .read(bytes)
                .map_err(|error| Error::new(error.to_string()).help("use one version everywhere")),
        }
    }
}

fn detector(key: &str) -> Result<&'static Held> {
    let Some((guide, setting)) = GUIDE.get() else {
        return exec_err!("this process was started without a guide");
    };
    let mut known = DETECTORS
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    if let Some(detector) = known.get(key) {
        return Ok(detector);
    }
    let ids: Vec<&str> = key.split(',').filter(|id| !id.is_empty()).collect();
    if let Some(id) = ids.iter().find(|id| guide.detection(id).is_none()) {
        return exec_err!("the guide has no detection `{id}`");
    }
    let detector = Detector::new(guide, setting, |detection| {
        ids.is_empty() || ids.contains(&&*detection.id)
    });
    // Kept for good: few selections are ever asked for, each once.
    let detector: &'static Held = Box::leak(Box::new(detector));
    known.insert(key.to_owned(), detector);
    Ok(detector)
}

/// The function.
pub(crate) fn function() -> Arc<AggregateUDF> {
    let text = DataType::Utf8;
    let mut kinds = vec![text; 6];
    kinds.extend([DataType::Binary, DataType::Boolean, DataType::Boolean]);
    Arc::new(AggregateUDF::new_from_impl(Function {
        signature: Signature::exact(kinds, Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    signature: Signature,
}

impl AggregateUDFImpl for Function {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(State { found: None }))
    }
}

/// What one part said so far; nothing before the first event.
struct State {
    found: Option<Part>,
}

struct Part {
    key: String,
    state: Detections<'static, 'static>,
    losses: Losses,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    fn bytes(&self) -> ScalarValue {
        let part = self.found.as_ref();
        ScalarValue::Binary(part.map(|part| {
            // What is asked goes along, since whoever merges sees bytes only.
            let mut bytes = part.key.clone().into_bytes();
            bytes.push(0);
            bytes.extend(part.state.to_bytes(&part.losses));
            bytes
        }))
    }
}

/// What was asked, and the answer.
pub(crate) fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    let key = std::str::from_utf8(bytes.get(..at)?).ok()?;
    Some((key, bytes.get(at + 1..)?))
}

impl Accumulator for State {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = Columns::of(values)?;
        if columns.asking.is_empty() {
            return Ok(());
        }
        let key = columns.asking.value(0);
        let part = match &mut self.found {
            Some(part) => part,
            None => self.found.insert(Part {
                key: key.to_owned(),
                state: detector(key)?.start(),
                losses: Losses::default(),
            }),
        };
        for row in 0..columns.asking.len() {
            columns.kept(row).fold(&mut part.state, &mut part.losses);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.bytes())
    }

    fn size(&self) -> usize {
        // What detections remember is bounded; this is about what it comes to for a large log.
        size_of_val(self) + (1 << 20)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.bytes()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else {
            return Ok(());
        };
        for bytes in as_binary_array(states)?.iter().flatten() {
            let Some((key, bytes)) = split(bytes) else {
                return exec_err!("what was found elsewhere cannot be read");
            };
            let read = detector(key)?.read(bytes);
            let (state, losses) =
                read.map_err(|error| DataFusionError::Execution(error.to_string()))?;
            match &mut self.found {
                Some(part) => {
                    part.state.merge(state);
                    part.losses.merge(losses);
                }
                None => {
                    self.found = Some(Part {
                        key: key.to_owned(),
                        state,
                        losses,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The arguments of some events.
struct Columns<'c> {
    asking: &'c StringArray,
    kind: &'c StringArray,
    /// category, resource, collected
    envelope: [&'c StringArray; 3],
    event: &'c StringArray,
    raw: &'c BinaryArray,
    copy: &'c BooleanArray,
    first: &'c BooleanArray,
}

impl<'c> Columns<'c> {
    fn of(values: &'c [ArrayRef]) -> Result<Self> {
        let [
            asking,
            kind,
            category,
            resource,
            collected,
            event,
            raw,
            copy,
            first,
        ] = values
        else {
            return exec_err!("{NAME} takes nine arguments");
        };
        Ok(Self {
            asking: as_string_array(asking)?,
            kind: as_string_array(kind)?,
            envelope: [
                as_string_array(category)?,
                as_string_array(resource)?,
                as_string_array(collected)?,
            ],
            event: as_string_array(event)?,
            raw: as_binary_array(raw)?,
            copy: as_boolean_array(copy)?,
            first: as_boolean_array(first)?,
        })
    }

    fn kept(&self, row: usize) -> Kept<'c> {
        let [category, resource, collected] = self
            .envelope
            .map(|column| (!column.is_null(row)).then(|| column.value(row)));
        Kept {
            activity: self.kind.value(row) == ACTIVITY,
            text: Cow::Borrowed(if self.raw.is_null(row) {
                self.event.value(row).as_bytes()
            } else {
                self.raw.value(row)
            }),
            category,
            resource,
            collected,
            copy: self.copy.value(row),
            first: self.first.value(row),
        }
    }
}
