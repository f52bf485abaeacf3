import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Settings } from '../../support/config';
import type { DualComposeManager } from '../../support/environment/dual-compose-manager';
import type { ServiceState } from '../../support/environment/runtime';
import { endOfWorker } from '../../support/session/overlays';

const STREAM = 'test_unread';
const settings = { services: { mediaService: { name: 'dubber' } } } as Settings;
const state = (more: Partial<ServiceState> = {}): ServiceState => ({
  ...{ service: 'dubber', state: 'running', startedAt: 0, ...more },
});
const server = state({ service: 'mediamtx', state: 'exited', exitCode: 4 });

/** A media composition with these states, one after the other, that has logged this. */
function composition(log: string, ...states: ServiceState[][]): DualComposeManager {
  let looks = 0;
  const runtime = {
    ps: () => Promise.resolve(states[Math.min(looks++, states.length - 1)]),
    logs: () => Promise.resolve(log),
  };
  return { runtime, media: {} } as unknown as DualComposeManager;
}

describe('the end of a worker', () => {
  const said = `{"stream_id":"${STREAM}","exit_code":1}\n{"stream_id":"other","exit_code":0}`;

  it('is what media-service says of it', async () => {
    const worker = await endOfWorker(composition(said, [state()]), settings, STREAM);
    expect(worker.exitCode).to.equal(1);
    expect(worker.lines).to.have.length(1);
  });

  it('is that of media-service itself, once it has ended', async () => {
    const log = `INFO ${STREAM} gave up`;
    const ended = state({ state: 'exited', exitCode: 3 });
    const seen = composition(log, [state(), server], [ended, server]);
    const worker = await endOfWorker(seen, settings, STREAM);
    expect(worker.exitCode).to.equal(3);
    expect(worker.lines.map(({ message }) => message)).to.deep.equal([log]);
  });
});
