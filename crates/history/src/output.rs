//! Answers as people and programs read them, a part at a time.

use std::io::{self, Write};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef, UInt64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use crate::error::{Error, to};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns, as wide as the first thousand rows need.
    Table,
    /// RFC 4180, with the names of columns.
    Csv,
    /// An object on each line.
    Json,
}

/// So many rows say how wide columns are.
const ROWS: usize = 1000;
/// No column of a table is wider, but for the last.
const WIDEST: usize = 60;

/// Where an answer goes.
pub(crate) struct Output<'o> {
    format: Format,
    schema: SchemaRef,
    out: &'o mut dyn Write,
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    rows: u64,
}

impl<'o> Output<'o> {
    pub(crate) fn new(format: Format, schema: SchemaRef, out: &'o mut dyn Write) -> Self {
        Self {
            format,
            schema,
            out,
            waiting: Vec::new(),
            widths: None,
            rows: 0,
        }
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if self.format == Format::Csv && self.rows == 0 {
            let names: Vec<String> = self.names();
            self.write(&csv(&names))?;
        }
        self.rows += batch.num_rows() as u64;
        if self.format == Format::Json {
            return self.json(batch);
        }
        let options = FormatOptions::default();
        let columns = batch.columns().iter();
        let cells: Vec<ArrayFormatter<'_>> = columns
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<_, _>>()
            .map_err(to("show the answer"))?;
        for row in 0..batch.num_rows() {
            let mut texts = Vec::with_capacity(cells.len());
            for cell in &cells {
                let text = cell.value(row).try_to_string();
                texts.push(text.map_err(to("show the answer"))?);
            }
            if self.format == Format::Csv {
                self.write(&csv(&texts))?;
            } else {
                self.row(texts)?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    fn json(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let names = self.names();
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (name, column) in names.iter().zip(batch.columns()) {
                object.insert(name.clone(), value(column, row, 0)?);
            }
            self.write(&format!("{}\n", Value::Object(object)))?;
        }
        Ok(())
    }

    /// A row of a table: what logs hold may not speak to the terminal.
    fn row(&mut self, texts: Vec<String>) -> Result<(), Error> {
        let plain = |text: String| -> String {
            let letters = text.chars();
            letters
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect()
        };
        self.waiting.push(texts.into_iter().map(plain).collect());
        if self.widths.is_some() || self.waiting.len() >= ROWS {
            self.show()?;
        }
        Ok(())
    }

    fn show(&mut self) -> Result<(), Error> {
        if self.widths.is_none() {
            let names = self.names();
            let mut widths = vec![0; names.len()];
            for row in self.waiting.iter().chain([&names]) {
                for (width, text) in widths.iter_mut().zip(row) {
                    *width = text.chars().count().min(WIDEST).max(*width);
                }
            }
            self.waiting.insert(0, names);
            self.widths = Some(widths);
        }
        let widths = self.widths.clone().unwrap_or_default();
        for row in std::mem::take(&mut self.waiting) {
            let last = row.len().saturating_sub(1);
            let mut line = String::new();
            for (number, (text, width)) in row.iter().zip(&widths).enumerate() {
                line.push_str(text);
                if number < last {
                    let missing = width.saturating_sub(text.chars().count());
                    line.extend(std::iter::repeat_n(' ', missing + 2));
                }
            }
            self.write(&format!("{}\n", line.trim_end()))?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<u64, Error> {
        match self.format {
            Format::Table => self.show()?,
            Format::Csv if self.rows == 0 => {
                let names = self.names();
                self.write(&csv(&names))?;
            }
            _ => {}
        }
        self.out.flush().map_err(to("write the answer"))?;
        Ok(self.rows)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        match self.out.write_all(text.as_bytes()) {
            // `| head` has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(to("write the answer")),
        }
    }
}

fn csv(cells: &[String]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        })
        .collect();
    format!("{}\r\n", cells.join(","))
}

/// Lists within lists beyond this are text.
const DEPTH: usize = 4;

/// A cell as JSON: numbers, flags and lists as such, everything else as text.
fn value(column: &ArrayRef, row: usize, depth: usize) -> Result<Value, Error> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let kind = column.data_type();
    let as_kind = |kind: &DataType| {
        let cell = column.slice(row, 1);
        cast(&cell, kind).map_err(to("show the answer"))
    };
    Ok(match kind {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::UInt64 => Value::from(column.as_primitive::<UInt64Type>().value(row)),
        kind if kind.is_integer() => {
            let cell = as_kind(&DataType::Int64)?;
            Value::from(cell.as_primitive::<Int64Type>().value(0))
        }
        kind if kind.is_floating() || matches!(kind, DataType::Decimal128(..)) => {
            let cell = as_kind(&DataType::Float64)?;
            Value::from(cell.as_primitive::<Float64Type>().value(0))
        }
        DataType::List(_) if depth < DEPTH => {
            let list = column.as_list::<i32>().value(row);
            let items = (0..list.len()).map(|item| value(&list, item, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        _ => {
            let options = FormatOptions::default();
            let cells = ArrayFormatter::try_new(column.as_ref(), &options);
            let cells = cells.map_err(to("show the answer"))?;
            let text = cells.value(row).try_to_string();
            Value::String(text.map_err(to("show the answer"))?)
        }
    })
}
