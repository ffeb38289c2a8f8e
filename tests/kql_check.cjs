// Parses and type-checks Kusto queries with Microsoft's own parser (@kusto/language-service-next).
//   node kql_check.cjs FOLDER_OF_THE_PARSER TABLES.json QUERY.kql...
// Prints FILE:LINE:COLUMN, severity, code and message of everything it complains about.
const fs = require('fs');
const path = require('path');

const [parser, tablesFile, ...files] = process.argv.slice(2);
require(path.join(parser, 'bridge.js'));
require(path.join(parser, 'Kusto.Language.Bridge.js'));
const { KustoCode, GlobalState, Symbols } = Kusto.Language;

const listOf = (type, items) => {
  const list = new (System.Collections.Generic.List$1(type).ctor)();
  items.forEach((item) => list.add(item));
  return list;
};
const { tables } = JSON.parse(fs.readFileSync(tablesFile, 'utf8'));
const symbols = Object.entries(tables).map(([table, columns]) => {
  const schema = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
  return new Symbols.TableSymbol.$ctor7(table, `(${schema.join(', ')})`, null);
});
const workspace = new Symbols.DatabaseSymbol.$ctor3('workspace', null, listOf(Symbols.Symbol, symbols), false);
const globals = GlobalState.Default.WithDatabase(workspace);

for (const file of files) {
  const text = fs.readFileSync(file, 'utf8');
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  for (let i = 0; i < found.Count; i++) {
    const { Start, Severity, Code, Message } = found.getItem(i);
    const before = text.slice(0, Start).split('\n');
    console.log(`${file}:${before.length}:${before.at(-1).length + 1} ${Severity} ${Code} ${Message}`);
  }
}
