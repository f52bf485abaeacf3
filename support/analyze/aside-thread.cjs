// What the thread of aside.ts begins with: it has to know TypeScript first.
require('ts-node/register');
const { heavyWork } = require('./heavy-work.ts');

module.exports = ({ name, args }) => heavyWork[name](...args);
