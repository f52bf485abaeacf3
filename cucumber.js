// Profiles: default, p1, debug; messages.
// `paths` is left unset: paths of the command line would be added to it instead of replacing it.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { parseArgs } = require('node:util');

// Where a Docker engine answers, the set-up makes an image in place of a Python environment.
const hasImage =
  process.env.RUNTIME !== 'host' && existsSync(join(__dirname, '.tools/tools-image'));
const missing = ['.tools/mediamtx', '.venv/bin/python'].filter(
  (path) => !existsSync(join(__dirname, path)),
);
if (missing.length > 0 && !hasImage) {
  console.error(
    `The set-up has not been run (no ${missing.join(', no ')}).\n` +
      'Run: npm run setup   (or npm run acceptance, which does it first)',
  );
  process.exit(2);
}

require('./support/base/typescript.cjs');
const { reportsFolderOf } = require('./support/config');
const { claim } = require('./support/platform/claim');
const { ALLOCATOR } = require('./support/platform/memory');
const {
  formatsInto,
  makeReportsFolder,
  NOTHING_RUN,
  removePending,
} = require('./support/report/result-files');

const reports = reportsFolderOf(process.env);

// They are this program's own (scripts/cucumber.mjs), and not those of the services that it starts.
for (const [name, value] of Object.entries(ALLOCATOR)) {
  if (process.env[name] === value) delete process.env[name];
}

const several = { type: 'string', multiple: true };
// cucumber-js puts plugins of the command line in the place of these, one by one: the suite's own comes after them.
const { plugin: otherPlugins = [], profile: asked = [] } = parseArgs({
  ...{ strict: false, options: { plugin: several, profile: { ...several, short: 'p' } } },
}).values;

const common = {
  requireModule: [join(__dirname, 'support/base/typescript.cjs')],
  require: [
    'support/world.ts',
    'support/parameter-types.ts',
    'support/hooks.ts',
    'step-definitions/**/*.ts',
  ],
  plugin: [...otherPlugins, './support/plugin.cjs'],
  format: [['./support/report/console-formatter.cjs'], ...formatsInto(reports)],
  formatOptions: { snippetInterface: 'async-await', printAttachments: false },
  publish: false,
  strict: true,
};

const profiles = {
  default: common,
  // For programs that read nothing but the messages and the verdicts: `npm run prove`, and runs inside of a run.
  messages: {
    ...common,
    format: [['./support/report/console-formatter.cjs'], ...formatsInto(reports, ['message'])],
    pluginOptions: { acceptance: { reports: false } },
  },
  p1: { ...common, tags: '@P1' },
  debug: { ...common, failFast: true, backtrace: true },
};

module.exports.default = async () => {
  const unknown = asked.find((name) => !Object.keys(profiles).includes(name));
  if (unknown !== undefined) {
    console.error(
      `--profile ${unknown}: there are ${Object.keys(profiles).join(', ')}\n${NOTHING_RUN}`,
    );
    process.exit(2);
  }
  try {
    makeReportsFolder(reports);
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  if (!(await claim(`reports ${reports}`))) {
    console.error(
      `Another run of the suite is writing its results to ${reports}: nothing is run.\n` +
        'Wait for its end, or choose another REPORTS_DIR, and other ports (docs/your-own-services.md, Configuration).',
    );
    process.exit(2);
  }
  removePending(reports);
  return profiles;
};
