// Has require() take TypeScript, by the compiler that ts-node uses: for programs and threads that have to begin quickly, and stay small.
// ts-node loads the whole of TypeScript beside it in each, and has a cache in the session's temporary folder.
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
