// Starts `seawall lsp` and shows what it says. Judging, fixing and explaining are all there.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { homedir } = require('node:os');
const vscode = require('vscode');
const { CloseAction, ErrorAction, LanguageClient } = require('vscode-languageclient/node');

// By name, as seawall itself tells them: other extensions call the same files `helm`, `arm-template`, ...
const FILES = '**/*.{yaml,yml,json,bicep,bicepparam,tf,tfvars}';

/** As long as that may take to answer. */
const PATIENCE = 20_000;

class Client extends LanguageClient {
  /** Whether it has ever answered. */
  begun = false;
  program = undefined;

  /** Without the words of the protocol; why it does not begin, `tell` says. */
  error(message, data, show = true) {
    super.error(message, data, false);
    const what = message.includes('codeAction/resolve') ? 'not done: ' : '';
    if (show && this.begun) vscode.window.showErrorMessage(`seawall: ${what}${data?.message ?? message}`);
  }
}

let client;
let output;
let watcher;

async function start() {
  const settings = vscode.workspace.getConfiguration('seawall');
  const command = settings.get('path') || 'seawall';
  const args = ['lsp'];
  if (!settings.get('unknown')) args.push('--no-unknown');
  const version = settings.get('kubernetes');
  if (version) args.push('--kubernetes', version);
  // Windows looks for a program in the working folder first.
  const folder = vscode.workspace.isTrusted && vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;

  let said = '';
  let fail;
  const failed = new Promise((_, reject) => (fail = reject));
  const launch = async () => {
    const child = spawn(command, args, { cwd: folder || homedir() });
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stderr.on('data', (text) => {
      if (!own.begun) said += text;
    });
    await once(child, 'spawn');
    ended.then(fail);
    own.program = { child, ended };
    return child;
  };
  const own = new Client('seawall', 'seawall', launch, {
    documentSelector: [
      { scheme: 'file', pattern: FILES },
      { scheme: 'file', language: 'markdown' },
      { scheme: 'untitled', language: 'yaml' },
      { scheme: 'untitled', language: 'json' },
    ],
    outputChannel: output,
    synchronize: { fileEvents: watcher },
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => (own.begun ? crashes.closed() : { action: CloseAction.DoNotRestart, handled: true }),
    },
    middleware: { provideCodeActions: withReasons },
  });
  const crashes = own.createDefaultErrorHandler();
  client = own;
  const late = setTimeout(fail, PATIENCE);
  try {
    await Promise.race([own.start(), failed]);
    own.begun = true;
  } catch (error) {
    await stop();
    const reason = error?.code === 'ENOENT' ? 'was not found' : `cannot be run (${error?.code})`;
    if (error?.syscall?.startsWith('spawn')) tell(`\`${command}\` ${reason}`);
    else tell(said.trim() || `\`${command} lsp\` does not answer as seawall does`);
  }
  clearTimeout(late);
}

async function stop() {
  const program = client?.program;
  await client?.dispose().catch(() => {});
  program?.child.kill('SIGKILL');
  await program?.ended;
}

/** Says why it does not start, and what to do. Nobody waits for the answer. */
async function tell(why) {
  const help = 'Install seawall, or say where it is: the setting `seawall.path`.';
  const go = 'Open Settings';
  const chosen = await vscode.window.showErrorMessage(`seawall does not start: ${why}. ${help}`, go);
  if (chosen !== go) return;
  // The program runs where the files are.
  const where = vscode.env.remoteName ? 'openRemoteSettings' : 'openSettings';
  vscode.commands.executeCommand(`workbench.action.${where}`, { query: 'seawall.path' });
}

/** What cannot be fixed says why: actions that cannot be taken are not listed here. */
async function withReasons(document, range, context, token, next) {
  const actions = (await next(document, range, context, token)) ?? [];
  for (const action of actions.filter((action) => action.disabled)) {
    const { reason } = action.disabled;
    action.disabled = undefined;
    action.command = { command: 'seawall.why', title: action.title, arguments: [`${action.title}: ${reason}`] };
    action.title = `${action.title}: not here, …`;
  }
  return actions;
}

let turn = Promise.resolve();

/** One after the other: of two at once, one would never be stopped. */
function inTurn(...steps) {
  for (const step of steps) turn = turn.then(step);
  return turn;
}

const restart = () => inTurn(stop, start);

exports.activate = (context) => {
  output = vscode.window.createOutputChannel('seawall', { log: true });
  // What is judged beside what is open: the configuration, parameters, modules.
  watcher = vscode.workspace.createFileSystemWatcher('**/*.{yaml,yml,json,bicep,bicepparam,tf,tfvars,cel}');
  context.subscriptions.push(
    output,
    watcher,
    vscode.commands.registerCommand('seawall.restart', restart),
    vscode.commands.registerCommand('seawall.why', (why) => vscode.window.showInformationMessage(why)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('seawall')) restart();
    }),
  );
  inTurn(start);
};

exports.deactivate = () => inTurn(stop);
