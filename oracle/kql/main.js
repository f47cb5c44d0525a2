// Binds KQL with Microsoft's own parser (npm `@kusto/language-service-next`), and runs it over rows.
//
// node main.js FOLDER <questions.json >answers.json, FOLDER being where npm installed the parser.
//
// A question is {name, query, tables?: {TABLE: [row]}}, an answer {name, diagnostics: [text], rows?, error?}. A query
// with diagnostics of the severity error is not run.

'use strict';

const fs = require('fs');
const path = require('path');
const vm = require('vm');

const { tables } = require('./tables.js');
const { run } = require('./evaluate.js');

const folder = path.join(process.argv[2], 'node_modules/@kusto/language-service-next');
for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), 'utf8'), { filename: file });
}
const kusto = globalThis.Kusto.Language;

function globals() {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const schema = Object.entries(columns).map(([column, type]) => `['${column}']:${type}`);
    return kusto.Symbols.TableSymbol.From(`(${schema.join(', ')})`).WithName(name);
  });
  const database = new kusto.Symbols.DatabaseSymbol.$ctor1('Logs', symbols);
  return kusto.GlobalState.Default.WithDatabase(database);
}

function diagnostics(code) {
  const found = [];
  const all = code.GetDiagnostics();
  for (let i = 0; i < all.Count; i += 1) {
    const one = all.getItem(i);
    if (one.Severity === 'Error') {
      found.push(`${one.Code} at ${one.Start}: ${one.Message}`);
    }
  }
  return found;
}

const state = globals();
const questions = JSON.parse(fs.readFileSync(0, 'utf8'));
// One query is asked about many logs.
const read = new Map();
function bound(query) {
  if (!read.has(query)) {
    const code = kusto.KustoCode.ParseAndAnalyze(query, state);
    read.set(query, { code, found: diagnostics(code) });
  }
  return read.get(query);
}

const answers = questions.map(({ name, query, tables: rows }) => {
  const { code, found } = bound(query);
  const answer = { name, diagnostics: found };
  if (rows && answer.diagnostics.length === 0) {
    try {
      answer.rows = run(kusto, code.Syntax, rows);
    } catch (error) {
      answer.error = process.env.KQL_TRACE ? error.stack : error.message;
    }
  } else if (rows) {
    answer.error = answer.diagnostics.join('; ');
  }
  return answer;
});
fs.writeSync(1, JSON.stringify(answers));
