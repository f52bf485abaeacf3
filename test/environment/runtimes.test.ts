import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';
import { request } from 'undici';

import { readConfig } from '../../support/config';
import { findEngine } from '../../support/environment/docker-engine';
import { DockerRuntime } from '../../support/environment/docker-runtime';
import { HostRuntime } from '../../support/environment/host-runtime';
import { freePort } from '../../support/environment/ports';
import type { Composition, Runtime } from '../../support/environment/runtime';
import { SessionState } from '../../support/environment/session-state';
import { processesWith } from '../../support/platform/processes';
import { messageOf } from '../../support/base/errors';
import { eventually } from '../../support/base/eventually';

/** Answers every request, after having written the file that the request names, if any; and logs in colours. */
const SERVER = `
import http.server, os, sys, time, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urllib.parse.unquote(self.path[1:])
        if path.startswith('/'):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, 'w').write('written by the service')
        self.send_response(200); self.end_headers(); self.wfile.write(b'ok')
    def log_message(self, *args): pass
if os.environ.get('FAIL'):
    print('cannot go on', flush=True); sys.exit(3)
print('\\033[31mfirst line\\033[0m', flush=True)
# Docker reads the two streams one by one: their order is known when they are some time apart.
time.sleep(0.2)
print('second line', file=sys.stderr, flush=True)
http.server.ThreadingHTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler).serve_forever()
`;

const config = readConfig();
const folder = mkdtempSync(join(tmpdir(), 'runtime-test-'));
const state = new SessionState(join(folder, 'state'), config.variables);
const file = join(folder, 'docker-compose.yml');
const command = JSON.stringify(['python3', '-c', SERVER]);
// The image of the reference STS is at hand, has Python, and a folder that its user may write to.
writeFileSync(
  file,
  `
services:
  web:
    image: live-dubbing/sts-service:\${CHECKOUT}
    command: ${command}
    environment: { HOST: 0.0.0.0, PORT: "8000", FAIL: "\${FAIL:-}" }
    ports: ["127.0.0.1:\${WEB_PORT}:8000"]
    healthcheck: { disable: true }
    stop_signal: SIGKILL
    extra_hosts: ["host.docker.internal:host-gateway"]
    volumes: ["files:/models"]
    x-host:
      command: ${command}
      environment: { HOST: 127.0.0.1, PORT: "\${WEB_PORT}" }
volumes: { files: }
`,
);
after(() => {
  state.removeAll();
  rmSync(folder, { recursive: true });
});

const runtimes: [string, () => Promise<Runtime | string>][] = [
  ['host', () => Promise.resolve(new HostRuntime(state))],
  [
    'docker',
    async () => {
      const engine = await findEngine(config.variables, state);
      return typeof engine === 'string' ? engine : new DockerRuntime(engine, state);
    },
  ],
];

for (const [name, find] of runtimes) {
  describe(`the ${name} runtime`, async () => {
    const runtime = await find();
    if (typeof runtime === 'string') {
      it('is used where a Docker engine answers', { skip: runtime.split('\n')[0] ?? '' }, () => {
        expect.fail('skipped');
      });
      return;
    }

    async function composition(environment: Record<string, string> = {}): Promise<Composition> {
      if (typeof runtime === 'string') throw new Error(runtime);
      const port = await freePort();
      const variables = {
        ...{ ...runtime.variables, ...config.variables, WEB_PORT: String(port) },
        ...environment,
      };
      const project = `lda-test-${process.pid}-${port}`;
      return {
        ...{ name: 'sts', project, variables },
        compose: await runtime.read([file], project, variables),
        health: new Map([['web', `http://${runtime.servicesHost}:${port}/`]]),
      };
    }

    const answers = async (one: Composition, path = ''): Promise<boolean> => {
      const url = `${one.health.get('web') ?? ''}${encodeURIComponent(path)}`;
      const answer = await request(url, { headersTimeout: 1000, bodyTimeout: 1000 }).catch(
        () => undefined,
      );
      await answer?.body.dump();
      return answer?.statusCode === 200;
    };

    it('starts a service, shows it, and leaves nothing', async () => {
      const one = await composition();
      const before = Date.now();
      await runtime.up(one, { withinMs: 30_000 });
      try {
        expect(await answers(one)).to.be.true;
        const [web] = await runtime.ps(one);
        expect(web).to.include({ service: 'web', state: 'running' });
        expect(web?.startedAt).to.be.within(before, Date.now());
        expect((await runtime.leftovers(one)).join()).to.match(
          /(process|container).*volume .*files/s,
        );
      } finally {
        await runtime.down(one);
      }
      expect(await runtime.ps(one)).to.deep.equal([]);
      expect(await runtime.leftovers(one)).to.deep.equal([]);
      expect(await answers(one)).to.be.false;
      await runtime.down(one);
    });

    it('has services that are aside yield to those that dub', async () => {
      const shares = async (isAside: boolean): Promise<string[]> => {
        const one = await composition();
        await runtime.up(one, { withinMs: 30_000, isAside });
        try {
          if (runtime.name === 'host') {
            const own = processesWith('LIVE_DUBBING_PROJECT', (of) => of === one.project);
            return own.map(({ pid }) => String(getPriority(pid)));
          }
          const label = ['--filter', `label=com.docker.compose.project=${one.project}`];
          const ids = (await execa('docker', ['ps', '--quiet', ...label])).stdout.split('\n');
          const asked = ['inspect', '--format', '{{.HostConfig.CpuShares}}', ...ids];
          return (await execa('docker', asked)).stdout.split('\n');
        } finally {
          await runtime.down(one);
        }
      };
      const [aside, dubbing] = [await shares(true), await shares(false)];
      expect(new Set(aside)).to.deep.equal(new Set([runtime.name === 'host' ? '10' : '110']));
      expect(new Set(dubbing)).to.deep.equal(
        new Set([String(runtime.name === 'host' ? getPriority() : 0)]),
      );
    });

    it('pauses, resumes, kills, stops and starts a service', async () => {
      const one = await composition();
      const stateOf = async (): Promise<string | undefined> => (await runtime.ps(one))[0]?.state;
      await runtime.up(one, { withinMs: 30_000 });
      try {
        await runtime.control(one, 'web', 'pause');
        expect(await stateOf()).to.equal('paused');
        expect(await answers(one), 'while paused').to.be.false;
        await runtime.control(one, 'web', 'resume');
        expect(await answers(one), 'resumed').to.be.true;
        await runtime.control(one, 'web', 'kill');
        expect(await stateOf()).to.equal('exited');
        expect(await answers(one), 'killed').to.be.false;
        await runtime.control(one, 'web', 'start');
        expect(await answers(one), 'started again').to.be.true;
        await runtime.control(one, 'web', 'stop');
        expect(await stateOf()).to.equal('exited');
        const refusal = await runtime.control(one, 'web', 'stop').catch(messageOf);
        expect(refusal).to.match(/service to stop is not running.*web \(exited\)/s);
      } finally {
        await runtime.down(one);
      }
    });

    it('gives logs without colours, and files of a volume', async () => {
      const one = await composition();
      await runtime.up(one, { withinMs: 30_000 });
      try {
        const lines = (await runtime.logs(one, 'web')).trim().split('\n');
        expect(lines[0]).to.match(/(^|Z )first line$/);
        expect(lines[1]).to.match(/(^|Z )second line$/);
        const path = runtime.pathInService(one, 'web', '/models/some/file.txt');
        expect(await answers(one, path)).to.be.true;
        const copy = join(folder, `copy-${name}`);
        await runtime.copyOut(one, 'web', '/models/some', copy);
        expect(readFileSync(join(copy, 'file.txt'), 'utf8')).to.equal('written by the service');
        const missing = await runtime
          .copyOut(one, 'web', '/models/none', `${copy}-2`)
          .catch(messageOf);
        expect(missing).to.include('none');
        expect(existsSync(`${copy}-2`)).to.be.false;
      } finally {
        await runtime.down(one);
      }
    });

    it('knows the connections of a service and the names it can look up', async () => {
      const one = await composition();
      await runtime.up(one, { withinMs: 30_000 });
      try {
        const { hostname, port } = new URL(one.health.get('web') ?? '');
        expect(await runtime.connections(one, 'web')).to.deep.equal([]);
        const { Socket } = await import('node:net');
        const client = new Socket().connect(Number(port), hostname);
        try {
          await eventually(
            'the connection',
            async () => expect(await runtime.connections(one, 'web')).to.have.length(1),
            { withinMs: 5000 },
          );
        } finally {
          client.destroy();
        }
        const address = await runtime.addressOf(one, 'web', runtime.servicesHostForServices);
        expect(address).to.equal(runtime.testHost.address);
      } finally {
        await runtime.down(one);
      }
    });

    it('says who holds a port', async () => {
      const one = await composition();
      const port = Number(new URL(one.health.get('web') ?? '').port);
      expect(await runtime.holderOf(port)).to.be.undefined;
      await runtime.up(one, { withinMs: 30_000 });
      try {
        const holder = await runtime.holderOf(port);
        expect(holder).to.match(
          name === 'docker' ? /container lda-test-.*web/ : /python3.*\(pid \d+\)/s,
        );
      } finally {
        await runtime.down(one);
      }
    });

    it('names a service that ends at once, with its log', async () => {
      const one = await composition({ FAIL: 'yes' });
      if (name === 'host') {
        // Variables of the compose file reach a host process as they reach a container.
        expect(one.compose.services[0]?.environment['FAIL']).to.equal('yes');
      }
      const failure = await runtime.up(one, { withinMs: 10_000 }).then(
        () => 'it started',
        (error: unknown) => messageOf(error),
      );
      await runtime.down(one);
      expect(failure).to.match(/\/web.*did not become healthy.*exit.*3.*cannot go on/s);
      expect(await runtime.leftovers(one)).to.deep.equal([]);
    });

    it('gives up at once when it is told to', async () => {
      const one = await composition();
      const broken = new AbortController();
      setTimeout(() => broken.abort(new Error('enough')), 300);
      const outcome = await runtime
        .up(
          { ...one, health: new Map([['web', 'http://127.0.0.1:9/']]) },
          {
            withinMs: 30_000,
            signal: broken.signal,
          },
        )
        .catch(messageOf);
      await runtime.down(one);
      expect(outcome).to.include('enough');
      expect(await runtime.leftovers(one)).to.deep.equal([]);
    });
  });
}
