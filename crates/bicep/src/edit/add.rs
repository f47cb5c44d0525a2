//! A new resource behind the one that it stands beside: its symbolic name, references by the symbolic names of others,
//! and the condition under which the other is made.

use std::ops::Range;

use crate::addition::{Addition, Given, Part, Piece, Seat, Target, elsewhere, of_subscription};
use crate::declaration::Declare;
use crate::syntax::{
    ExpressionKind, ObjectItem, Program, ResourceDeclaration, Statement, StatementKind, escape,
};

use super::draft::Splice;
use super::find::range;
use super::layout::Lines;
use super::plan::lookup;
use super::write;

/// What is written, and what it must be when it is read again.
pub(super) struct Planned {
    pub(super) splice: Splice,
    /// Its symbolic name.
    pub(super) symbol: String,
    /// `'TYPE@VERSION'`
    pub(super) kind: String,
}

/// Plans the statement of an addition. `place` gives the present place of one of the first text.
pub(super) fn plan(
    text: &str,
    program: &Program<'_>,
    addition: &Addition,
    file: &str,
    place: &dyn Fn(&Range<usize>) -> Option<Range<usize>>,
) -> Result<Planned, String> {
    let first = addition.targets.first().ok_or("it stands beside nothing")?;
    let at = first.place_in(file).ok_or_else(|| elsewhere(first))?;
    let at = place(at).ok_or("an earlier change of the file replaces what it is about")?;
    let statement = program
        .statements
        .iter()
        .find(|statement| holds(&range(statement.span), &at))
        .ok_or_else(|| format!("`{}` is not declared by a resource of the file", first.name))?;
    let StatementKind::Resource(beside) = &statement.kind else {
        return Err(format!(
            "`{}` is made by something else than a resource of the file",
            first.name
        ));
    };
    let condition = match beside.value.inner().kind {
        ExpressionKind::For(_) => {
            return Err(format!(
                "`{}` is made in a loop: add the resource there",
                first.name
            ));
        }
        ExpressionKind::If(of) => {
            let condition = text.get(range(of.condition.span)).unwrap_or_default();
            format!("if ({}) ", condition.trim())
        }
        _ => String::new(),
    };
    let lines = Lines::new(text, program);
    let style = lines.style_of_file();
    let writer = Writer {
        text,
        program,
        addition,
        file,
        place,
        line: style.line,
        unit: &style.unit,
    };
    let symbol = writer.symbol(beside);
    let kind = format!("{}@{}", addition.kind, addition.api_version);
    let mut out = String::new();
    for line in &addition.comment {
        out.push_str(&format!("// {line}{}", style.line));
    }
    out.push_str(&format!(
        "resource {symbol} {} = {condition}{{",
        write::string(&kind)
    ));
    for entry in writer.entries()? {
        out.push_str(style.line);
        out.push_str(&style.unit);
        out.push_str(&entry);
    }
    out.push_str(style.line);
    out.push('}');
    let end = lines
        .rest_of_line(statement.span.end as usize)
        .ok_or("something follows the resource on its line")?;
    // What follows stays apart from it.
    let rest = text.get(end..).unwrap_or_default();
    let next = rest.strip_prefix(style.line).unwrap_or_default();
    let next = next.lines().next().unwrap_or_default();
    let gap = if next.trim().is_empty() {
        ""
    } else {
        style.line
    };
    Ok(Planned {
        splice: Splice {
            start: end,
            end,
            text: format!("{}{}{out}{gap}", style.line, style.line),
        },
        symbol,
        kind,
    })
}

/// Whether the statement that was planned stands in a program.
pub(super) fn stands(program: &Program<'_>, planned: &Planned) -> bool {
    program.statements.iter().any(|statement| {
        let StatementKind::Resource(of) = &statement.kind else {
            return false;
        };
        of.name.name == planned.symbol && type_of(of) == Some(planned.kind.as_str())
    })
}

fn type_of<'a>(of: &ResourceDeclaration<'a>) -> Option<&'a str> {
    of.ty.as_str()
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

struct Writer<'w, 'a> {
    text: &'w str,
    program: &'w Program<'a>,
    addition: &'w Addition,
    file: &'w str,
    place: &'w dyn Fn(&Range<usize>) -> Option<Range<usize>>,
    line: &'static str,
    unit: &'w str,
}

impl<'a> Writer<'_, 'a> {
    /// A name that the file does not have yet: `aksLock`.
    fn symbol(&self, beside: &ResourceDeclaration<'_>) -> String {
        let mut wanted = beside.name.name.to_owned();
        let mut letters = self.addition.symbol.chars();
        wanted.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        wanted.extend(letters);
        let taken = |name: &str| {
            let mut statements = self.program.statements.iter();
            statements.any(|statement| declares(statement, name))
        };
        crate::addition::free(&wanted, taken)
    }

    fn target(&self, number: usize) -> Result<&Target, String> {
        let targets = &self.addition.targets;
        Ok(targets.get(number).ok_or("it refers to nothing")?)
    }

    /// The declaration of a target in this file, with the names that lead to it.
    fn declared(&self, target: &Target) -> Option<(String, ResourceDeclaration<'a>)> {
        let place = (self.place)(target.place_in(self.file)?)?;
        let mut names: Vec<&str> = Vec::new();
        let mut next = self
            .program
            .statements
            .iter()
            .find(|statement| holds(&range(statement.span), &place));
        // The reader bounds how deep resources are nested.
        while let Some(statement) = next {
            let StatementKind::Resource(of) = statement.kind else {
                return None;
            };
            if matches!(of.value.inner().kind, ExpressionKind::For(_)) {
                return None;
            }
            names.push(of.name.name);
            if range(statement.span) == place {
                return Some((names.join("::"), of));
            }
            next = of.value.body()?.items.iter().find_map(|item| match item {
                ObjectItem::Resource(inner) => holds(&range(inner.span), &place).then_some(*inner),
                _ => None,
            });
        }
        None
    }

    fn symbol_of(&self, number: usize) -> Result<String, String> {
        let target = self.target(number)?;
        let declared = self.declared(target);
        let (symbol, _) = declared.ok_or_else(|| elsewhere(target))?;
        Ok(symbol)
    }

    /// What a target says, as an expression or as a literal.
    fn part(&self, number: usize, part: Part) -> Result<Said, String> {
        let target = self.target(number)?;
        let Some((symbol, of)) = self.declared(target) else {
            return match (part, target.literal_id()) {
                (Part::Id, Some(id)) => Ok(Said::Literal(id.to_owned())),
                _ => Err(elsewhere(target)),
            };
        };
        Ok(Said::Expression(match part {
            Part::Id => format!("{symbol}.id"),
            Part::Name => format!("{symbol}.name"),
            // Only ids, names and types of others are known when a deployment begins.
            Part::Location => {
                let location = of.value.body().and_then(|object| {
                    let (found, _) = lookup(&object, "location");
                    found.map(|(_, property)| property.value.span)
                });
                let said = location.and_then(|span| self.text.get(range(span)));
                said.ok_or_else(|| format!("`{}` says no location", target.name))?
                    .to_owned()
            }
        }))
    }

    fn entries(&self) -> Result<Vec<String>, String> {
        let mut entries = Vec::new();
        match self.addition.seat {
            Seat::Deployment => {}
            Seat::Subscription => return Err(of_subscription(self.addition)),
            Seat::Patch(_) => return Err("it says more of a resource".to_owned()),
            Seat::Child(at) => entries.push(format!("parent: {}", self.symbol_of(at)?)),
            Seat::Extension(at) => entries.push(format!("scope: {}", self.symbol_of(at)?)),
        }
        entries.push(format!("name: {}", self.words(&self.addition.name)?));
        for (key, value) in &self.addition.body {
            entries.push(self.entry(key, value, self.unit)?);
        }
        Ok(entries)
    }

    fn entry(&self, key: &str, value: &Given, indent: &str) -> Result<String, String> {
        Ok(format!(
            "{}: {}",
            write::key(key),
            self.value(value, indent)?
        ))
    }

    fn value(&self, value: &Given, indent: &str) -> Result<String, String> {
        let inner = format!("{indent}{}", self.unit);
        let block = |open: char, close: char, items: Vec<String>| {
            let mut out = String::from(open);
            for item in &items {
                out.push_str(self.line);
                out.push_str(&inner);
                out.push_str(item);
            }
            if !items.is_empty() {
                out.push_str(self.line);
                out.push_str(indent);
            }
            out.push(close);
            out
        };
        Ok(match value {
            Given::Text(pieces) => self.words(pieces)?,
            Given::Scalar(scalar) => write::value(scalar, indent, &write::Style::flat())
                .map_err(|refusal| refusal.to_string())?,
            Given::List(items) => {
                let items = items.iter().map(|item| self.value(item, &inner));
                block('[', ']', items.collect::<Result<_, _>>()?)
            }
            Given::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| self.entry(key, value, &inner));
                block('{', '}', entries.collect::<Result<_, _>>()?)
            }
        })
    }

    /// A text with what it refers to.
    fn words(&self, pieces: &[Piece]) -> Result<String, String> {
        if let [Piece::Of(number, part)] = pieces {
            return Ok(match self.part(*number, *part)? {
                Said::Expression(expression) => expression,
                Said::Literal(text) => write::string(&text),
            });
        }
        let mut out = String::from("'");
        for piece in pieces {
            match piece {
                Piece::Text(text) => escape(&mut out, text),
                Piece::Of(number, part) => match self.part(*number, *part)? {
                    Said::Expression(expression) => out.push_str(&format!("${{{expression}}}")),
                    Said::Literal(text) => escape(&mut out, &text),
                },
            }
        }
        out.push('\'');
        Ok(out)
    }
}

/// How something is said.
enum Said {
    Expression(String),
    Literal(String),
}

/// What changes the declaration of the parameter whose name stands at a place; nothing inside where it is so already,
/// nothing at all where there is none.
pub(super) fn declare(
    text: &str,
    program: &Program<'_>,
    place: &Range<usize>,
    act: Declare,
) -> Option<Option<Splice>> {
    let (statement, of) = program.statements.iter().find_map(|statement| {
        let StatementKind::Parameter(of) = statement.kind else {
            return None;
        };
        holds(&range(statement.span), place).then_some((statement, of))
    })?;
    match act {
        Declare::Secure => {
            let is_secure = statement.decorators.iter().any(|decorator| {
                let said = text.get(range(decorator.span)).unwrap_or_default();
                said.contains("secure(")
            });
            let lines = Lines::new(text, program);
            let at = statement.keyword.start as usize;
            let line = lines.style_of_file().line;
            Some((!is_secure).then(|| Splice {
                start: at,
                end: at,
                text: format!("@secure(){line}{}", lines.indent(at)),
            }))
        }
        Declare::NoDefault => {
            let Some(default) = of.default else {
                return Some(None);
            };
            let before = text.get(..default.span.start as usize)?;
            let before = before.trim_end().strip_suffix('=')?.trim_end();
            Some(Some(Splice {
                start: before.len(),
                end: default.span.end as usize,
                text: String::new(),
            }))
        }
    }
}

/// Whether a statement gives something that name.
fn declares(statement: &Statement<'_>, name: &str) -> bool {
    let own = match &statement.kind {
        StatementKind::Parameter(of) => of.name.name,
        StatementKind::Variable(of) => of.name.name,
        StatementKind::Resource(of) => of.name.name,
        StatementKind::Module(of) => of.name.name,
        StatementKind::Output(of) => of.name.name,
        StatementKind::Function(of) => of.name.name,
        StatementKind::Type(of) => of.name.name,
        _ => return false,
    };
    own == name
}
