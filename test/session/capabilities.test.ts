import { describe, it } from 'node:test';

import type { Envelope, Pickle } from '@cucumber/messages';
import { expect } from 'chai';

import { requestOf } from '../../support/broadcast/request';
import { readConfig, type Settings } from '../../support/config';
import { neededBy, notOffered, type Offering, untold } from '../../support/session/capabilities';
import {
  leaveOut,
  noteEnvelope,
  plan,
  plannedBroadcasts,
  plannedScenarios,
  plannedTrials,
  planNeed,
  RequestDraft,
} from '../../support/session/plan';

const shipped = readConfig({});
const usual = shipped.settings('127.0.0.1');
const { settingsFile } = shipped;

/** What is missing where that differs from the shipped configuration on Docker. */
function missing(
  given: Partial<Offering>,
  services: Partial<{ [Name in keyof Settings['services']]: object }> = {},
  settings: Partial<Settings> = {},
): string[] {
  const merged = Object.entries(usual.services).map(([name, service]) => {
    return [name, { ...service, ...services[name as keyof Settings['services']] }] as const;
  });
  const own = Object.fromEntries(merged) as unknown as Settings['services'];
  const offering: Offering = {
    ...{
      config: { monitor: 'tap', settingsFile },
      settings: { ...usual, ...settings, services: own },
    },
    ...{ runtime: 'docker', ...given },
  };
  return [...notOffered(offering).keys()];
}

describe('what is offered', () => {
  it('is everything by the shipped configuration on Docker, and all but networks on the host', () => {
    expect(missing({})).to.be.empty;
    expect(missing({ runtime: 'host' })).to.deep.equal(['networks']);
    expect(missing({ runtime: undefined })).to.be.empty;
  });

  it('is what acceptance.yaml and the environment do not say is absent', () => {
    expect(missing({ config: { monitor: 'direct', settingsFile } })).to.deep.equal(['faults']);
    expect(missing({}, { mediaService: { segments: undefined } })).to.deep.equal(['segments']);
    expect(missing({}, { mediaServer: { webrtc: undefined } })).to.deep.equal(['webrtc']);
    const toldNothing = { mediaService: { sourceUrlVariable: undefined } };
    expect(missing({}, toldNothing)).to.deep.equal(['source']);
    expect(missing({}, {}, { maxStreams: 1 })).to.deep.equal(['streams', 'many streams']);
    expect(missing({}, {}, { maxStreams: 2 })).to.deep.equal(['many streams']);
    expect(missing({}, {}, { maxStreams: 8 })).to.deep.equal(['many streams']);
    expect(missing({}, {}, { maxStreams: 9 })).to.be.empty;
    const echo = { ...usual.compositions, echo: undefined };
    expect(missing({}, {}, { compositions: echo })).to.deep.equal(['echo']);
  });

  it('is, of services that run elsewhere, what can be had without starting any', () => {
    const external = { runtime: 'external' } as const;
    const all = ['compositions', 'faults', 'echo', 'segments', 'logs'];
    expect(missing(external, { sts: { tap: { host: 'h', port: 0 } } })).to.deep.equal(all);
    const { url } = usual.services.echoSts;
    // An Echo STS is no STS that translates.
    expect(missing(external, { sts: { url, tap: { host: 'h', port: 1 } } })).to.deep.equal([
      ...['compositions', 'speech', 'segments', 'logs'],
    ]);
    expect(missing({ runtime: 'host' }, { sts: { url } })).to.deep.equal(['networks']);
  });

  it('is named by what is missing, and by the file that is used', () => {
    const config = { monitor: 'direct', settingsFile: '/x/mine.yaml' } as const;
    const { mediaService, mediaServer } = usual.services;
    const services = {
      ...usual.services,
      mediaService: { ...mediaService, segments: undefined },
      mediaServer: { ...mediaServer, webrtc: undefined },
    };
    const settings = { ...usual, services, maxStreams: 1 };
    const reasons = (runtime: Offering['runtime']): string =>
      [...notOffered({ config, settings, runtime }).values()]
        .map(({ what, where, next }) => `${where}: ${what} → ${next}`)
        .join('\n');
    expect(reasons('host')).to.include('/x/mine.yaml, services.mediaServer.webrtc');
    expect(reasons('host')).to.match(/mine\.yaml, services\.mediaService\.segments: no segments/);
    expect(reasons('host')).to.match(/mine\.yaml, maxStreams \(MAX_STREAMS\): fewer than 2/);
    expect(reasons('host')).not.to.match(/ acceptance\.yaml,|unset MAX_STREAMS/);
    expect(reasons('external')).to.include('RUNTIME=external: no logs can be read');
    expect(reasons('external')).to.include('RUNTIME=external: no segments can be read');
  });

  it('is told of any scenario, but for absent metrics and what a reader may miss', () => {
    const told = (
      metrics: Partial<Settings['metrics']>,
      runtime: Offering['runtime'],
    ): string[] => {
      const settings = { ...usual, metrics: { ...usual.metrics, ...metrics } };
      return untold({ config: { monitor: 'tap', settingsFile }, settings, runtime });
    };
    expect(told({}, 'docker')).to.be.empty;
    expect(told({ inflight: 'absent', fallbacks: { name: 'f' } }, 'host')).to.deep.equal([
      'what only metrics tell: inflight (acceptance.yaml, metrics: absent)',
    ]);
    expect(told({}, 'external')).to.deep.equal([
      'what media-service and the STS say to each other, where the STS tells it to nobody else (no tap)',
      'what a reader that records the output may have missed',
    ]);
  });

  it('has a reason, with what to do', () => {
    const config = { monitor: 'direct', settingsFile } as const;
    for (const runtime of ['host', 'external'] as const) {
      for (const problem of notOffered({ config, settings: usual, runtime }).values()) {
        expect(Object.values<string>({ ...problem }).every((part) => part.length > 0)).to.equal(
          true,
        );
        expect(problem).to.include.keys('what', 'where', 'seen', 'expected', 'next');
      }
    }
  });
});

describe('what is needed', () => {
  it('follows from the broadcasts', () => {
    expect(neededBy(requestOf())).to.deep.equal(['speech']);
    const faults = [{ on: { first: 0, last: null }, does: 'drop' } as const];
    expect(neededBy(requestOf({ faults }))).to.deep.equal(['faults', 'speech']);
    expect(neededBy(requestOf({ composition: { echoSegmentSeconds: 6 } }))).to.deep.equal(['echo']);
    expect(neededBy(requestOf({ composition: 'media with the Echo STS' }))).to.deep.equal([
      ...['echo', 'compositions'],
    ]);
    expect(neededBy(requestOf({ composition: 'dual without a tap' }))).to.deep.equal([
      ...['speech', 'compositions'],
    ]);
    for (const composition of [
      { echoSegmentSeconds: 2 },
      { echoSegmentSeconds: 6, oneAtATime: true } as const,
    ]) {
      expect(neededBy(requestOf({ composition }))).to.deep.equal(['echo', 'compositions']);
    }
  });

  it('follows from trials, and from what steps say', () => {
    const draft = new RequestDraft();
    draft.judges('webrtc');
    expect([...draft.needed.whole]).to.be.empty;
    draft.addTrial('sts', {});
    draft.needs('networks');
    expect([...draft.needed.whole]).to.have.members(['compositions', 'networks']);
    expect([...draft.needed.part]).to.deep.equal(['webrtc']);
  });

  it('of a scenario that cannot be shown, nothing is published or tried', () => {
    plan('it is dubbed once more', (draft) => draft.complete());
    plan('it is tried', (draft) => draft.addTrial('sts', {}));
    planNeed('networks', 'it has networks');
    const pickleOf = (id: string, ...texts: string[]): Pickle =>
      ({ id, tags: [], steps: texts.map((text) => ({ text })) }) as unknown as Pickle;
    const unable = pickleOf('a', 'it has networks', 'it is dubbed once more', 'it is tried');
    for (const pickle of [unable, pickleOf('b', 'it is dubbed once more')]) {
      for (const message of [{ pickle }, { testCase: { pickleId: pickle.id } }]) {
        noteEnvelope(JSON.parse(JSON.stringify(message)) as Envelope);
      }
    }
    const needs = plannedScenarios().map((one) => [...one.needs.whole]);
    expect(needs).to.deep.equal([['networks', 'speech', 'compositions'], ['speech']]);
    expect([plannedBroadcasts().length, plannedTrials().length]).to.deep.equal([2, 1]);
    leaveOut(unable);
    expect([plannedBroadcasts().length, plannedTrials().length]).to.deep.equal([1, 0]);
  });
});
