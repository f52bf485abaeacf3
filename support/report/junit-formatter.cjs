// cucumber-js imports formatters as ES modules, which ts-node does not see: this is the way in.
require('ts-node/register');
module.exports = require('./junit.ts').junitFormatter;
