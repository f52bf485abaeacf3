/**
 * `stand-in.ts SERVICE SYSTEM FLAW COMMAND …`: runs in the place of a reference service (`compose/`), starts it on another
 * port, and is between it and everybody else. SERVICE is `media-service` or `sts`, FLAW is empty for the conforming system.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { readConfig } from '../../support/config';
import { freePort } from '../../support/environment/ports';
import type { Side } from './clothes';
import { startRelay } from './relay';
import { clothesOf } from './systems';

async function main(): Promise<void> {
  const [service = '', system = '', flaw = '', program = '', ...args] = process.argv.slice(2);
  const side: Side = service === 'media-service' ? service : 'sts';
  const clothes = clothesOf(side, system, flaw);
  const { variables } = readConfig();
  const host = variables['HOST'] ?? '127.0.0.1';
  const port = await freePort();
  const environment: NodeJS.ProcessEnv = {
    ...{ ...variables, ...clothes.environment },
    ...{ HOST: '127.0.0.1', PORT: String(port) },
  };
  await startRelay(`http://127.0.0.1:${port}`, clothes, { host, port: Number(variables['PORT']) });
  if (side === 'media-service') {
    const sts = await startRelay(variables['STS_SERVICE_URL'] ?? '', clothes, {
      ...{ host: '127.0.0.1', port: 0 },
    });
    environment['STS_SERVICE_URL'] = `http://127.0.0.1:${sts.port}`;
  }
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    (clothes.line?.(line) ?? [line]).forEach((one) => process.stdout.write(`${one}\n`));
  });
  // The service ends in its own time, and this program with it.
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  signals.forEach((signal) => process.on(signal, () => child.kill(signal)));
  child.once('close', (code) => process.exit(code ?? 1));
}

void main();
