// Starts `seawall lsp` and shows what it says. Judging, fixing and explaining are all there.
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

function start() {
  const settings = vscode.workspace.getConfiguration('seawall');
  const args = ['lsp'];
  if (!settings.get('unknown')) args.push('--no-unknown');
  const version = settings.get('kubernetes');
  if (version) args.push('--kubernetes', version);
  const languages = ['yaml', 'json', 'jsonc', 'bicep', 'bicep-params', 'terraform'];
  const selector = languages.flatMap((language) => [
    { scheme: 'file', language },
    { scheme: 'untitled', language },
  ]);
  selector.push({ scheme: 'file', language: 'markdown', pattern: '**/guide/**/*.md' });
  client = new LanguageClient(
    'seawall',
    'seawall',
    { command: settings.get('path'), args },
    {
      documentSelector: selector,
      // What is judged beside what is open: the configuration, parameters, modules.
      synchronize: {
        fileEvents: vscode.workspace.createFileSystemWatcher('**/*.{yaml,yml,json,bicep,bicepparam,tf,tfvars}'),
      },
    },
  );
  return client.start().catch((error) => {
    const help = 'Install seawall, or say where it is (seawall.path).';
    vscode.window.showErrorMessage(`seawall does not start: ${error.message}. ${help}`);
  });
}

async function restart() {
  await client?.stop().catch(() => {});
  await start();
}

exports.activate = async (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand('seawall.restart', restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('seawall')) restart();
    }),
  );
  await start();
};

exports.deactivate = () => client?.stop();
