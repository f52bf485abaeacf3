import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { inWorkerThread } from '../../support/analyze/worker-thread';
import { projectRoot } from '../../support/config';
import { setOnAir } from '../../support/platform/priority';
import { placeDubs } from '../../support/analyze/dub-placement';
import { noise } from './make-media';

const RATE_HZ = 4000;
const TASKS = '/proc/self/task';
const noThreads = existsSync(TASKS) ? false : 'threads are not told on this system';

describe('heavy work', () => {
  it('does not keep messages waiting', async () => {
    // The first task starts the thread.
    await inWorkerThread(
      'detectLanguage',
      'El quarterback toma la bola y busca un jugador abierto.',
    );
    const samples = noise(120 * RATE_HZ, 1);
    const source = { samples, rateHz: RATE_HZ, firstPtsSeconds: 0 };
    const audio = Array.from({ length: 20 }, (_, i) =>
      samples.slice(i * 6 * RATE_HZ, (i + 1) * 6 * RATE_HZ),
    );
    let longest = 0;
    const done = new AbortController();
    const begun = performance.now();
    const watch = (async (): Promise<void> => {
      for (let last = performance.now(); !done.signal.aborted; last = performance.now()) {
        await delay(5);
        longest = Math.max(longest, performance.now() - last);
      }
    })();
    const found = await inWorkerThread('startsIn', source, audio);
    const took = performance.now() - begun;
    done.abort();
    await watch;
    expect(found.map((one) => one.observed && Math.round(one.seconds))).to.deep.equal(
      audio.map((_, i) => 6 * i),
    );
    // In this thread, one wait would have lasted as long as the work.
    expect(longest / took).to.be.below(0.5);
  });

  it('yields to broadcasts, and less once nothing is on the air', { skip: noThreads }, async () => {
    const priorities = async (): Promise<string[]> => {
      await inWorkerThread('detectLanguage', 'Hola, ¿qué tal?');
      return readdirSync(TASKS).map((id) => {
        const [, fields = ''] = readFileSync(join(TASKS, id, 'stat'), 'utf8').split(') ');
        // The 19th of all is nice, and the third the first one after the name (proc(5)).
        return fields.split(' ')[19 - 3] ?? '';
      });
    };
    const own = getPriority();
    expect(await priorities()).to.include(String(Math.max(19, own)));
    setOnAir(false);
    expect(await priorities()).to.include(String(Math.max(5, own)));
    setOnAir(true);
  });

  it('makes no folder of temporary files again that has been removed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'worker-thread-'));
    rmSync(folder, { recursive: true });
    const program =
      "require('./support/base/typescript.cjs');" +
      `const { inWorkerThread } = require('${projectRoot}/support/analyze/worker-thread.ts');` +
      `process.env.TMPDIR = ${JSON.stringify(folder)};` +
      "inWorkerThread('detectLanguage', 'Hola, ¿qué tal?').then(({ observed }) => console.log(observed));";
    const said = execFileSync(process.execPath, ['-e', program], { cwd: projectRoot });
    expect(said.toString().trim()).to.equal('true');
    expect(existsSync(folder)).to.equal(false);
  });

  it('fails where it is waited for', async () => {
    const nothing = undefined as unknown as Parameters<typeof placeDubs>[0];
    const dubs = [{}] as unknown as Parameters<typeof placeDubs>[1];
    let error: unknown;
    await inWorkerThread('placeDubs', nothing, dubs).catch((one: unknown) => (error = one));
    expect(String(error)).to.match(/TypeError/);
  });
});
