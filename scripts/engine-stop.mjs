// `npm run engine:stop`: stops the Docker engine that `npm run setup -- --docker` has started.
import { SetupError } from './commands.mjs';
import { stopEngine } from './docker.mjs';

try {
  console.log(`engine: ${await stopEngine({ force: process.argv.includes('--force') })}`);
} catch (error) {
  console.error(error instanceof SetupError ? `engine: ${error.message}` : error);
  process.exitCode = 1;
}
