// What the worker thread of worker-thread.ts begins with: it has to know TypeScript first. ts-node would keep a cache in the session's
// temporary folder, and make that again when it has just been removed.
process.env.DISABLE_V8_COMPILE_CACHE = '1';
require('ts-node/register');
const { heavyWork } = require('./worker-tasks.ts');

module.exports = ({ name, args }) => heavyWork[name](...args);
