// Checks that the feature files are formatted as `gherkin-utils format` would; `--write` formats them.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const features = readdirSync(join(root, 'features'), { recursive: true })
  .filter((name) => name.endsWith('.feature'))
  .map((name) => join('features', name));
for (const feature of features) {
  const source = readFileSync(join(root, feature), 'utf8');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/.bin/gherkin-utils'), 'format'],
    { input: source, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${feature}: ${stderr}`);
  if (stdout === source) continue;
  if (process.argv.includes('--write')) {
    writeFileSync(join(root, feature), stdout);
  } else {
    console.log(`${feature} is not formatted: npm run format`);
    process.exitCode = 1;
  }
}
