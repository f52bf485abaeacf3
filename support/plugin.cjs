// cucumber-js imports plugins as ES modules, and TypeScript comes in by require() only: this is its way in.
require('./base/typescript.cjs');
module.exports = require('./plugin.ts').plugin;
