// Checks that Cucumber's language service, which the editor extension consists of, knows every step of the features.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { ExpressionBuilder, getGherkinDiagnostics } from '@cucumber/language-service';
import { WasmParserAdapter } from '@cucumber/language-service/wasm';

import { filesBelow, root } from './commands.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const service = createRequire(import.meta.url).resolve('@cucumber/language-service');
const parser = new WasmParserAdapter(join(dirname(service), '../..'));
await parser.init();

// The same files as in .vscode/settings.json.
const glue = [
  'support/parameter-types.ts',
  ...filesBelow('step-definitions', (name) => name.endsWith('.ts')),
];
const sources = glue.map((uri) => ({ languageName: 'tsx', uri, content: read(uri) }));
const { expressionLinks, errors } = new ExpressionBuilder(parser).build(sources, []);
const expressions = expressionLinks.map(({ expression }) => expression);
const faults = errors.map(({ message }) => message);
for (const feature of filesBelow('features', (name) => name.endsWith('.feature'))) {
  for (const { range, message } of getGherkinDiagnostics(read(feature), expressions)) {
    faults.push(`${feature}:${range.start.line + 1}: ${message}`);
  }
}
faults.forEach((one) => console.log(one));
if (faults.length > 0) process.exitCode = 1;
