// cucumber-js imports plugins as ES modules, which ts-node does not see: this is the way in.
require('ts-node/register');
module.exports = require('./plugin.ts').plugin;
