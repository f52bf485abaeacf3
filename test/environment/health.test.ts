import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { notHealthy, waitForHealth } from '../../support/environment/health';
import type { Composition } from '../../support/environment/runtime';
import { messageOf } from '../../support/base/errors';

/** The outcome of waiting for a service whose health address is answered by `answer`. */
async function waiting(
  answer: RequestListener,
  withinMs: number,
  onSeen?: (seen: string) => void,
): Promise<string> {
  const server = await listening(answer);
  const { port } = server.address() as AddressInfo;
  const composition: Composition = {
    ...{ name: 'sts', project: 'project', variables: {} },
    compose: { files: [], services: [], warnings: [] },
    health: new Map([['web', `http://127.0.0.1:${port}/health`]]),
  };
  try {
    return await waitForHealth(composition, 'web', {
      ...{ withinMs, signals: [], logs: () => Promise.resolve('first line\nlast line\n') },
      onSeen,
    }).then(() => 'healthy', messageOf);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function listening(answer: RequestListener): Promise<Server> {
  return new Promise((done) => {
    const server = createServer(answer);
    server.listen(0, '127.0.0.1', () => done(server));
  });
}

describe('waiting for health', () => {
  it('goes on while a service says that it is loading', async () => {
    let asked = 0;
    const outcome = await waiting((_, response) => {
      asked += 1;
      response.writeHead(asked < 3 ? 503 : 200).end('{"reason": "loading"}');
    }, 5000);
    expect(outcome).to.equal('healthy');
    expect(asked).to.equal(3);
  });

  it('says what a service that stays unhealthy answered last', async () => {
    const outcome = await waiting((_, response) => {
      response.writeHead(503).end('{"status": "unhealthy", "reason": "MODEL: seen \'/nowhere\'"}');
    }, 300);
    expect(outcome).to.match(
      /project\/web \(http:.*\/health\): the service did not become healthy/,
    );
    expect(outcome).to.include(`503 {"status": "unhealthy", "reason": "MODEL: seen '/nowhere'"}`);
    expect(outcome).to.match(/last line\n.*expected: healthy within 0.3 s/);
  });

  it('says that the machine was too busy, where it was', () => {
    const options = { seen: 'nothing', withinMs: 1000, log: '' };
    const busy = 'the machine was too busy: 99 % of the time …';
    expect(notHealthy('web', { ...options, busy }).message).to.match(
      /next: +run it again without other programs, as the machine was too busy: 99 % .*; or check/,
    );
    expect(notHealthy('web', options).message).to.match(/next: +check whether it runs/);
  });

  it('ends at once where the service says that waiting does not help', async () => {
    const began = performance.now();
    const outcome = await waiting((_, response) => {
      response.writeHead(503).end('{"reason": "no such model", "retryable": false}');
    }, 20_000);
    expect(performance.now() - began).to.be.below(5000);
    expect(outcome).to.include('seen:     503 {"reason": "no such model", "retryable": false}');
  });

  it('says meanwhile what was answered last', async () => {
    const seen: string[] = [];
    await waiting(
      (_, response) => response.writeHead(seen.length < 2 ? 503 : 200).end('loading'),
      5000,
      (text) => seen.push(text),
    );
    expect(seen).to.deep.equal(['web: 503 loading', 'web: 503 loading']);
  });
});
