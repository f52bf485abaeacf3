/** The folder table of the design: which parts of the project each one may import, besides itself and packages. */
const BASE = 'support/base';
const CONFIG = 'support/config';
const PLATFORM = 'support/platform';
const CORE = [BASE, 'support/contract', 'support/broadcast'];
const PARTS = ['support/environment', 'support/observe', 'support/analyze'];
const JUDGED = [...CORE, CONFIG, PLATFORM, ...PARTS, 'support/checks'];
const WORLD = [...JUDGED, 'support/report', 'support/session', 'support/world'];

const MAY_IMPORT = {
  [BASE]: [],
  'support/contract': [BASE],
  'support/broadcast': [BASE, 'support/contract'],
  [CONFIG]: CORE,
  [PLATFORM]: [BASE],
  'support/environment': [BASE, CONFIG, PLATFORM],
  'support/observe': CORE,
  'support/analyze': [...CORE, PLATFORM],
  'support/checks': [...CORE, ...PARTS],
  'support/report': JUDGED,
  // What is spoken for the first time is made during a run.
  'support/session': [...JUDGED, 'support/report', 'fixtures'],
  // Records of runs, made of what reports show.
  'support/history': [...JUDGED, 'support/report'],
  'support/world': [...JUDGED, 'support/report', 'support/session'],
  'support/parameter-types': [...CORE, 'support/session'],
  'support/hooks': [...WORLD, 'support/parameter-types'],
  'support/plugin': [...WORLD, 'support/history'],
  // Steps reach services, publisher and observers through World and session, and pass limits to the checks.
  'step-definitions': [...CORE, 'support/checks', 'support/session', 'support/world'],
  fixtures: [...CORE, PLATFORM, 'support/analyze'],
  scripts: [...WORLD, 'support/history'],
  // What is altered in evidence is one thing, how it is judged is the business of the scenarios.
  'tools/prove': [...JUDGED, 'support/report'],
  'tools/(?!prove/)': [
    ...[...JUDGED, 'support/report', 'support/history', 'support/session', 'test/foreign'],
    // Pictures of pages are taken in the browser of their tests.
    'test/report/browser',
  ],
  // Beside the services: what the suite makes of them is none of their business.
  'test/foreign': [BASE, CONFIG, 'support/environment'],
};

/** A folder, or a module by its name without the extension. */
const pattern = (part) => `^${part}(/|\\.|$)`;
const isInTools = (part) => part.startsWith('tools');

const folderRules = Object.entries(MAY_IMPORT).map(([part, allowed]) => ({
  name: `imports of ${part}`,
  severity: 'error',
  from: { path: isInTools(part) ? `^${part}` : pattern(part) },
  to: {
    path: '^(support|step-definitions|fixtures|scripts|tools|test|compose)/',
    pathNot: [isInTools(part) ? '^tools/' : pattern(part), ...allowed.map(pattern)],
  },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    { name: 'no cycles of files', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no cycles of folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
