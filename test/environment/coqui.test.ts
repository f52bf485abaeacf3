import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le, readAudio } from '../../support/analyze/audio';
import { projectRoot, readConfig } from '../../support/config';
import { findEngine } from '../../support/environment/docker-engine';
import { DockerRuntime } from '../../support/environment/docker-runtime';
import { HostRuntime } from '../../support/environment/host-runtime';
import { freePort } from '../../support/environment/ports';
import type { Composition, Runtime } from '../../support/environment/runtime';
import { SessionState } from '../../support/environment/session-state';
import { get, type HttpOutcome } from '../../support/observe/http-outcome';
import { askSts } from '../../support/observe/sts-client';

const RATE_HZ = 44_100;
const LOADED_WITHIN_MS = 180_000;

const config = readConfig();
const folder = mkdtempSync(join(tmpdir(), 'coqui-test-'));
const state = new SessionState(join(folder, 'state'), config.variables);
after(() => {
  state.removeAll();
  rmSync(folder, { recursive: true });
});

const PYTHON = join(projectRoot, '.venv/bin/python');
/** Whether the set-up was told to bring the library: to this host, and into the image. */
const stampFile = join(projectRoot, '.tools/setup.json');
const hasLibrary = existsSync(stampFile) && /"coqui": "\w+"/.test(readFileSync(stampFile, 'utf8'));

/** Makes a model of random weights where the service runs, if the library is there, and becomes the service. */
const PROGRAM = `
import os, pathlib, sys
${readFileSync(join(projectRoot, 'compose/services/sts-service/coqui_testing.py'), 'utf8')}
folder = pathlib.Path(os.environ['VOICE'])
folder.mkdir(exist_ok=True)
try:
    make_vits(folder)
except ImportError:
    pass
os.execv(sys.executable, [sys.executable, '-m', 'sts_service'])
`;

/** The STS composition with that program in its place. */
function overlay(name: string): string {
  const file = join(folder, `${name}.yml`);
  const voice = { docker: '/tmp/voice', host: join(folder, 'voice') };
  const environment = (where: string): Record<string, string> => ({
    ...{ VOICE: where, TTS_PROVIDER: 'coqui', TTS_MODEL: `${where}/model.pth` },
  });
  const program = PROGRAM.replaceAll('$', '$$$$');
  const service = {
    ...{ command: ['python', '-c', program], environment: environment(voice.docker) },
    // It is not to be waited for: without the library it is never healthy.
    healthcheck: { disable: true },
    'x-host': {
      command: [PYTHON, '-c', program],
      environment: environment(voice.host),
    },
  };
  writeFileSync(file, JSON.stringify({ services: { 'sts-service': service } }));
  return file;
}

const runtimes: [string, () => Promise<Runtime | string>][] = [
  [
    'host',
    () => {
      const isThere = existsSync(PYTHON);
      return Promise.resolve(isThere ? new HostRuntime(state) : 'the STS is no process here');
    },
  ],
  [
    'docker',
    async () => {
      const engine = await findEngine(config.variables, state);
      return typeof engine === 'string' ? engine : new DockerRuntime(engine, state);
    },
  ],
];

async function composition(runtime: Runtime): Promise<Composition> {
  const port = await freePort();
  const variables = { ...runtime.variables, ...config.variables, STS_PORT: String(port) };
  const project = `lda-test-${process.pid}-${port}`;
  const files = [join(projectRoot, 'compose/sts/docker-compose.yml'), overlay(runtime.name)];
  return {
    ...{ name: 'sts', project, variables },
    compose: await runtime.read(files, project, variables),
    // Whether it is healthy is what is asked here.
    health: new Map(),
  };
}

/** What it answers when it has loaded its models, or cannot. */
async function loaded(url: string): Promise<HttpOutcome> {
  for (const from = performance.now(); ;) {
    const health = await get(url);
    const isFinal = health.status !== undefined && !health.body.includes('"starting"');
    if (isFinal || performance.now() - from > LOADED_WITHIN_MS) return health;
    await new Promise((done) => setTimeout(done, 200));
  }
}

for (const [name, find] of runtimes) {
  describe(`Coqui in the ${name} runtime`, async () => {
    const runtime = await find();
    const skip = typeof runtime === 'string' && (runtime.split('\n')[0] ?? '');
    const title = hasLibrary ? 'dubs' : 'is missed, with what to do about it';

    it(title, { skip, timeout: LOADED_WITHIN_MS + 120_000 }, async () => {
      if (typeof runtime === 'string') throw new Error(runtime);
      const one = await composition(runtime);
      const url = `http://${runtime.servicesHost}:${one.variables['STS_PORT'] ?? ''}`;
      try {
        await runtime.up(one, { withinMs: 60_000 });
        const { status, body } = await loaded(`${url}/health`);
        if (!hasLibrary) {
          expect(status, body).to.equal(503);
          expect(body).to.match(
            /TTS_PROVIDER=coqui: .*npm run setup -- --with coqui.*EXTRAS=coqui/,
          );
          return;
        }
        expect(status, body).to.equal(200);
        expect(body).to.match(/"tts": \{"name": "coqui"/);
        const movie = join(projectRoot, 'fixtures/generated/hello-world.mp4');
        const words = (await readAudio(movie, RATE_HZ)).slice(0, 6 * RATE_HZ);
        const { answers, errors } = await askSts({
          ...{ url, stream: 'coqui', fragments: [pcmToS16le(words)], rateHz: RATE_HZ },
          ...{ withinMs: 60_000, listenOnMs: 0 },
        });
        expect(errors).to.deep.equal([]);
        expect(answers[0]).to.include({ status: 'success' });
        expect(answers[0]?.translated_text).to.match(/hola/i);
        const dub = answers[0]?.dubbed_audio;
        // Base64 of zeros has no other letter.
        expect(typeof dub === 'object' && dub?.data_base64).to.match(/[^A=]/);
      } finally {
        await runtime.down(one);
      }
    });
  });
}
