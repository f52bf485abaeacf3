// Has require() take TypeScript, by ts-node (tsconfig.json has its options). Each file is compiled once and kept in
// node_modules/.cache until it, or a compiler, changes: a program of this suite starts without a compiler.
const { createHash } = require('node:crypto');
const {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join, relative, resolve } = require('node:path');

const ROOT = resolve(__dirname, '../..');
const FOLDER = join(ROOT, 'node_modules/.cache/typescript');
const { dependencies } = require(join(ROOT, 'package.json'));
const COMPILERS = ['@swc/core', 'ts-node', 'typescript'].map((name) => dependencies[name]);
const OPTIONS = readFileSync(join(ROOT, 'tsconfig.json'));

/** Stack traces show lines of the TypeScript. */
process.setSourceMapsEnabled(true);

let compiler;

function compile(source, filename) {
  compiler ??= startCompiler();
  return compiler.compile(source, filename);
}

function startCompiler() {
  const { prepareStackTrace } = Error;
  const { DISABLE_V8_COMPILE_CACHE } = process.env;
  // Its own cache would be in the folder of temporary files.
  process.env.DISABLE_V8_COMPILE_CACHE = '1';
  const started = require('ts-node').create({ dir: ROOT });
  if (DISABLE_V8_COMPILE_CACHE === undefined) delete process.env.DISABLE_V8_COMPILE_CACHE;
  // It knows only the source maps of what it has compiled itself; Node.js knows all.
  Error.prepareStackTrace = prepareStackTrace;
  return started;
}

/** The JavaScript of a file. Its last line says of which source, so that no older one is taken. */
function compiled(filename) {
  const source = readFileSync(filename, 'utf8');
  const inRoot = relative(ROOT, filename);
  if (inRoot.startsWith('..')) return compile(source, filename);
  const hash = createHash('sha256').update(JSON.stringify([filename, COMPILERS]));
  const mark = `\n//# source ${hash.update(OPTIONS).update(source).digest('hex')}\n`;
  const kept = join(FOLDER, `${inRoot}.js`);
  const code = readKept(kept);
  if (code?.endsWith(mark)) return code;
  const made = compile(source, filename) + mark;
  keep(kept, made);
  return made;
}

function readKept(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Several programs may write the same file at once. Where it cannot be kept, it is compiled again next time. */
function keep(file, code) {
  const pending = `${file}.${process.pid}.${Math.random()}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(pending, code);
    renameSync(pending, file);
  } catch {
    if (existsSync(pending)) rmSync(pending);
  }
}

for (const extension of ['.ts', '.tsx']) {
  require.extensions[extension] = (module, filename) => {
    module._compile(compiled(filename), filename);
  };
}
