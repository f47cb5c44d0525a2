//! What CEL sees of one event: the names of an admission policy where it has them (`request`, `object`, `oldObject`),
//! `event`, the record itself, and `facts`, which need the guide's judge and the known identities.

use std::cell::{Cell, OnceCell};

use cel::{Budget, Bump, Host, Program, Slot, Val};
use guide::{Guide, Judge, Setting};
use model::{Ref, unknown};

use super::identities::Identities;
use super::subject::{Subject, Value};
use crate::event::{Field, User};
use crate::request::Asked;

/// What the variables of one event are computed from.
#[derive(Clone, Copy)]
struct World<'a> {
    subject: &'a Subject<'a>,
    judge: &'a Judge<'a>,
    identities: &'a Identities,
    /// Which guidelines the object fails; the judge is asked once.
    fails: &'a OnceCell<Value<'a>>,
}

/// The variables of one event.
pub(crate) struct Scope<'a> {
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) bump: &'a Bump,
    guide: &'a Guide,
    setting: &'a Setting,
    world: World<'a>,
    variables: Vec<Cell<Option<Value<'a>>>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        guide: &'a Guide,
        setting: &'a Setting,
        judge: &'a Judge<'a>,
        identities: &'a Identities,
        subject: &'a Subject<'a>,
        bump: &'a Bump,
    ) -> Self {
        Self {
            subject,
            bump,
            guide,
            setting,
            world: World {
                subject,
                judge,
                identities,
                fails: bump.alloc(OnceCell::new()),
            },
            variables: guide.variables.iter().map(|_| Cell::new(None)).collect(),
        }
    }

    fn host(&self, view: View) -> Value<'a> {
        let world = self.world;
        Val::Host(self.bump.alloc(EventHost { world, view }))
    }

    /// A shared definition, computed once.
    fn defined(&self, slot: Slot) -> Option<Value<'a>> {
        let index = self.guide.variable_at(slot)?;
        let (cell, variable) = self
            .variables
            .get(index)
            .zip(self.guide.variables.get(index))?;
        if let Some(value) = cell.get() {
            return Some(value);
        }
        let budget = Budget::new(Budget::POLICY);
        let value = variable.program.eval(self, &[], self.bump, &budget);
        cell.set(Some(value));
        Some(value)
    }
}

impl<'a> cel::Scope<'a, Ref<'a>> for Scope<'a> {
    fn variable(&self, slot: Slot) -> Value<'a> {
        let roots = &self.guide.roots;
        if slot == roots.event {
            self.host(View::Event)
        } else if slot == roots.object {
            self.subject.object()
        } else if slot == roots.old_object {
            self.subject.old_object()
        } else if slot == roots.request {
            self.host(View::Request)
        } else if slot == roots.facts {
            self.host(View::Facts)
        } else if slot == roots.params {
            Val::Node(self.setting.params.root())
        } else {
            self.defined(slot).unwrap_or(Val::Null)
        }
    }

    fn definition(&self, slot: Slot) -> Option<&'a Program> {
        let index = self.guide.variable_at(slot)?;
        self.guide
            .variables
            .get(index)
            .map(|variable| &variable.program)
    }
}

#[derive(Clone, Copy)]
enum View {
    Event,
    Request,
    Resource,
    Facts,
}

/// A map whose entries are computed when they are read.
struct EventHost<'a> {
    world: World<'a>,
    view: View,
}

impl<'a> Host<'a, Ref<'a>> for EventHost<'a> {
    fn field(&self, name: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let world = self.world;
        match self.view {
            View::Event => world.subject.value(name),
            View::Request => world.request(name, bump),
            View::Resource => world.resource(name),
            View::Facts => world.fact(name, bump),
        }
    }
}

impl<'a> World<'a> {
    fn request(self, name: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let subject = self.subject;
        let asked = || match subject.target.known() {
            Some(Asked::Resource(object)) => Ok(object),
            Some(Asked::Path(_)) => Err(Val::Str("")),
            None => Err(Val::Unknown(unknown::CUT)),
        };
        let said = |part: fn(&'a crate::request::Object<'a>) -> &'a str| {
            Some(asked().map_or_else(|no| no, |object| Val::Str(part(object))))
        };
        match name {
            // Whoever they are taken for, as an admission policy sees it; `event.user` is who asked.
            "userInfo" => match subject.event.map(|event| &event.impersonated) {
                Some(Field::Absent) | None => subject.value("user"),
                Some(Field::Cut) => Some(Val::Unknown(unknown::CUT)),
                Some(Field::Known(_) | Field::Begun(_)) => subject.value("impersonatedUser"),
            },
            "operation" => Some(match subject.verb() {
                None => Val::Unknown(unknown::CUT),
                Some(_) if subject.connects() => Val::Str("CONNECT"),
                Some("create") => Val::Str("CREATE"),
                Some("update" | "patch") => Val::Str("UPDATE"),
                Some("delete" | "deletecollection") => Val::Str("DELETE"),
                Some(_) => Val::Str(""),
            }),
            "resource" => {
                let view = View::Resource;
                Some(Val::Host(bump.alloc(EventHost { world: self, view })))
            }
            "dryRun" => Some(match subject.event.map(|event| &event.request_uri) {
                Some(Field::Begun(_) | Field::Cut) => Val::Unknown(unknown::CUT),
                Some(uri) => Val::Bool(uri.as_str().contains("dryRun=All")),
                None => Val::Bool(false),
            }),
            "namespace" | "name" if subject.is_outline => Some(Val::Unknown(unknown::CUT)),
            "namespace" => said(|object| &object.namespace),
            "name" => said(|object| &object.name),
            "subResource" => said(|object| &object.subresource),
            "verb" => Some(subject.verb().map_or(Val::Unknown(unknown::CUT), Val::Str)),
            _ => None,
        }
    }

    fn resource(self, name: &str) -> Option<Value<'a>> {
        match self.subject.target.known() {
            None => Some(Val::Unknown(unknown::CUT)),
            Some(Asked::Path(_)) => Some(Val::Str("")),
            Some(Asked::Resource(object)) => match name {
                "group" => Some(Val::Str(&object.group)),
                "version" => Some(Val::Str(&object.version)),
                "resource" => Some(Val::Str(&object.resource)),
                _ => None,
            },
        }
    }

    fn fact(self, name: &str, bump: &'a Bump) -> Option<Value<'a>> {
        let subject = self.subject;
        let class = |user: &'a Field<User<'a>>| match user {
            Field::Known(user) | Field::Begun(user) => match &user.name {
                Field::Known(name) => Val::Str(self.identities.class(name)),
                Field::Absent => Val::Str(""),
                Field::Begun(_) | Field::Cut => Val::Unknown(unknown::CUT),
            },
            Field::Absent => Val::Str(""),
            Field::Cut => Val::Unknown(unknown::CUT),
        };
        match name {
            "identity" => subject.event.map(|event| match &event.impersonated {
                Field::Absent => class(&event.user),
                impersonated => class(impersonated),
            }),
            "realIdentity" => subject.event.map(|event| class(&event.user)),
            "hidden" => Some(Val::Bool(subject.hidden())),
            "removes" => Some(match subject.removes() {
                Some(paths) => {
                    let paths: Vec<Value<'a>> =
                        paths.iter().map(|path| Val::string(bump, path)).collect();
                    Val::list(bump, &paths, None)
                }
                None => Val::list(bump, &[], Some(unknown::CUT)),
            }),
            "fails" => Some(*self.fails.get_or_init(|| self.fails(bump))),
            _ => None,
        }
    }

    /// What the guide's own judge says of the object.
    fn fails(self, bump: &'a Bump) -> Value<'a> {
        let object = match self.subject.object() {
            Val::Node(object) => object,
            Val::Unknown(reason) => return Val::Unknown(reason),
            _ => return Val::list(bump, &[], None),
        };
        let Some(resource) = self.subject.judged(object) else {
            // A patch alone does not say of what kind it is.
            let reason = if self.subject.cut {
                unknown::CUT
            } else {
                unknown::NOT_LOGGED
            };
            return Val::Unknown(reason);
        };
        let judged = self.judge.failing(&resource);
        let open = Some(unknown::CUT).filter(|_| judged.open && self.subject.cut);
        let mut fails = Vec::new();
        for (id, message) in &judged.fails {
            let Some(guideline) = self.judge.guide.guideline(&id.0) else {
                continue;
            };
            let severity = self.judge.severity(guideline);
            let frameworks: Vec<Value<'a>> = guideline
                .frameworks
                .iter()
                .map(|(id, _)| Val::string(bump, id))
                .collect();
            let entries = [
                (Val::Str("guideline"), Val::string(bump, &guideline.id.0)),
                (Val::Str("severity"), Val::Str(severity.word())),
                (Val::Str("aspect"), Val::string(bump, &guideline.aspect)),
                (Val::Str("frameworks"), Val::list(bump, &frameworks, None)),
                (Val::Str("message"), Val::string(bump, message)),
            ];
            fails.push(Val::map(bump, &entries, None));
        }
        Val::list(bump, &fails, open)
    }
}
