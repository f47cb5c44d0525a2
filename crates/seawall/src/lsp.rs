//! The language server: what `assess` and `fix` say, while somebody writes. One thread reads what the editor sends,
//! one judges, one answers what can be done about findings.
//!
//! What it deliberately leaves out: judging and fixing; `commands::judged` and `fix` do that. It runs no program and
//! reaches no network.

mod actions;
mod desk;
mod diagnostics;
mod documents;
mod edits;
mod hover;
mod judge;
mod pages;
mod quick;
mod subject;
mod text;
mod waive;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use ::guide::Guide;
use anyhow::Context as _;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CodeActionKind, CodeActionOptions, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, HoverParams, HoverProvider,
    InitializeResult, PositionEncodingKind, Save, ServerCapabilities, ServerInfo, TextDocumentSync,
    TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde_json::Value;

use self::actions::{Actions, Asked, FIX_ALL};
use self::desk::{Client, Desk};
use self::judge::Judging;
use self::text::Encoding;
use crate::commands::lsp::Args;

/// As much as a main thread has: what is read may be deeply nested.
const STACK: usize = 8 << 20;

/// Serves one editor over standard input and output until it says goodbye.
pub(crate) fn serve(guide: &Guide, args: &Args) -> anyhow::Result<u8> {
    let (connection, threads) = Connection::stdio();
    let (id, params) = connection
        .initialize_start()
        .context("the editor did not begin as the Language Server Protocol has it")?;
    let client = client(&params);
    if let Some(root) = root(&params) {
        // Files have the names that `seawall assess` has for them there.
        let _ = std::env::set_current_dir(root);
    }
    connection.initialize_finish(id, serde_json::to_value(abilities(client))?)?;
    let sender = connection.sender.clone();
    let desk = Desk::new(Judging { guide, args }, client, move |message| {
        // Nobody is there any more: reading ends too.
        let _ = sender.send(message);
    });
    let shared = &desk;
    let orderly = thread::scope(|scope| {
        let (asks, asked) = channel();
        let large = || thread::Builder::new().stack_size(STACK);
        let judging = large().spawn_scoped(scope, || shared.run());
        let acting = large().spawn_scoped(scope, move || Actions::new(shared).run(&asked));
        let orderly = match judging.and(acting) {
            Ok(_) => listen(&connection, &desk, &asks),
            Err(error) => Err(error.into()),
        };
        desk.close();
        drop(asks);
        orderly
    })?;
    drop(desk);
    drop(connection);
    threads.join()?;
    Ok(u8::from(!orderly))
}

/// What the editor says of itself.
fn client(params: &Value) -> Client {
    let of = |pointer: &str| params.pointer(&format!("/capabilities/{pointer}"));
    let is = |pointer: &str| of(pointer).and_then(Value::as_bool).unwrap_or_default();
    let lists = |pointer: &str, word: &str| {
        let list = of(pointer).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|one| one == word))
    };
    Client {
        encoding: if lists("general/positionEncodings", "utf-8") {
            Encoding::Utf8
        } else {
            Encoding::Utf16
        },
        resolves: is("textDocument/codeAction/dataSupport")
            && lists("textDocument/codeAction/resolveSupport/properties", "edit"),
        disabled: is("textDocument/codeAction/disabledSupport"),
        document_changes: is("workspace/workspaceEdit/documentChanges"),
    }
}

/// The folder that the editor works in.
fn root(params: &Value) -> Option<PathBuf> {
    let first = params.pointer("/workspaceFolders/0/uri");
    let uri = first.or_else(|| params.get("rootUri"))?.as_str()?;
    url::Url::parse(uri).ok()?.to_file_path().ok()
}

fn abilities(client: Client) -> InitializeResult {
    let encoding = match client.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
    };
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(Save::Bool(true)),
        ..TextDocumentSyncOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::new(FIX_ALL)]),
        resolve_provider: Some(client.resolves),
        ..CodeActionOptions::default()
    };
    InitializeResult {
        capabilities: ServerCapabilities {
            position_encoding: Some(encoding),
            text_document_sync: Some(TextDocumentSync::Options(sync)),
            hover_provider: Some(HoverProvider::Bool(true)),
            code_action_provider: Some(actions.into()),
            ..ServerCapabilities::default()
        },
        server_info: Some(ServerInfo {
            name: "seawall".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    }
}

/// Takes what the editor sends. Says whether it ended as it should.
fn listen(connection: &Connection, desk: &Desk<'_>, asks: &Sender<Asked>) -> anyhow::Result<bool> {
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(true);
                }
                answer(desk, asks, request);
            }
            Message::Notification(note) if note.method == "exit" => return Ok(false),
            Message::Notification(note) => take(desk, note),
            Message::Response(_) => {}
        }
    }
    Ok(false)
}

fn answer(desk: &Desk<'_>, asks: &Sender<Asked>, request: Request) {
    let Request { id, method, params } = request;
    let read = match method.as_str() {
        "textDocument/hover" => serde_json::from_value::<HoverParams>(params).map(|params| {
            let place = params.text_document_position_params;
            let state = desk.state();
            let document = state.documents.get(&place.text_document.uri);
            let hover = document.and_then(|document| {
                let shown = Desk::shown(&state, &document.name);
                hover::at(desk, document, &shown, place.position)
            });
            drop(state);
            desk.send(Response::new_ok(id.clone(), hover));
        }),
        "textDocument/codeAction" => serde_json::from_value(params).map(|params| {
            desk.begin(&id);
            let _ = asks.send(Asked::Offer(id.clone(), params));
        }),
        "codeAction/resolve" => serde_json::from_value(params).map(|action| {
            desk.begin(&id);
            let _ = asks.send(Asked::Make(id.clone(), action));
        }),
        _ => {
            let message = format!("seawall does not answer `{method}`");
            let code = ErrorCode::MethodNotFound as i32;
            desk.send(Response::new_err(id, code, message));
            return;
        }
    };
    if let Err(error) = read {
        let code = ErrorCode::InvalidParams as i32;
        desk.send(Response::new_err(id, code, error.to_string()));
    }
}

/// Takes note of something. What cannot be read is left out: there is nobody to answer.
fn take(desk: &Desk<'_>, note: Notification) {
    let Notification { method, params } = note;
    match method.as_str() {
        "textDocument/didOpen" => {
            if let Ok(params) = serde_json::from_value::<DidOpenTextDocumentParams>(params) {
                let uri = params.text_document.uri.clone();
                desk.change(|documents| {
                    documents.open(params.text_document);
                    documents.get(&uri)?.subject.clone()
                });
            }
        }
        "textDocument/didChange" => {
            if let Ok(params) = serde_json::from_value::<DidChangeTextDocumentParams>(params) {
                let uri = params.text_document.text_document_identifier.uri;
                let version = params.text_document.version;
                let encoding = desk.client.encoding;
                desk.change(|documents| {
                    documents.change(&uri, version, params.content_changes, encoding)
                });
            }
        }
        "textDocument/didClose" => {
            if let Ok(params) = serde_json::from_value::<DidCloseTextDocumentParams>(params) {
                let uri = params.text_document.uri;
                desk.change(|documents| {
                    documents.close(&uri);
                    None
                });
            }
        }
        "textDocument/didSave" => {
            if let Ok(params) = serde_json::from_value::<DidSaveTextDocumentParams>(params) {
                let uri: Uri = params.text_document.uri;
                desk.change(|documents| documents.saved(&uri));
                // A configuration, or what templates read, may be what was saved.
                desk.judge_all();
            }
        }
        "workspace/didChangeWatchedFiles" => desk.judge_all(),
        "$/cancelRequest" => {
            let id = params.get("id").cloned().unwrap_or_default();
            if let Ok(id) = serde_json::from_value(id) {
                desk.cancel(&id);
            }
        }
        _ => {}
    }
}
