//! `src,dst,conn`: one row for each pair between which something surely passes.
//!
//! With `--expand` a pair is one of workloads, else one of classes, named by their first workload and
//! how many others there are. Addresses that are treated alike are one range.
//!
//! Rows from addresses are what policies let in. Where the internet is asked about (`--from internet`) its
//! rows are what leads from there, with three more columns: `way`, `front` (the ports of clients) and
//! `certain` (`sure` or `perhaps`).

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use ::analysis::reach::{Conn, ConnId, End, Matrix, Ranges, Reach, address};

use super::ways::{self, Ways};
use super::{Question, summary};

/// Something with a row or a column: its name, and its number in the matrix.
struct Side {
    /// where it stands among workloads, for leaving out a workload with itself
    own: usize,
    number: usize,
    label: String,
}

/// A range of addresses, ascending.
struct Span {
    first: u128,
    last: u128,
    number: usize,
    source: bool,
    target: bool,
}

pub(crate) fn write(question: &Question<'_>, out: &mut impl Write) -> io::Result<()> {
    let reach = question.reach;
    let (sources, targets) = sides(question);
    let spans = spans(question);
    let mut matrix = reach.matrix();
    let mut texts = Texts::default();
    let mut kept = Kept::new(reach);
    let more = if question.names_internet() {
        writeln!(out, "src,dst,conn,way,front,certain")?;
        ",,,sure"
    } else {
        writeln!(out, "src,dst,conn")?;
        ""
    };
    let mut open = 0_u64;
    for source in &sources {
        let row = kept.row(&mut matrix, source.number);
        for target in &targets {
            if question.expand && source.own == target.own {
                continue;
            }
            let Some(id) = row.get(target.number) else {
                continue;
            };
            if *id == ConnId::NONE {
                continue;
            }
            match texts.of(question, &matrix, *id) {
                Text::Sure(conn) => {
                    out.write_all(source.label.as_bytes())?;
                    out.write_all(b",")?;
                    out.write_all(target.label.as_bytes())?;
                    out.write_all(b",")?;
                    out.write_all(conn.as_bytes())?;
                    out.write_all(more.as_bytes())?;
                    out.write_all(b"\n")?;
                }
                Text::Open => open += 1,
                Text::None => {}
            }
        }
        for (range, id) in merged(&spans, |span| span.target, |span| row.get(span.number)) {
            match texts.of(question, &matrix, id) {
                Text::Sure(conn) => {
                    writeln!(out, "{},{range}[External],{conn}{more}", source.label)?;
                }
                Text::Open => open += 1,
                Text::None => {}
            }
        }
    }
    open += inbound(
        question,
        &mut matrix,
        &mut texts,
        &targets,
        &spans,
        more,
        out,
    )?;
    let unled = from_internet(question, out)?;
    out.flush()?;
    let mut stderr = anstream::stderr().lock();
    if open > 0 {
        writeln!(
            stderr,
            "note: between {} something passes or not, depending on what was\n  not given; `--format json` lists them",
            summary::count(open as usize, "more pair")
        )?;
    }
    if unled > 0 {
        writeln!(
            stderr,
            "note: policies let {} in to {}, but nothing that was\n  given leads there; `--format json` lists them",
            ways::who(question),
            summary::count(unled, "more workload")
        )?;
    }
    Ok(())
}

/// Rows from the internet where it is asked about; how many workloads policies would let it in to, and
/// nothing leads there.
fn from_internet(question: &Question<'_>, out: &mut impl Write) -> io::Result<usize> {
    if !question.names_internet() || !question.asks_for_ways() {
        return Ok(0);
    }
    let reach = question.reach;
    let found = question.ways();
    let ways = Ways::of(found.iter());
    let mut led = BTreeSet::new();
    for (one, certain) in ways
        .sure
        .iter()
        .map(|one| (one, "sure"))
        .chain(ways.perhaps.iter().map(|one| (one, "perhaps")))
    {
        led.insert(one.workload);
        let label = reach.workloads().get(one.workload).map(|one| one.label());
        let conn = question.asked(if one.open.sure.is_empty() {
            &one.open.may
        } else {
            &one.open.sure
        });
        writeln!(
            out,
            "{},{},{},{},{},{certain}",
            quoted(&ways::who(question)),
            quoted(&label.unwrap_or_default()),
            quoted(&conn.to_string()),
            quoted(&ways::through(question.estate, one)),
            quoted(&ways::front(one)),
        )?;
    }
    let mut lets_in: HashMap<usize, bool> = HashMap::new();
    let unled = reach
        .workloads()
        .iter()
        .enumerate()
        .filter(|(at, one)| question.is_target(one) && !led.contains(at))
        .filter(|(_, one)| {
            *lets_in
                .entry(one.class)
                .or_insert_with(|| !ways::let_in(question, one.class).is_none())
        })
        .count();
    Ok(unled)
}

/// Rows from addresses to workloads.
fn inbound(
    question: &Question<'_>,
    matrix: &mut Matrix<'_>,
    texts: &mut Texts,
    targets: &[Side],
    spans: &[Span],
    more: &str,
    out: &mut impl Write,
) -> io::Result<u64> {
    let mut open = 0;
    let mut rows: HashMap<usize, Vec<ConnId>> = HashMap::new();
    for span in spans.iter().filter(|span| span.source) {
        rows.entry(span.number).or_insert_with(|| {
            let row = matrix.from(span.number);
            // Only workloads are asked about.
            targets
                .iter()
                .map(|target| row.get(target.number).copied().unwrap_or(ConnId::NONE))
                .collect()
        });
    }
    for (at, target) in targets.iter().enumerate() {
        let of = |span: &Span| rows.get(&span.number).and_then(|row| row.get(at));
        for (range, id) in merged(spans, |span| span.source, of) {
            match texts.of(question, matrix, id) {
                Text::Sure(conn) => {
                    writeln!(out, "{range}[External],{},{conn}{more}", target.label)?;
                }
                Text::Open => open += 1,
                Text::None => {}
            }
        }
    }
    Ok(open)
}

/// Neighbouring ranges with one connection as one.
fn merged<'i>(
    spans: &[Span],
    asked: impl Fn(&Span) -> bool,
    conn: impl Fn(&Span) -> Option<&'i ConnId>,
) -> Vec<(String, ConnId)> {
    let mut found: Vec<(u128, u128, ConnId)> = Vec::new();
    for span in spans {
        let Some(id) = conn(span)
            .copied()
            .filter(|id| asked(span) && *id != ConnId::NONE)
        else {
            continue;
        };
        match found.last_mut() {
            Some((_, last, known)) if *known == id && last.checked_add(1) == Some(span.first) => {
                *last = span.last;
            }
            _ => found.push((span.first, span.last, id)),
        }
    }
    found
        .into_iter()
        .map(|(first, last, id)| {
            let set = Ranges::of(first, last);
            (address::spans(&set).next().unwrap_or_default(), id)
        })
        .collect()
}

/// The sources and the targets, workload by workload or class by class.
fn sides(question: &Question<'_>) -> (Vec<Side>, Vec<Side>) {
    let reach = question.reach;
    let (mut sources, mut targets) = (Vec::new(), Vec::new());
    let mut add = |own: usize, workload, label: String, others: bool| {
        let number = reach.number(reach.end_of(workload));
        let side = |label| Side { own, number, label };
        if others || question.is_source(workload) {
            sources.push(side(label.clone()));
        }
        if others || question.is_target(workload) {
            targets.push(side(label));
        }
    };
    if question.expand {
        for (own, workload) in reach.workloads().iter().enumerate() {
            add(own, workload, quoted(&workload.label()), false);
        }
        return (sources, targets);
    }
    for (class, workload, label) in classes(question.reach) {
        add(class, workload, quoted(&label), false);
    }
    (sources, targets)
}

/// Each class by its first workload, and how many others there are.
pub(super) fn classes(reach: &Reach) -> Vec<(usize, &::analysis::reach::Workload, String)> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for workload in reach.workloads() {
        if seen.insert(workload.class) {
            let others = reach.members(workload.class).count().saturating_sub(1);
            let label = match others {
                0 => workload.label(),
                others => format!("{} +{others}", workload.label()),
            };
            found.push((workload.class, workload, label));
        }
    }
    found
}

fn spans(question: &Question<'_>) -> Vec<Span> {
    let reach = question.reach;
    let mut found = Vec::new();
    for (number, end) in reach.ends() {
        let addresses = reach.addresses(end);
        let (source, target) = (
            Question::names(&question.from, end, addresses)
                && !(question.names_internet() && question.is_internet(end)),
            Question::names(&question.to, end, addresses),
        );
        if !matches!(end, End::External(_)) || !(source || target) {
            continue;
        }
        for (first, last) in addresses.map(Ranges::parts).unwrap_or_default() {
            found.push(Span {
                first: *first,
                last: *last,
                number,
                source,
                target,
            });
        }
    }
    found.sort_by_key(|span| span.first);
    found
}

enum Text<'t> {
    None,
    Open,
    Sure(&'t str),
}

/// The text of each connection, made once.
#[derive(Default)]
struct Texts(Vec<Option<(bool, String)>>);

impl Texts {
    fn of(&mut self, question: &Question<'_>, matrix: &Matrix<'_>, id: ConnId) -> Text<'_> {
        let at = id.index();
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        let Some(slot) = self.0.get_mut(at) else {
            return Text::None;
        };
        let (open, text) = slot.get_or_insert_with(|| {
            let Conn { sure, may } = matrix.conn(id);
            let (sure, may) = (question.asked(&sure), question.asked(&may));
            let text = if sure.is_empty() {
                String::new()
            } else {
                quoted(&sure.to_string())
            };
            (!may.minus(&sure).is_empty(), text)
        });
        match (text.is_empty(), *open) {
            (false, _) => Text::Sure(text),
            (true, true) => Text::Open,
            (true, false) => Text::None,
        }
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Rows of classes with several workloads, which are asked for several times.
struct Kept {
    several: Vec<bool>,
    rows: HashMap<usize, Vec<ConnId>>,
    room: usize,
    last: Vec<ConnId>,
}

impl Kept {
    fn new(reach: &Reach) -> Self {
        let mut several = Vec::new();
        for workload in reach.workloads() {
            let number = reach.number(reach.end_of(workload));
            if several.len() <= number {
                several.resize(number + 1, false);
            }
            if let Some(slot) = several.get_mut(number) {
                *slot = reach.members(workload.class).nth(1).is_some();
            }
        }
        Self {
            several,
            rows: HashMap::new(),
            // Cells of four bytes.
            room: 16 << 20,
            last: Vec::new(),
        }
    }

    fn row(&mut self, matrix: &mut Matrix<'_>, number: usize) -> &[ConnId] {
        let several = self.several.get(number).copied().unwrap_or(false);
        if several && !self.rows.contains_key(&number) {
            let row = matrix.from(number);
            if let Some(room) = self.room.checked_sub(row.len()) {
                self.room = room;
                self.rows.insert(number, row);
            }
        }
        match self.rows.get(&number) {
            Some(row) => row,
            None => {
                self.last = matrix.from(number);
                &self.last
            }
        }
    }
}
