// Look for secrets in the files named on standard input, one a line; status 1 when there is any.
// A finding names the file, the line and what it looks like. It never repeats the secret: logs are read by others.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

// Where the packages are is told: a copy of the project, as tests make, has none of its own.
const [packages] = process.argv.slice(2);
const load = (path) => import(new URL(path, `${pathToFileURL(packages)}/`));
const { lintSource } = await load("@secretlint/core/module/index.js");
const { secretLintProfiler } = await load("@secretlint/profiler/module/node.js");
const preset = await load("@secretlint/secretlint-rule-preset-recommend/module/index.js");

// What secretlint's own rules lack and this project handles.
const wanted = {
  // The URL of a Teams workflow, and any storage URL with a shared access signature: both are 32 bytes in
  // base64. The signatures of tests are shorter.
  "signature of a URL": /\bsig=[\w~%+/-]{40,}/g,
  // 64 bytes in base64, as in a connection string. npm's lock has its hashes in the same form.
  "key of an Azure storage account": /(?<!sha512-)(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==/g,
  // An access token: head and content are JSON objects.
  "JSON Web Token": /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g,
};
const harmless = new Set([
  // The storage emulator's key: Microsoft publishes it, and it opens no account.
  // https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
]);
const own = Object.entries(wanted).map(([name, pattern]) => ({
  meta: { id: name, recommended: true, type: "scanner", supportedContentTypes: ["text"] },
  messages: {},
  create: (context) => ({
    file(source) {
      for (const found of source.content.matchAll(pattern)) {
        if (harmless.has(found[0])) continue;
        context.report({ message: { message: name, messageId: name }, range: [found.index, found.index + found[0].length] });
      }
    },
  }),
}));
// Without the rule that lets a comment silence the others: an exception stands above, with its reason.
const silencer = "@secretlint/secretlint-rule-filter-comments";
const rules = [...preset.rules.filter((rule) => rule.meta.id !== silencer), ...own].map((rule) => ({ id: rule.meta.id, rule }));

// It searches all marks at each mark, and makes hundreds per file.
secretLintProfiler.mark = () => {};

let findings = 0;
for (const path of (await text(process.stdin)).split("\n").filter(Boolean)) {
  const content = await readFile(path, "utf8");
  if (content.includes("\0")) continue; // a picture
  const source = { filePath: path, content, contentType: "text" };
  const { messages } = await lintSource({ source, options: { config: { rules } } });
  for (const { loc, ruleId } of messages) {
    console.log(`${path}:${loc.start.line}: ${ruleId.replace("@secretlint/secretlint-rule-", "")}`);
    findings += 1;
  }
}
process.exit(findings === 0 ? 0 : 1);
