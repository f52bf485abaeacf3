import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { expect } from 'chai';

import { problemOf } from '../../support/base/errors';
import { pathOf } from '../../support/base/http';
import { readMetrics } from '../../support/observe/metrics';
import { rejection } from '../analyze/make-media';

const TEXT = 'dubbed_total 7\n';

describe('metrics as proxies and frameworks have them', () => {
  const logins: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    logins.push(request.headers.authorization);
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const to = (location: string): unknown => response.writeHead(307, { location }).end();
    const [, kind = '', steps = ''] = /^\/(\w+)\/?(\d*)$/.exec(pathname) ?? [];
    const encoded = (body: Buffer): unknown =>
      response.writeHead(200, { 'content-encoding': kind }).end(body);
    if (kind === 'gzip') encoded(gzipSync(TEXT));
    else if (kind === 'deflate') encoded(deflateSync(TEXT));
    else if (kind === 'br') encoded(brotliCompressSync(TEXT));
    else if (kind === 'broken') {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(TEXT).subarray(0, 20));
    } else if (kind === 'steps' && Number(steps) > 0) to(`/steps/${Number(steps) - 1}`);
    else if (kind === 'elsewhere') to(`http://localhost:${port(server)}/metrics`);
    else if (kind === 'page') to('/login');
    else response.end(kind === 'login' ? '<html>' : TEXT);
  };
  const server = createServer(answer);
  const port = (one: typeof server): number => (one.address() as AddressInfo).port;
  const at = (path: string, login = ''): string =>
    `http://${login}127.0.0.1:${port(server)}${path}`;
  before(() => new Promise<void>((done) => server.listen(0, done)));
  after(() => server.close());

  for (const path of ['/metrics', '/gzip', '/deflate', '/br', '/steps/1', '/steps/5']) {
    it(`are read: ${path}`, async () => {
      expect((await readMetrics(at(path))).samples).to.deep.equal([
        { name: 'dubbed_total', labels: {}, value: 7 },
      ]);
    });
  }

  it('are not read after a sixth redirect', async () => {
    const problem = problemOf(await rejection(readMetrics(at('/steps/6'))));
    expect(problem).to.include({ what: 'the address leads to others without end' });
  });

  it('say where they lead to, where that is a page', async () => {
    const problem = problemOf(await rejection(readMetrics(at('/page'))));
    expect(problem?.where).to.equal(`${at('/page')}, which leads to ${at('/login')}`);
  });

  it('are not read where what is compressed is cut off', async () => {
    const problem = problemOf(await rejection(readMetrics(at('/broken'))));
    expect(problem?.seen).to.match(/unexpected end of file/);
  });

  it('get a login on their own host only, and no message has it', async () => {
    logins.length = 0;
    await readMetrics(at('/steps/1', 'me:s%40cret@'));
    await readMetrics(at('/elsewhere', 'me:s%40cret@'));
    const login = `Basic ${Buffer.from('me:s@cret').toString('base64')}`;
    expect(logins).to.deep.equal([login, login, login, undefined]);
    const error = (await rejection(readMetrics(at('/page', 'me:s%40cret@')))) as Error;
    expect(error.message).to.include('***@').and.to.not.include('cret');
  });

  it('have a path that is kept without its last slash', () => {
    expect(['http://a', 'http://a/', 'http://a/b/c/?d'].map(pathOf)).to.deep.equal([
      '',
      '',
      '/b/c',
    ]);
  });
});
