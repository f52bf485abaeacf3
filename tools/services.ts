/** `npm run services`: starts the services that acceptance.yaml names, and leaves them running until Ctrl-C. */
import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf } from '../support/base/errors';
import { readConfig } from '../support/config';
import { closeSession, openSession } from '../support/session/lifecycle';

const USAGE = `usage: npm run services [-- echo]
  echo   the echo composition in place of the two
  TAP_PORT=3999   media-service finds the STS there: the suite's tap listens on it`;

async function main(): Promise<void> {
  const [named] = readCommandLine(USAGE, {}, 1).positionals;
  const isEcho = named === 'echo';
  if (named !== undefined && !isEcho) usageError(USAGE, `unexpected: ${named}`);
  const session = openSession(readConfig);
  const tap = await session.servicesForOthers(isEcho);
  const judged = tap ? `TAP_HOST=${tap.host} TAP_PORT=${tap.port} ` : '';
  console.log(`running, until Ctrl-C; judged by: ${judged}RUNTIME=external npm run acceptance`);
  // A signal ends the session, and with it this process.
  setInterval(() => undefined, 60_000);
}

main().catch(async (error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
  await closeSession();
});
