// `npm run engine:stop [-- --force]`: stops the Docker engine that `npm run setup -- --docker` has started; by force with the
// containers that run in it.
import { parseArgs } from 'node:util';

import { refuseTakenByNpm, SetupError } from './commands.mjs';
import { stopEngine } from './docker.mjs';

refuseTakenByNpm('engine:stop', ['force']);
try {
  const { values } = parseArgs({ options: { force: { type: 'boolean' } } });
  console.log(`engine: ${await stopEngine({ force: values.force ?? false })}`);
} catch (error) {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS');
  if (isUsage) console.error(`${error.message}\nusage: npm run engine:stop [-- --force]`);
  else console.error(error instanceof SetupError ? `engine: ${error.message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
