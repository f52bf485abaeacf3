// What the worker thread of worker-thread.ts begins with: it has to know TypeScript first. This is the compiler that ts-node uses; ts-node
// itself would take 40 MB more in each thread, and keep a cache in the session's temporary folder.
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

const OPTIONS = {
  swcrc: false,
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  // A real import() stays one: it loads packages that have no entry for require().
  module: { type: 'commonjs', ignoreDynamic: true },
};

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...OPTIONS, filename });
  module._compile(code, filename);
};

const { heavyWork } = require('./worker-tasks.ts');

module.exports = ({ name, args }) => heavyWork[name](...args);
