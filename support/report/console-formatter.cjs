// cucumber-js imports formatters as ES modules, and TypeScript comes in by require() only: this is its way in.
require('../base/typescript.cjs');
module.exports = require('./console.ts').consoleFormatter;
