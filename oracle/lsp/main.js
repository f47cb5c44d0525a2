// An editor as far as a language server sees one: Microsoft's client of the protocol (vscode-languageserver-protocol,
// which VS Code uses) and its texts (vscode-languageserver-textdocument). It plays a script and prints what came of
// each step:  node main.js PROTOCOL TEXTS FOLDER PROGRAM ARGUMENT… < SCRIPT
// The first two are folders with node_modules, FOLDER is what the editor works in, a script is
// {"capabilities": …, "steps": [{"do": …}]}.
const path = require('path');
const fs = require('fs');
const { spawn } = require('child_process');
const { createRequire } = require('module');
const { pathToFileURL } = require('url');

const [protocolFolder, textsFolder, folder, program, ...programArguments] = process.argv.slice(2);
const from = (place, name) => createRequire(path.join(place, 'main.js'))(name);
const protocol = from(protocolFolder, 'vscode-languageserver-protocol/node');
const { TextDocument } = from(textsFolder, 'vscode-languageserver-textdocument');

const uriOf = (name) => pathToFileURL(path.join(folder, name)).toString();

async function main() {
  const script = JSON.parse(fs.readFileSync(0, 'utf8'));
  const server = spawn(program, programArguments, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.on('exit', resolve));
  const connection = protocol.createProtocolConnection(
    new protocol.StreamMessageReader(server.stdout),
    new protocol.StreamMessageWriter(server.stdin),
  );
  const documents = new Map();
  const published = new Map();
  const waiting = [];
  connection.onNotification(protocol.PublishDiagnosticsNotification.type, (params) => {
    const before = published.get(params.uri);
    const times = before && before.version === params.version ? before.times + 1 : 1;
    published.set(params.uri, { ...params, times, at: performance.now() });
    for (const look of waiting.splice(0)) look();
  });
  connection.listen();

  // What was said of the version that is open, the first time or a later one.
  async function diagnostics(uri, times = 1) {
    for (;;) {
      const known = published.get(uri);
      if (known && known.version === documents.get(uri).version && known.times >= times) return known;
      await new Promise((resolve) => waiting.push(resolve));
    }
  }

  async function publish(uri, send) {
    published.delete(uri);
    const begun = performance.now();
    await send();
    return (await diagnostics(uri)).at - begun;
  }

  function textOf(uri) {
    const open = documents.get(uri);
    if (open) return open;
    return TextDocument.create(uri, '', 0, fs.readFileSync(new URL(uri), 'utf8'));
  }

  // The texts that an edit leaves, by file.
  function applied(edit) {
    const texts = {};
    const name = (uri) => path.relative(folder, decodeURIComponent(new URL(uri).pathname));
    for (const [uri, edits] of Object.entries(edit.changes ?? {})) {
      texts[name(uri)] = TextDocument.applyEdits(textOf(uri), edits);
    }
    const made = new Set();
    for (const change of edit.documentChanges ?? []) {
      if (change.kind === 'create') {
        made.add(change.uri);
      } else if (change.kind === 'delete') {
        texts[name(change.uri)] = null;
      } else {
        const { uri, version } = change.textDocument;
        const before = made.has(uri) ? TextDocument.create(uri, '', 0, '') : textOf(uri);
        if (documents.has(uri) && documents.get(uri).version !== version) {
          throw new Error(`edits of version ${version}`);
        }
        texts[name(uri)] = TextDocument.applyEdits(before, change.edits);
      }
    }
    return texts;
  }

  const steps = {
    async open({ path: name, text, language }) {
      const uri = uriOf(name);
      const document = TextDocument.create(uri, language, 1, text);
      documents.set(uri, document);
      const send = () =>
        connection.sendNotification(protocol.DidOpenTextDocumentNotification.type, {
          textDocument: { uri, languageId: language, version: 1, text },
        });
      return { milliseconds: await publish(uri, send) };
    },
    // Each change is `{range, text}`, or `{text}` for all of it.
    async change({ path: name, changes, waits = true }) {
      const uri = uriOf(name);
      const document = documents.get(uri);
      const version = document.version + 1;
      documents.set(uri, TextDocument.update(document, changes, version));
      const send = () =>
        connection.sendNotification(protocol.DidChangeTextDocumentNotification.type, {
          textDocument: { uri, version },
          contentChanges: changes,
        });
      if (!waits) return send();
      return { milliseconds: await publish(uri, send), text: documents.get(uri).getText() };
    },
    async close({ path: name }) {
      const uri = uriOf(name);
      published.delete(uri);
      await connection.sendNotification(protocol.DidCloseTextDocumentNotification.type, { textDocument: { uri } });
      while (!published.has(uri)) await new Promise((resolve) => waiting.push(resolve));
      documents.delete(uri);
      return published.get(uri).diagnostics;
    },
    async diagnostics({ path: name, times }) {
      return (await diagnostics(uriOf(name), times)).diagnostics;
    },
    // The titles of what can be done about the diagnostics with a code, or in all of the file.
    async actions({ path: name, code, only }) {
      return (await offered(name, code, only)).map(({ title, kind, disabled }) => ({ title, kind, disabled }));
    },
    // The texts that the first action leaves whose title contains a text.
    async act({ path: name, code, only, title = '' }) {
      const all = await offered(name, code, only);
      const action = all.find((one) => !one.disabled && one.title.includes(title));
      if (!action) throw new Error(`nothing offered: ${JSON.stringify(all)}`);
      if (action.edit) return applied(action.edit);
      const resolved = await connection.sendRequest(protocol.CodeActionResolveRequest.type, action);
      return applied(resolved.edit);
    },
    // Asks for actions and gives it up at once, once while the server is busy with another; the error that came of it.
    async cancel({ path: name, code }) {
      const busy = offered(name, code);
      const source = new protocol.CancellationTokenSource();
      const given = offered(name, code, undefined, source.token).then(
        () => null,
        (error) => error.code,
      );
      source.cancel();
      return { code: await given, others: (await busy).length };
    },
    async hover({ path: name, position }) {
      const hover = await connection.sendRequest(protocol.HoverRequest.type, {
        textDocument: { uri: uriOf(name) },
        position,
      });
      return hover && { page: hover.contents.value, range: hover.range };
    },
  };

  async function offered(name, code, only, token) {
    const uri = uriOf(name);
    const all = (await diagnostics(uri)).diagnostics;
    const meant = code === undefined ? [] : all.filter((one) => one.code === code).slice(0, 1);
    const range = meant[0]?.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
    const params = { textDocument: { uri }, range, context: { diagnostics: meant, only } };
    return connection.sendRequest(protocol.CodeActionRequest.type, params, token);
  }

  const root = pathToFileURL(folder).toString();
  const begun = await connection.sendRequest(protocol.InitializeRequest.type, {
    processId: process.pid,
    rootUri: root,
    workspaceFolders: [{ uri: root, name: 'root' }],
    capabilities: script.capabilities,
  });
  await connection.sendNotification(protocol.InitializedNotification.type, {});
  const results = [];
  for (const step of script.steps) {
    try {
      results.push((await steps[step.do](step)) ?? null);
    } catch (error) {
      results.push({ error: error.message });
    }
  }
  await connection.sendRequest(protocol.ShutdownRequest.type);
  await connection.sendNotification(protocol.ExitNotification.type);
  const code = await ended;
  process.stdout.write(JSON.stringify({ abilities: begun.capabilities, code, results }), () => process.exit(0));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
