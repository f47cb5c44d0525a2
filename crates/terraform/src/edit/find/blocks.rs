//! Blocks on the way to an argument: the one that is there, one that a dynamic block would make, a new one, and one
//! that goes.

use bicep::value::{Data, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};
use yaml::edit::Value as Wish;

use super::{Finder, Here, Known, Plan, Planned, downloaded, names, wanted};
use crate::edit::Done;
use crate::edit::body::Place;
use crate::edit::expr::{Act, snippet};
use crate::edit::render::New;
use crate::edit::reverse::{End, Hop, Item, Way};
use crate::output::Resource;
use crate::table::Argument;

impl<'a> Finder<'_, 'a> {
    /// The block that a hop leads to; nothing when there is none.
    pub(super) fn hop<'s>(
        &mut self,
        here: &Here<'s, 'a>,
        hop: &Hop<'_>,
    ) -> Result<Option<Here<'s, 'a>>, String> {
        if let Some(value) = here.value.and_then(|value| item(value, hop))
            && let Some(path) = self.state.path(value.span)
        {
            let offset = self.now(path, value.span.start)?;
            let (_, parsed) = self.read(path)?;
            if let Some(block) = parsed.block_at(offset) {
                let dynamic = block.ident.as_str() == "dynamic";
                let content = block.body.get_blocks("content").next();
                let inner = if dynamic { content } else { Some(block) };
                let start = inner.and_then(hcl_edit::Span::span);
                let start = start.ok_or("a dynamic block without content")?.start;
                return Ok(Some(Here {
                    path,
                    offset: start,
                    value: Some(value),
                    dynamic: here.dynamic || dynamic,
                }));
            }
        }
        // What came with an earlier edit, and what is not known to be there.
        let (text, parsed) = self.read(here.path)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        if let Some(each) = dynamic(block, hop.argument) {
            self.dynamic = dynamic_start(block, hop.argument);
            return Err(format!(
                "`{}` is made by a dynamic block for `{}`",
                hop.argument.name,
                snippet(&text, each)
            ));
        }
        let blocks: Vec<&Block> = block
            .body
            .blocks()
            .filter(|block| hop.argument.holds(block.ident.as_str()))
            .collect();
        let found = match (&hop.item, blocks.as_slice()) {
            (_, []) => return Ok(None),
            (Item::Only | Item::At(0), [block]) => block.span(),
            (Item::At(at), blocks) => blocks.get(*at).and_then(|block| block.span()),
            _ => None,
        };
        match found {
            Some(span) => Ok(Some(Here {
                path: here.path,
                offset: span.start,
                value: None,
                dynamic: here.dynamic,
            })),
            None => Err(format!(
                "which of the `{}` blocks is not known",
                hop.argument.name
            )),
        }
    }

    /// Lets a dynamic block make something, when one literal keeps it from it.
    pub(super) fn switch(
        &mut self,
        resource: &Resource<'a>,
        here: &Here<'_, 'a>,
        hop: &Hop<'_>,
        why: String,
    ) -> Planned {
        let state = self.state;
        let Some(start) = self.dynamic.take() else {
            return Err(why);
        };
        for (head, span, known) in &state.reading.switches {
            if state.path(*head) != Some(here.path) || self.now(here.path, head.start)? != start {
                continue;
            }
            if let Ok(Some(mut plan)) = self.literal(resource, *span, &Wish::Bool(!known)) {
                plan.beside = Some(hop.azure.clone());
                plan.switches = true;
                return Ok(Some(plan));
            }
        }
        Err(why)
    }

    /// Takes a block out.
    pub(super) fn without_block(
        &mut self,
        inner: &Here<'_, 'a>,
        hop: &Hop<'_>,
    ) -> Result<Plan, String> {
        if self.stays(inner.path) {
            return Err(downloaded(inner.path));
        }
        let (text, parsed) = self.read(inner.path)?;
        let around = parsed.around(inner.offset);
        let blocks: Vec<&Block> = around
            .iter()
            .filter_map(|one| match one {
                Structure::Block(block) => Some(block),
                Structure::Attribute(_) => None,
            })
            .collect();
        if inner.dynamic {
            return Err(format!(
                "`{}` is made by a dynamic block",
                hop.argument.name
            ));
        }
        let [.., outer, block] = blocks.as_slice() else {
            return Err("its block is lost".to_owned());
        };
        let place = Place::new(&text, outer).ok_or("its block is lost")?;
        let span = block.span().ok_or("its block is lost")?;
        Ok(Plan {
            path: inner.path.to_owned(),
            edit: place.remove(span),
            distance: 1,
            beside: Some(hop.azure.clone()),
            switches: false,
        })
    }

    /// Whether there may be one more block of a kind: many kinds may be there once only, which nothing here knows.
    pub(super) fn is_one_more(&mut self, here: &Here<'_, 'a>, hop: &Hop<'_>) -> Done {
        let (text, parsed) = self.read(here.path)?;
        let block = parsed.block_at(here.offset).ok_or("its block is lost")?;
        let name = &hop.argument.name;
        if let Some(each) = dynamic(block, hop.argument) {
            let each = snippet(&text, each);
            return Err(format!("`{name}` is made by a dynamic block for `{each}`"));
        }
        let blocks = block.body.blocks();
        let own = blocks.filter(|block| hop.argument.holds(block.ident.as_str()));
        match own.count() {
            1 => Err(format!(
                "there is a `{name}` block already, and perhaps no room for another"
            )),
            _ => Ok(()),
        }
    }

    /// Puts blocks in, from a hop on, with what is wanted in the last one.
    pub(super) fn new_block(
        &mut self,
        here: &Here<'_, 'a>,
        known: Known<'_>,
        written: &str,
        way: &Way<'_>,
        from: usize,
    ) -> Planned {
        let hops = way.hops.get(from..).unwrap_or_default();
        let Some(first) = hops.first() else {
            return Ok(None);
        };
        let path: String = hops
            .iter()
            .map(|hop| format!("{}.", hop.argument.name))
            .collect();
        let path = format!("{written}{path}");
        let mut content = match &way.end {
            End::Absent
            | End::Fixed
            | End::Argument {
                act: Act::Remove, ..
            } => return Ok(None),
            End::Present => Vec::new(),
            End::Another(arguments) => {
                let arguments = arguments.iter().map(|(argument, value)| {
                    let name = self.name(known, &path, argument)?;
                    Ok(New::Attribute(name, value.clone()))
                });
                arguments.collect::<Result<_, String>>()?
            }
            End::Argument {
                argument,
                route,
                act,
            } => {
                let name = self.name(known, &path, argument)?;
                vec![New::Attribute(name, wanted(route, act)?)]
            }
        };
        let mut path: Vec<&str> = hops.iter().map(|hop| hop.argument.name.as_str()).collect();
        for hop in hops.iter().rev() {
            if matches!(hop.item, Item::At(1..) | Item::Named(..)) {
                return Err(format!("there is no such `{}` block", hop.argument.name));
            }
            let whole = format!("{written}{}", path.join("."));
            path.pop();
            let outer = if path.is_empty() {
                written.to_owned()
            } else {
                format!("{written}{}.", path.join("."))
            };
            let name = self.name(known, &outer, hop.argument)?;
            let has = |need: &str| {
                content.iter().any(|new| match new {
                    New::Attribute(name, _) | New::Block(name, _) => name == need,
                })
            };
            let missing: Vec<String> = known
                .needs(&whole)
                .into_iter()
                .filter(|need| !has(need))
                .map(|need| format!("`{need}`"))
                .collect();
            if !missing.is_empty() {
                return Err(format!(
                    "a new `{name}` block needs {}, which only you can know",
                    missing.join(" and ")
                ));
            }
            content = vec![New::Block(name, content)];
        }
        let new = content.pop().ok_or("nothing to write")?;
        let edit = self.insertion(here, &new)?;
        Ok(Some(Plan {
            path: here.path.to_owned(),
            edit,
            distance: 3,
            beside: Some(first.azure.clone()),
            switches: false,
        }))
    }
}

/// The value of the block that a hop leads to.
fn item<'s, 'a>(value: &'s Value<'a>, hop: &Hop<'_>) -> Option<&'s Value<'a>> {
    let block = names(hop.argument).find_map(|name| value.get(name))?;
    let items: &[Value<'a>] = match block.data {
        Data::Array(items) => items,
        Data::Object(_) => std::slice::from_ref(block),
        _ => return None,
    };
    match &hop.item {
        Item::Only => items.first(),
        Item::At(at) => items.get(*at),
        Item::Named(name, key) => items.iter().find(|item| {
            item.get(name)
                .and_then(Value::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(key))
        }),
    }
}

/// What a dynamic block of a name is made for.
fn dynamic<'b>(block: &'b Block, argument: &Argument) -> Option<&'b Expression> {
    let block = block.body.get_blocks("dynamic").find(|block| {
        let label = block.labels.first();
        label.is_some_and(|label| argument.holds(label.as_str()))
    })?;
    Some(&block.body.get_attribute("for_each")?.value)
}

fn dynamic_start(block: &Block, argument: &Argument) -> Option<usize> {
    let mut blocks = block.body.get_blocks("dynamic");
    let block = blocks.find(|block| {
        let label = block.labels.first();
        label.is_some_and(|label| argument.holds(label.as_str()))
    })?;
    Some(block.span()?.start)
}
