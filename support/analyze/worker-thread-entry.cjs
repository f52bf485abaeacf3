// What the worker thread of worker-thread.ts begins with.
require('../base/typescript.cjs');

const { heavyWork } = require('./worker-tasks.ts');

module.exports = ({ name, args }) => heavyWork[name](...args);
