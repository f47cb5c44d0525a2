//! Functions on files. Paths are relative to the root module, as Terraform runs there.

use bicep::deployment::ProblemKind;
use bicep::value::{Shape, Why};

use super::Args;
use super::encoding::{base64, hash};
use crate::engine::{Engine, Eval, Fault, Names, Repeat, Scope};
use crate::files::join;
use crate::load::unreadable;
use crate::lower::{Lower, Place, Refused};
use crate::syntax::Expr;
use crate::value::Val;

impl<'a> Engine<'a, '_> {
    pub(super) fn file_functions(
        &mut self,
        scope: &Scope<'_, 'a>,
        call: &Args<'_, 'a>,
    ) -> Option<Eval<'a>> {
        let result = match call.name {
            "file" => self.file_text(call),
            "fileexists" => self
                .bytes(call)
                .map(|found| Val::bool(call.span, found.is_ok())),
            "filebase64" | "filemd5" | "filesha1" | "filesha256" | "filesha512"
            | "filebase64sha256" | "filebase64sha512" => self.file_hash(call),
            "basename" | "dirname" => self.path_part(call),
            "templatefile" => self.template_file(scope, call),
            "templatestring" => self.template_string(call),
            _ => return None,
        };
        Some(result)
    }

    fn bytes(&self, call: &Args<'_, 'a>) -> Result<Result<Vec<u8>, String>, Fault<'a>> {
        let path = join(&self.root, self.string_arg(call, 0)?);
        let read = self.loader.files.read(&path);
        Ok(read.map_err(|message| unreadable(&path, message)))
    }

    /// A file that is not here may be where Terraform runs: its content is open. In `try` and
    /// `can` it is absent.
    fn missing(&mut self, call: &Args<'_, 'a>, message: &str) -> Eval<'a> {
        if self.trying {
            return Err(self.fault(call.span, message));
        }
        let path = self.string_arg(call, 0)?;
        if let Some(secret) = call.get(0).and_then(|path| path.secret) {
            let message = format!(
                "`{}` names a file that is not here by a sensitive value",
                call.name
            );
            self.problem(call.span, &message, None, ProblemKind::Unresolved);
            let text = format!("{}({secret})", call.name);
            let why = vec![Why::Unresolved(secret)];
            return Ok(self.unknown(call.span, &text, Shape::String, why, Some(secret)));
        }
        // Nobody gives the home folder to be read.
        if !path.starts_with('~') {
            self.problem(call.span, message, None, ProblemKind::Unresolved);
        }
        let text = format!("{}({path:?})", call.name);
        let why = vec![Why::Unresolved(path)];
        Ok(self.unknown(call.span, &text, Shape::String, why, None))
    }

    fn file_text(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let bytes = match self.bytes(call)? {
            Ok(bytes) => bytes,
            Err(message) => return self.missing(call, &message),
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(self.str(call.span, &text)),
            Err(_) => Err(self.fault(call.span, "the file is no UTF-8 text")),
        }
    }

    fn file_hash(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let bytes = match self.bytes(call)? {
            Ok(bytes) => bytes,
            Err(message) => return self.missing(call, &message),
        };
        let text = match call.name {
            "filebase64" => base64(&bytes),
            name => hash(name.trim_start_matches("file"), &bytes),
        };
        Ok(self.str(call.span, &text))
    }

    fn path_part(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let path = self.string_arg(call, 0)?.trim_end_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let part = if call.name == "basename" {
            name
        } else {
            folder
        };
        Ok(self.str(call.span, part))
    }

    fn template_file(&mut self, _scope: &Scope<'_, 'a>, call: &Args<'_, 'a>) -> Eval<'a> {
        let path = join(&self.root, self.string_arg(call, 0)?);
        let (file, text) = match self.loader.text(&path) {
            Ok(found) => found,
            Err(message) => return self.missing(call, &message),
        };
        let lower = Lower {
            arena: self.arena,
            place: Place::File(file),
        };
        let parsed = lower.template_text(text);
        self.rendered(call, parsed)
    }

    fn template_string(&mut self, call: &Args<'_, 'a>) -> Eval<'a> {
        let lower = Lower {
            arena: self.arena,
            place: Place::Fixed(call.span),
        };
        let parsed = lower.template_text(self.string_arg(call, 0)?);
        self.rendered(call, parsed)
    }

    fn rendered(&mut self, call: &Args<'_, 'a>, parsed: Result<Expr<'a>, Refused>) -> Eval<'a> {
        let expr = parsed.map_err(|refused| self.fault(refused.span, refused.message))?;
        let mut names: Option<&'a Names<'a, 'a>> = None;
        for entry in call.get(1).and_then(Val::entries).unwrap_or_default() {
            names = Some(self.arena.alloc(Names {
                name: entry.key,
                value: entry.value,
                up: names,
            }));
        }
        let scope = Scope {
            module: None,
            repeat: Repeat::default(),
            names,
        };
        self.eval(&scope, &expr)
    }
}
