import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { DockerRuntime } from '../../support/environment/docker-runtime';
import type { Composition } from '../../support/environment/runtime';
import { SessionState } from '../../support/environment/session-state';

const DIGEST = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** As the API tells a container. */
function container(service: string, state: object): { Id: string; Name: string } {
  const rest = {
    Image: DIGEST,
    Config: {
      Image: 'live-dubbing/sts-service:latest',
      Labels: { 'com.docker.compose.service': service },
    },
    NetworkSettings: { Networks: {} },
    State: { ExitCode: 0, Error: '', StartedAt: '2026-11-27T08:00:00.5Z', ...state },
  };
  return { Id: `id-of-${service}`, Name: `/sts-${service}-1`, ...rest };
}

describe('containers as an engine tells them, by a docker command that leads to it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docker-runtime-test-'));
  const config = readConfig();
  const variables = { PATH: `${folder}:${config.variables['PATH'] ?? ''}` };
  const state = new SessionState(join(folder, 'state'), config.variables);
  const socket = join(folder, 'engine');
  /** What it answers, by the path of a question; 404 for all others. */
  const answers = new Map<string, unknown>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://docker');
    asked.push(`${pathname} ${searchParams.get('all') ?? ''} ${searchParams.get('filters') ?? ''}`);
    const answer = answers.get(pathname);
    response.statusCode = answer instanceof Error ? 500 : answer === undefined ? 404 : 200;
    response.end(answer instanceof Error ? answer.message : JSON.stringify(answer ?? {}));
  });
  before(() => new Promise<void>((done) => server.listen(socket, done)));
  beforeEach(() => {
    answers.clear();
    asked.length = 0;
    dockerIs(
      `[ "$*" = "system dial-stdio" ] && exec '${process.execPath}' -e "
        const engine = require('net').connect('${socket}');
        process.stdin.pipe(engine).pipe(process.stdout)"`,
    );
  });
  after(() => {
    server.close();
    state.removeAll();
    rmSync(folder, { recursive: true });
  });
  const local = { servicesHost: '127.0.0.1', publishAddress: '127.0.0.1' };
  const engine = {
    ...{ ...local, endpoint: 'unix:///nowhere', isRemote: false, gatewayAddress: '127.0.0.1' },
    ...{ environment: variables, testHost: { name: 'host', address: '127.0.0.1' } },
  };
  const composition = { name: 'sts', project: 'e2e-sts', variables } as unknown as Composition;

  function dockerIs(script: string): void {
    writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  function has(containers: readonly { Id: string; Name: string }[]): void {
    const list = containers.map(({ Id, Name }) => ({
      ...{ Id, Names: [Name], Image: 'sts', Status: 'Up 2 seconds' },
    }));
    answers.set('/containers/json', list);
    for (const one of containers) answers.set(`/containers/${one.Id}/json`, one);
    answers.set('/networks', []);
    answers.set('/volumes', { Volumes: null });
  }

  it('are shown with the digest of their image, not its name', async () => {
    has([
      container('sts-service', { Status: 'running' }),
      container('models', { Status: 'exited', ExitCode: 3 }),
    ]);
    const startedAt = Date.UTC(2026, 10, 27, 8, 0, 0, 500);
    expect(await new DockerRuntime(engine, state).ps(composition)).to.deep.equal([
      { service: 'sts-service', state: 'running', image: DIGEST, startedAt },
      { service: 'models', state: 'exited', image: DIGEST, startedAt, exitCode: 3 },
    ]);
    expect(asked[0]).to.equal(
      '/containers/json true {"label":["com.docker.compose.project=e2e-sts"]}',
    );
  });

  it('are none where there are none', async () => {
    has([]);
    const runtime = new DockerRuntime(engine, state);
    expect(await runtime.ps(composition)).to.deep.equal([]);
    expect(await runtime.leftovers(composition)).to.deep.equal([]);
  });

  it('are not shown where they have been removed since they were listed', async () => {
    has([container('sts-service', { Status: 'running' }), container('models', {})]);
    answers.delete('/containers/id-of-models/json');
    const shown = await new DockerRuntime(engine, state).ps(composition);
    expect(shown.map(({ service }) => service)).to.deep.equal(['sts-service']);
  });

  it('are left with networks and volumes, each by its name', async () => {
    has([container('sts-service', { Status: 'exited' })]);
    answers.set('/networks', [{ Name: 'e2e-sts_default' }]);
    answers.set('/volumes', { Volumes: [{ Name: 'e2e-sts_models' }] });
    expect(await new DockerRuntime(engine, state).leftovers(composition)).to.deep.equal([
      ...['container sts-sts-service-1', 'network e2e-sts_default', 'volume e2e-sts_models'],
    ]);
  });

  it('hold a port', async () => {
    has([container('sts-service', { Status: 'running' })]);
    expect(await new DockerRuntime(engine, state).holderOf(3000)).to.equal(
      'container sts-sts-service-1 (sts, Up 2 seconds)',
    );
    expect(asked).to.deep.equal(['/containers/json false {"publish":["3000/tcp"]}']);
  });

  it('are asked for by many questions at once, and after the command has ended', async () => {
    has([container('sts-service', { Status: 'running' })]);
    const runtime = new DockerRuntime(engine, state);
    const shown = await Promise.all(Array.from({ length: 20 }, () => runtime.ps(composition)));
    expect(shown.map((one) => one.length)).to.deep.equal(Array.from({ length: 20 }, () => 1));
    server.closeAllConnections();
    // Until the command has seen it, and has ended.
    await delay(500);
    expect(await runtime.ps(composition)).to.have.length(1);
  });

  it('are an error with what the engine, or the command, says', async () => {
    has([]);
    answers.set('/containers/json', new Error('no space left on device'));
    const failure = (): Promise<string> =>
      new DockerRuntime(engine, state).ps(composition).then(
        () => '',
        (error: unknown) => String(error),
      );
    expect(await failure()).to.match(/GET \/containers\/json[^]*500 no space left on device/);
    dockerIs('echo "Cannot connect to the Docker daemon" >&2; exit 1');
    expect(await failure()).to.match(/Cannot connect to the Docker daemon[^]*docker info/);
    rmSync(join(folder, 'docker'));
    const none = { ...engine, environment: { PATH: folder } };
    const missing = await new DockerRuntime(none, state).ps(composition).catch(String);
    expect(missing).to.match(/docker ENOENT/);
  });
});
