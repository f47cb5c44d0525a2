//! What ends by itself, or has to be renewed: when, and by which steps.
//!
//! A page in `renewals/` says it of one kind of thing:
//!
//! ````markdown
//! ---
//! id: vault-secret
//! title: Secrets in key vaults
//! applies: Microsoft.KeyVault/vaults/secrets
//! when: has(resource.properties.attributes.exp)
//! ends: timestamp(resource.properties.attributes.exp)
//! ---
//! What happens when nobody minds it.
//!
//! > secret `{resource.name}` expires
//!
//! ```step
//! Store the new value.
//! az keyvault secret set --vault-name {links.parent.name} --name {resource.name}
//! ```
//! ## Examples
//! ```json
//! …    // ends: 2027-01-31 secret `shop/db` expires
//! ```
//! ````
//!
//! `ends` is left out where nothing ends by itself; `itself` says that a machine renews it. The first line of a
//! step is a sentence, the others are commands: what stands there in braces is quoted for a shell. A step may begin
//! with a line `when EXPRESSION` or `for EXPRESSION as NAME`.
//!
//! What it deliberately leaves out: the clock, and how a calendar is written.

mod ask;
#[cfg(test)]
mod tests;

use cel::{Env, Program};

use crate::catalogue::Guide;
use crate::fix::split_each;
use crate::front_matter::{self, Fields};
use crate::guideline::{Each, Example, Reference};
use crate::markdown::{self, Block, Fence};
use crate::message::Template;

pub use ask::{Due, Ends, ShownStep, day, due, run};

/// A kind of thing that ends or has to be renewed.
#[derive(Debug)]
pub struct Renewal {
    /// Stable name.
    pub id: Box<str>,
    /// What these things are, in the plural.
    pub title: Box<str>,
    /// Path below `guide/`.
    pub file: Box<str>,
    /// Kinds and Azure types, as [`model::kinds::Kind::is`] reads them.
    pub applies: Vec<Box<str>>,
    /// Asked item by item.
    pub each: Option<Each>,
    /// Where it is false, there is nothing of the kind.
    pub when: Option<Program>,
    /// The moment at which it ends.
    pub ends: Option<Program>,
    /// Whether a machine renews it.
    pub itself: Option<Program>,
    /// What is said of it.
    pub says: Template,
    /// The guideline that judges the same.
    pub guideline: Option<Box<str>>,
    /// Where its facts come from.
    pub references: Vec<Reference>,
    /// What happens when nobody minds it: Markdown.
    pub prose: Box<str>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Estates that show it.
    pub examples: Vec<RenewalExample>,
}

/// Something to do.
#[derive(Debug)]
pub struct Step {
    /// Once for each of these.
    pub each: Option<Each>,
    /// Left out where it is false.
    pub when: Option<Program>,
    /// A sentence.
    pub text: Template,
    /// Commands, a line each.
    pub commands: Vec<Template>,
}

/// An estate, and the steps that it needs.
#[derive(Debug)]
pub struct RenewalExample {
    /// Its comments say what must be found: `ends: DATE TEXT`, `renew: TEXT`, `unknown: TEXT`.
    pub example: Example,
    /// All steps as they must be written.
    pub steps: Option<Box<str>>,
}

impl Guide {
    pub(crate) fn load_renewal(
        &mut self,
        path: &str,
        name: &str,
        text: &str,
        env: &mut Env,
    ) -> Result<(), (u32, String)> {
        const KNOWN: [&str; 9] = [
            "id",
            "title",
            "applies",
            "each",
            "when",
            "ends",
            "itself",
            "guideline",
            "references",
        ];
        let page = markdown::parse(text).map_err(|error| (error.line, error.message.to_owned()))?;
        let doc = front_matter::read(&page.front_matter, 2)?;
        let at = |message| (2, message);
        let fields = Fields::of(doc.root(), &KNOWN).map_err(at)?;
        let id = fields.text("id").map_err(at)?;
        if name.strip_suffix(".md") != Some(id) {
            return Err((2, format!("`id: {id}` must equal the file's name")));
        }
        let written = |key| fields.get(key).and_then(model::Ref::as_str);
        let each = written("each")
            .map(|source| each_of(source, &[], env))
            .transpose()
            .map_err(at)?;
        let locals: Vec<&str> = each.iter().map(|each| &*each.name).collect();
        let mut program = |key| {
            written(key)
                .map(|source| env.compile_in(source, &locals))
                .transpose()
                .map_err(|error| (2, format!("in `{key}`: {error}")))
        };
        let (when, ends, itself) = (program("when")?, program("ends")?, program("itself")?);
        let (mut prose, mut says, mut steps) = (Vec::new(), None, Vec::new());
        let mut examples: Vec<RenewalExample> = Vec::new();
        for block in &page.blocks {
            match block {
                Block::Quote(text, line) if says.is_none() => {
                    let template = Template::compile(text, env, &locals);
                    says = Some(template.map_err(|error| (*line, error.to_string()))?);
                }
                Block::Fence(fence) if fence.info == "step" => {
                    steps.push(step(fence, &locals, env).map_err(|error| (fence.line, error))?);
                }
                Block::Fence(fence) if fence.info == "steps" => match examples.last_mut() {
                    Some(example) => example.steps = Some(fence.text.trim_end().into()),
                    None => return Err((fence.line, "`steps` follow an example".to_owned())),
                },
                Block::Fence(fence) => {
                    let (language, rest) = fence.info.split_once(' ').unwrap_or((&fence.info, ""));
                    if rest.split(' ').next() == Some("with") {
                        let Some(last) = examples.last_mut() else {
                            return Err((fence.line, "`with` continues an example".to_owned()));
                        };
                        last.example.add_file(fence, language);
                        continue;
                    }
                    examples.push(RenewalExample {
                        example: Example::of_fence(fence, language, rest)?,
                        steps: None,
                    });
                }
                Block::Prose(text) if says.is_none() => prose.push(text.as_str()),
                Block::Prose(_) | Block::Heading(..) | Block::Quote(..) => {}
            }
        }
        if examples.is_empty() {
            return Err((1, "an example is missing".to_owned()));
        }
        if ends.is_none() && steps.is_empty() {
            return Err((2, "it neither `ends` nor has a step".to_owned()));
        }
        self.renewals.push(Renewal {
            id: id.into(),
            title: fields.text("title").map_err(at)?.into(),
            file: path.into(),
            applies: fields.texts("applies").map_err(at)?,
            each,
            when,
            ends,
            itself,
            says: says.ok_or((1, "a `>` quote says what it is".to_owned()))?,
            guideline: written("guideline").map(Into::into),
            references: fields.references().map_err(at)?,
            prose: prose.join("\n\n").trim().into(),
            steps,
            examples,
        });
        Ok(())
    }
}

/// `EXPRESSION as NAME`, where other names are seen too.
fn each_of(source: &str, locals: &[&str], env: &mut Env) -> Result<Each, String> {
    let (list, name) = split_each(source).ok_or("it is `EXPRESSION as NAME`")?;
    let program = env
        .compile_in(list, locals)
        .map_err(|error| error.to_string())?;
    Ok(Each {
        program,
        name: name.into(),
    })
}

fn step(fence: &Fence, locals: &[&str], env: &mut Env) -> Result<Step, String> {
    let mut lines = fence.text.lines().peekable();
    let each = lines
        .next_if(|line| line.starts_with("for "))
        .and_then(|line| line.strip_prefix("for "))
        .map(|source| each_of(source, locals, env))
        .transpose()?;
    let locals: Vec<&str> = locals
        .iter()
        .copied()
        .chain(each.iter().map(|each| &*each.name))
        .collect();
    let when = lines
        .next_if(|line| line.starts_with("when "))
        .and_then(|line| line.strip_prefix("when "))
        .map(|source| env.compile_in(source, &locals))
        .transpose()
        .map_err(|error| error.to_string())?;
    let mut template = |line: &str| {
        Template::compile(line, env, &locals).map_err(|error| format!("in `{line}`: {error}"))
    };
    let text = template(lines.next().ok_or("a step begins with a sentence")?)?;
    let commands = lines.map(template).collect::<Result<_, _>>()?;
    Ok(Step {
        each,
        when,
        text,
        commands,
    })
}
