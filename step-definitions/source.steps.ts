import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { Given, Then, When } from '@cucumber/cucumber';
import { stringify } from 'yaml';

import { isError, type LogLine, linesOf } from '../support/analyze/service-log';
import { now } from '../support/base/clock';
import { eventually } from '../support/base/eventually';
import { publish } from '../support/observe/publisher';
import { fixtureNames } from '../support/parameter-types';
import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';

/** How long media-service may take to give up: 1, 2 and 4 s, and what connecting takes. */
const GIVES_UP_MS = 30_000;

function hasExitCode({ fields }: LogLine): boolean {
  return typeof fields['exit_code'] === 'number';
}

Given('a media composition whose broadcasts nobody can read', async function (this: DubbingWorld) {
  const { testHost, name: runtimeName } = await this.session.runtime();
  const tries: number[] = [];
  const listener = createServer((socket) => {
    tries.push(now());
    socket.destroy();
  });
  await new Promise<void>((done, failed) => {
    listener.once('error', failed).listen(0, testHost.address, done);
  });
  this.cleanups.push(() => new Promise((done) => listener.close(() => done())));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const folder = join(this.session.config.reportsFolder, 'nested');
  mkdirSync(folder, { recursive: true });
  const { name } = (await this.session.settings()).services.mediaService;
  const environment = { MEDIAMTX_RTSP_URL: `rtsp://${testHost.name}:${port}` };
  const overlay = join(folder, 'nobody-reads.yml');
  // Docker Compose would take this x-host in place of the service's own, which it has no use for.
  const asProcess = runtimeName === 'host' ? { 'x-host': { environment } } : {};
  const service = { environment, ...asProcess };
  writeFileSync(overlay, stringify({ services: { [name]: service } }));
  const nothing = join(folder, 'nothing.yml');
  writeFileSync(nothing, stringify({ services: {} }));
  const { manager } = await this.secondServices({ media: overlay, sts: nothing });
  await manager.start(manager.media);
  this.tries.value = tries;
});

When('a short broadcast is published to it', async function (this: DubbingWorld) {
  const { mediaServer, mediaService } = this.settings.value.services;
  const stream = `test_unread_${Date.now()}`;
  const { path } = this.session.fixture(fixtureNames['short broadcast']);
  const publication = publish(path, `${mediaServer.rtsp}/live/${stream}/in`, this.session.track);
  this.cleanups.push(async () => {
    publication.stop();
    await publication.result;
  });
  const { runtime, media } = this.manager.value;
  const ended = async (): Promise<LogLine[]> => {
    const log = await runtime.logs(media, mediaService.name);
    const lines = linesOf(log, stream);
    if (!lines.some(hasExitCode)) throw new Error(lines.at(-1)?.message ?? 'nothing logged');
    return lines;
  };
  this.unread.value = await eventually('the end of its worker', ended, { withinMs: GIVES_UP_MS });
});

Then(
  'media-service tried to read it again after {int}, {int} and {int} seconds',
  function (this: DubbingWorld, a: number, b: number, c: number) {
    const tries = this.tries.value;
    // A client may open more than one connection for one try.
    const begins = tries.filter((at, i) => i === 0 || at - (tries[i - 1] ?? 0) > 500);
    const gaps = begins.slice(1).map((at, i) => (at - (begins[i] ?? NaN)) / 1000);
    this.log(`${gaps.map((gap) => gap.toFixed(2)).join(', ')} s`);
    const wanted = [a, b, c];
    const isFine = gaps.every((gap, i) => Math.abs(gap - (wanted[i] ?? NaN)) <= 0.5);
    expectThat(gaps.length === wanted.length && isFine, {
      what: 'it tried at other times',
      where: 'connections to the address where broadcasts were to be read',
      seen: `${gaps.map((gap) => gap.toFixed(2)).join(', ') || 'no second try'} s`,
      expected: `${wanted.join(', ')} s, give or take 0.5 s, and no further try`,
    });
  },
);

Then(
  'it logged an error that names {string}, and its worker ended with an exit code other than 0',
  function (this: DubbingWorld, text: string) {
    const lines = this.unread.value;
    const error = lines.find((line) => isError(line) && line.message.includes(text));
    const code = lines.find(hasExitCode)?.fields['exit_code'];
    this.log(JSON.stringify(error?.fields ?? 'none'));
    expectThat(error !== undefined && typeof code === 'number' && code !== 0, {
      what: 'it did not say that the broadcast could not be read',
      where: 'media-service.log',
      seen: `exit code ${String(code)}; ${lines
        .slice(-5)
        .map(({ fields }) => JSON.stringify(fields))
        .join('\n')}`,
      expected: `an error with "${text}", and another exit code than 0`,
    });
  },
);
