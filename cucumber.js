// Profiles: default, p1, debug; prove.
// `paths` is left unset: paths of the command line would be added to it instead of replacing it.
const { existsSync, mkdirSync } = require('node:fs');
const { join, resolve } = require('node:path');

const missing = ['.tools/mediamtx', '.venv/bin/python'].filter(
  (path) => !existsSync(join(__dirname, path)),
);
if (missing.length > 0) {
  console.error(
    `The set-up has not been run (no ${missing.join(', no ')}).\n` +
      'Run: npm run setup   (or npm run acceptance, which does it first)',
  );
  process.exit(2);
}

require('ts-node/register');
const { claim } = require('./support/environment/claim');

const reports = process.env.REPORTS_DIR || 'reports';

const common = {
  requireModule: ['ts-node/register'],
  require: [
    'support/world.ts',
    'support/parameter-types.ts',
    'support/hooks.ts',
    'step-definitions/**/*.ts',
  ],
  format: [
    ['./support/report/live-formatter.cjs'],
    ['html', `${reports}/cucumber.html`],
    ['json', `${reports}/cucumber.json`],
    ['junit', `${reports}/junit.xml`],
    ['message', `${reports}/messages.ndjson`],
  ],
  formatOptions: { snippetInterface: 'async-await', printAttachments: false },
  publish: false,
  strict: true,
};

module.exports.default = async () => {
  if (!(await claim(`reports ${resolve(reports)}`))) {
    console.error(
      `Another run of the suite writes its results to ${resolve(reports)} and goes on: nothing is run.\n` +
        'Wait for its end, or choose another REPORTS_DIR, and other ports (README, Configuration).',
    );
    process.exit(2);
  }
  mkdirSync(reports, { recursive: true });
  return {
    default: common,
    // For `npm run prove`, which reads nothing but the messages.
    prove: { ...common, format: [['message', `${reports}/messages.ndjson`]] },
    p1: { ...common, tags: '@P1' },
    debug: { ...common, failFast: true, backtrace: true },
  };
};
