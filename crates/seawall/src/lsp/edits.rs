//! Edits of files as the editor takes them.

use lsp_types::{
    CreateFile, DeleteFile, DocumentChange, OptionalVersionedTextDocumentIdentifier, Position,
    Range, TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};
use yaml::edit::Edit;

use super::desk::Desk;
use super::documents::uri_of;
use super::text::{Encoding, Lines};
use crate::fix::Texts;

/// What happens to one file.
pub(super) struct Changed<'t> {
    pub(super) name: &'t str,
    pub(super) before: &'t str,
    pub(super) edits: &'t [Edit],
    pub(super) new: bool,
    pub(super) gone: bool,
}

/// The files that cures change.
pub(super) fn of_texts(texts: &Texts) -> Vec<Changed<'_>> {
    let files = texts.files.iter();
    let files = files.map(|(name, file)| Changed {
        name,
        before: &file.before,
        edits: &file.edits,
        new: file.new,
        gone: file.gone,
    });
    files.collect()
}

/// Changes for the editor; why there are none.
pub(super) fn workspace(desk: &Desk<'_>, changed: &[Changed<'_>]) -> Result<WorkspaceEdit, String> {
    let mut edit = WorkspaceEdit::default();
    if !desk.client.document_changes {
        if changed.iter().any(|file| file.new || file.gone) {
            return Err("the editor makes and deletes no files: `seawall fix` does".to_owned());
        }
        let mut changes = std::collections::HashMap::new();
        for file in changed {
            let edits = texts(file, desk.client.encoding);
            changes.insert(place(desk, file.name)?.0, edits);
        }
        edit.changes = Some(changes);
        return Ok(edit);
    }
    let mut all = Vec::new();
    for file in changed {
        let (uri, version) = place(desk, file.name)?;
        if file.gone {
            all.push(DocumentChange::DeleteFile(DeleteFile {
                uri,
                options: None,
                annotation_id: None,
            }));
            continue;
        }
        if file.new {
            all.push(DocumentChange::CreateFile(CreateFile {
                uri: uri.clone(),
                options: None,
                annotation_id: None,
            }));
        }
        let edits = texts(file, desk.client.encoding);
        all.push(DocumentChange::TextDocumentEdit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version,
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits: edits.into_iter().map(Into::into).collect(),
        }));
    }
    edit.document_changes = Some(all);
    Ok(edit)
}

/// What the editor calls a file, and the version that it has open.
fn place(desk: &Desk<'_>, name: &str) -> Result<(Uri, Option<i32>), String> {
    if let Some(document) = desk.state().documents.named(name) {
        return Ok((document.uri.clone(), Some(document.version)));
    }
    let uri = uri_of(name).ok_or_else(|| format!("`{name}` is no file"))?;
    Ok((uri, None))
}

fn texts(file: &Changed<'_>, encoding: Encoding) -> Vec<TextEdit> {
    if file.new {
        let start = Position::default();
        let new_text = file.edits.iter().map(|edit| &*edit.text).collect();
        let range = Range { start, end: start };
        return vec![TextEdit { range, new_text }];
    }
    let lines = Lines::of(file.before, encoding);
    let edits = file.edits.iter();
    let edits = edits.map(|edit| TextEdit {
        range: Range {
            start: lines.position(edit.start),
            end: lines.position(edit.end),
        },
        new_text: edit.text.clone(),
    });
    edits.collect()
}
