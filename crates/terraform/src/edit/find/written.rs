//! Arguments that are written: a literal is changed where it stands, be it in the block, in the
//! default of a variable, in a file of variables, or in the call of a downloaded module.

use bicep::source::Span;
use bicep::value::Value;
use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Structure};
use yaml::edit::{Edit, Step, Value as Wish};

use super::{Finder, Here, Known, Plan, Planned, downloaded, wanted};
use crate::edit::Done;
use crate::edit::body::{Parsed, Place};
use crate::edit::expr::{self, Act};
use crate::edit::render::{New, Style, expression};
use crate::output::Resource;
use crate::table::Argument;

impl<'a> Finder<'_, 'a> {
    /// Sets, adds to or removes an argument of a block.
    #[expect(clippy::too_many_arguments, reason = "all of it says where")]
    pub(super) fn argument(
        &mut self,
        resource: &Resource<'a>,
        known: Known<'_>,
        here: &Here<'_, 'a>,
        written: &str,
        argument: &Argument,
        route: &[Step],
        act: &Act,
    ) -> Planned {
        let (_, parsed) = self.read(here.path)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        let attribute = block
            .body
            .attributes()
            .find(|attribute| argument.holds(attribute.key.as_str()));
        self.kept(resource, written, argument)?;
        let Some(attribute) = attribute else {
            if *act == Act::Remove {
                return Ok(None);
            }
            let name = self.name(known, written, argument)?;
            let new = New::Attribute(name, wanted(route, act)?);
            return Ok(Some(Plan {
                path: here.path.to_owned(),
                edit: self.insertion(here, &new)?,
                distance: 2,
                beside: None,
                switches: false,
            }));
        };
        let value = here
            .value
            .and_then(|value| value.get(attribute.key.as_str()));
        self.attribute(resource, here.path, block, attribute, value, route, act)
    }

    /// Changes an argument that is written.
    #[expect(clippy::too_many_arguments, reason = "all of it says where")]
    pub(super) fn attribute(
        &mut self,
        resource: &Resource<'a>,
        path: &str,
        block: &Block,
        attribute: &Attribute,
        value: Option<&Value<'a>>,
        route: &[Step],
        act: &Act,
    ) -> Planned {
        let text = self.text(path)?.pieces.text.clone();
        let plan = |edit: Edit, path: &str| Plan {
            path: path.to_owned(),
            edit,
            distance: 0,
            beside: None,
            switches: false,
        };
        let stays = self.stays(path);
        if route.is_empty() && *act == Act::Remove {
            if stays {
                return Err(downloaded(path));
            }
            let place = Place::new(&text, block).ok_or("its block is lost")?;
            let span = attribute.span().ok_or("the argument is lost")?;
            return Ok(Some(plan(place.remove(span), path)));
        }
        let computed = match expr::edit(&text, &attribute.value, route, act) {
            Ok(Some(_)) if stays => return Err(downloaded(path)),
            Ok(edit) => return Ok(edit.map(|edit| plan(edit, path))),
            Err(why) => format!("`{}`: {why}", attribute.key.as_str()),
        };
        let (Act::Set(wanted), true) = (act, route.is_empty()) else {
            return Err(computed);
        };
        let span = match value {
            Some(value) => Some(value.span),
            None => self.null(path, attribute)?,
        };
        let Some(span) = span else {
            return Err(computed);
        };
        if let (None, Some(name)) = (value, last_name(&attribute.value))
            && let Some(planned) = self.entry(span, name, wanted)
        {
            return planned.map_err(|why| format!("{computed}: {why}"));
        }
        self.literal(resource, span, wanted)
            .map_err(|why| match why {
                Some(why) => format!("{computed}: {why}"),
                None => computed,
            })
    }

    /// Gives the object that an argument comes from the entry that it lacks; nothing where no object stands there.
    fn entry(&mut self, span: Span, name: &str, wanted: &Wish) -> Option<Planned> {
        let source = self.state.sources.get(span.file)?;
        let path = source.name;
        let written = source.text.get(span.start as usize..)?;
        if self.stays(path) || !written.starts_with('{') || path.ends_with(".json") {
            return None;
        }
        let text = match self.text(path) {
            Ok(text) => text,
            Err(why) => return Some(Err(why)),
        };
        let start = text.pieces.now(span.start as usize, text.read);
        let text = text.pieces.text.clone();
        let parsed = Parsed::new(&self.files.parses, path, &text).ok()?;
        let object = Objects::at(&parsed, start)?;
        let route = [Step::Key(name.into())];
        let edit = expr::edit(&text, object, &route, &Act::Set(wanted.clone()));
        Some(edit.map(|edit| {
            edit.map(|edit| Plan {
                path: path.to_owned(),
                edit,
                distance: 1,
                beside: None,
                switches: false,
            })
        }))
    }

    /// Where the null was written that an argument comes to.
    fn null(&mut self, path: &str, attribute: &Attribute) -> Result<Option<Span>, String> {
        let Some(start) = attribute.key.span().map(|span| span.start) else {
            return Ok(None);
        };
        let Some(file) = self.state.sources.find(path) else {
            return Ok(None);
        };
        let state = self.state;
        let text = self.text(path)?;
        let nulls = state.reading.nulls.iter();
        Ok(nulls
            .filter(|(key, _)| key.file == file)
            .find(|(key, _)| text.pieces.now(key.start as usize, text.read) == start)
            .map(|(_, value)| *value))
    }

    /// Changes the literal at a place, which may be in another file.
    pub(super) fn literal(
        &mut self,
        resource: &Resource<'a>,
        span: Span,
        wanted: &Wish,
    ) -> Result<Option<Plan>, Option<String>> {
        let source = self.state.sources.get(span.file).ok_or(None)?;
        let range = span.start as usize..span.end as usize;
        let written = source.text.get(range).unwrap_or_default();
        let old = scalar(written).ok_or(None)?;
        if let Some(planned) = self.chosen(resource, span, wanted) {
            return planned;
        }
        if self.stays(source.name) {
            return self.call(resource, span, wanted).map_err(Some);
        }
        let path = source.name;
        let text = self.text(path).map_err(Some)?;
        let now = |offset: u32| text.pieces.now(offset as usize, text.read);
        let range = now(span.start)..now(span.end);
        let present = text.pieces.text.get(range.clone()).and_then(scalar);
        match present {
            Some(present) if present == *wanted => return Ok(None),
            Some(present) if present == old => {}
            _ => return Err(Some("another fix changes the same value".to_owned())),
        }
        let plain = Style {
            indent: String::new(),
            unit: "  ",
            newline: "\n",
        };
        let new = expression(wanted, &plain);
        if path.ends_with(".json") && matches!(wanted, Wish::Map(_) | Wish::List(_)) {
            return Err(Some(format!("it is written in `{path}`")));
        }
        Ok(Some(Plan {
            path: path.to_owned(),
            edit: Edit {
                start: range.start,
                end: range.end,
                text: new,
            },
            distance: 0,
            beside: None,
            switches: false,
        }))
    }

    /// Where a condition chose the literal and the other outcome is the one that is wanted: what the condition is, is
    /// changed. Two that are the same would be no choice.
    fn chosen(
        &mut self,
        resource: &Resource<'a>,
        span: Span,
        wanted: &Wish,
    ) -> Option<Result<Option<Plan>, Option<String>>> {
        let state = self.state;
        let text = |span: Span| {
            let source = state.sources.get(span.file)?;
            source.text.get(span.start as usize..span.end as usize)
        };
        let mut choices = state.reading.choices.iter();
        let choice = choices.find(|choice| choice.chosen == span)?;
        if scalar(text(choice.other)?).as_ref() != Some(wanted) {
            return None;
        }
        let condition = choice.condition;
        let is_literal = text(condition).and_then(scalar).is_some();
        Some(if is_literal {
            self.literal(resource, condition, &Wish::Bool(!choice.holds))
        } else {
            let condition = text(condition).unwrap_or_default();
            Err(Some(format!("`{condition}` decides it")))
        })
    }

    /// Gives a downloaded module's call the argument whose default says it.
    fn call(&mut self, resource: &Resource<'a>, span: Span, wanted: &Wish) -> Planned {
        let source = self
            .state
            .sources
            .get(span.file)
            .ok_or("its file is lost")?;
        let parsed = Parsed::new(&self.files.parses, source.name, source.text)?;
        let offset = span.start as usize;
        let around = parsed.around(offset);
        let name = match around.as_slice() {
            [Structure::Block(variable), Structure::Attribute(default)]
                if variable.ident.as_str() == "variable"
                    && default.key.as_str() == "default"
                    && default
                        .value
                        .span()
                        .is_some_and(|span| span.start == offset) =>
            {
                variable
                    .labels
                    .first()
                    .map(|label| label.as_str().to_owned())
            }
            _ => None,
        };
        let name = name.ok_or_else(|| downloaded(source.name))?;
        let [call] = resource.through else {
            return Err(downloaded(source.name));
        };
        let path = self.state.path(*call).ok_or("the call is lost")?;
        let here = Here {
            path,
            offset: self.now(path, call.start)?,
            value: None,
            dynamic: false,
        };
        let (text, caller) = self.read(path)?;
        let block = caller.block_at(here.offset).ok_or("the call is lost")?;
        if let Some(given) = block.body.get_attribute(&name) {
            let edit = expr::edit(&text, &given.value, &[], &Act::Set(wanted.clone()))?;
            return Ok(edit.map(|edit| Plan {
                path: path.to_owned(),
                edit,
                distance: 0,
                beside: None,
                switches: false,
            }));
        }
        let new = New::Attribute(name, wanted.clone());
        Ok(Some(Plan {
            path: path.to_owned(),
            edit: self.insertion(&here, &new)?,
            distance: 1,
            beside: None,
            switches: false,
        }))
    }

    /// Refuses what Terraform would not apply to a resource that is there.
    fn kept(&mut self, resource: &Resource<'a>, written: &str, argument: &Argument) -> Done {
        let Some(path) = self.state.path(resource.span) else {
            return Ok(());
        };
        let offset = self.now(path, resource.span.start)?;
        let (text, parsed) = self.read(path)?;
        let Some(block) = parsed.block_at(offset) else {
            return Ok(());
        };
        let ignored = block
            .body
            .get_blocks("lifecycle")
            .filter_map(|lifecycle| lifecycle.body.get_attribute("ignore_changes"))
            .filter_map(|attribute| attribute.value.span())
            .filter_map(|span| text.get(span));
        let top = written.split('.').next().filter(|top| !top.is_empty());
        for list in ignored {
            let mut words = list.split(|next: char| !next.is_alphanumeric() && next != '_');
            let own = |word: &str| {
                word == "all" || top == Some(word) || (top.is_none() && argument.holds(word))
            };
            if words.any(own) {
                return Err(format!(
                    "`lifecycle` of `{}` ignores changes of `{}`",
                    resource.address,
                    top.unwrap_or(&argument.name)
                ));
            }
        }
        Ok(())
    }
}

/// The name that an expression takes from an object at last.
fn last_name(expr: &Expression) -> Option<&str> {
    let Expression::Traversal(traversal) = expr else {
        return None;
    };
    match traversal.operators.last()?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

/// Looks for the object that stands at an offset.
struct Objects<'p> {
    offset: usize,
    found: Option<&'p Expression>,
}

impl<'p> Objects<'p> {
    fn at(parsed: &'p Parsed, offset: usize) -> Option<&'p Expression> {
        let around = parsed.around(offset);
        let Some(Structure::Attribute(attribute)) = around.last() else {
            return None;
        };
        let mut objects = Self {
            offset,
            found: None,
        };
        objects.look(&attribute.value);
        objects.found
    }

    /// The parser bounds how deep expressions are.
    fn look(&mut self, expr: &'p Expression) {
        let span = expr.span().unwrap_or_default();
        if self.found.is_some() || !span.contains(&self.offset) {
            return;
        }
        if span.start == self.offset && matches!(expr, Expression::Object(_)) {
            self.found = Some(expr);
            return;
        }
        match expr {
            Expression::Array(items) => items.iter().for_each(|item| self.look(item)),
            Expression::Object(object) => {
                object.iter().for_each(|(_, value)| self.look(value.expr()));
            }
            Expression::Parenthesis(inner) => self.look(inner.inner()),
            Expression::FuncCall(call) => call.args.iter().for_each(|arg| self.look(arg)),
            Expression::Conditional(choice) => {
                self.look(&choice.true_expr);
                self.look(&choice.false_expr);
            }
            Expression::ForExpr(each) => {
                self.look(&each.intro.collection_expr);
                self.look(&each.value_expr);
            }
            Expression::UnaryOp(operation) => self.look(&operation.expr),
            Expression::BinaryOp(operation) => {
                self.look(&operation.lhs_expr);
                self.look(&operation.rhs_expr);
            }
            _ => {}
        }
    }
}

/// A literal that is no list and no object.
fn scalar(text: &str) -> Option<Wish> {
    let expr: Expression = hcl_edit::parser::parse_expr(text).ok()?;
    match expr {
        Expression::Array(_) | Expression::Object(_) => None,
        expr => expr::constant(&expr, 0),
    }
}
