import { Given, Then } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { checkAnswered, checkConnection } from './judgements';

Given(
  'media-service is configured with the published port of the STS',
  async function (this: DubbingWorld) {
    const { manager, settings, tap } = await this.session.services();
    const configured = manager.media.variables[settings.services.mediaService.stsUrlVariable] ?? '';
    const port = Number(new URL(tap ? tap.upstream : configured).port);
    const { name } = settings.services.sts;
    expectThat(manager.publishedPorts().get(port) === name, {
      what: 'media-service is configured with another address',
      where: settings.services.mediaService.stsUrlVariable,
      seen: tap ? `${configured}, relayed to ${tap.upstream.href}` : configured,
      expected: `a port that ${name} publishes: ${JSON.stringify([...manager.publishedPorts()])}`,
    });
  },
);

Then(
  'media-service was connected to that port by the name of the test host',
  async function (this: DubbingWorld) {
    const { manager, tap } = await this.session.services();
    const run = this.broadcast.value;
    const { stsConnection: seen, problems, outcome } = run.evidence.run;
    const { runtime } = manager;
    const name = tap ? runtime.testHost.name : runtime.servicesHostForServices;
    const told = seen
      ? `${seen.host} (${seen.hostAddress ?? 'no address'}), connected to ${seen.remoteAddress}:${seen.remotePort}`
      : `never connected: ${[outcome, ...problems].join('; ')}`;
    this.log(told);
    expectThat(seen?.host === name && seen.remoteAddress === seen.hostAddress, {
      what: 'media-service was not connected to the STS by the name of the test host',
      where: `stream ${run.stream}`,
      seen: told,
      expected: `${name}, connected to the address of that name`,
      next: `read media-service.log in ${run.evidence.folder}`,
    });
    if (!tap) return;
    // What it asked for is in the request that arrived.
    const asked = run.events('open').map(({ payload }) => (payload as { host?: string }).host);
    const expected = `${name}:${tap.port}`;
    expectThat(asked.length > 0 && asked.every((host) => host === expected), {
      what: 'the Socket.IO connection was opened under another name',
      where: `stream ${run.stream}`,
      seen: asked.join(', ') || 'no Socket.IO connection',
      expected,
    });
  },
);

Then('the STS accepted the stream on it', async function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const { tap, settings } = await this.session.services();
  if (!tap) {
    // Only the connection's own ends hear what is said on it; media-service counts the answers.
    const { audioFragments: name } = settings.metrics;
    const processed = run.counter(name, { status: 'processed' });
    const { delta } = observed(
      'metrics of media-service',
      `${name}{status="processed"}`,
      processed,
    );
    expectThat(delta > 0, {
      what: 'the STS has answered no fragment of the stream',
      where: `stream ${run.stream}, ${name}{status="processed"}`,
      seen: String(delta),
      expected: 'more than 0',
    });
    return;
  }
  const ready = run.events('event', 'stream:ready');
  expectThat(ready.length === 1 && ready[0]?.connection === run.events('open')[0]?.connection, {
    what: 'the STS did not accept the stream, once',
    where: `stream ${run.stream}`,
    seen: `${ready.length} stream:ready, ${run.events('open').length} connections`,
    expected: 'one stream:ready on one connection',
  });
});

Then(
  'media-service was connected to the STS within {duration} of starting to connect',
  function (this: DubbingWorld, withinMs: number) {
    this.log(`connected after ${checkConnection(this.broadcast.value, withinMs)} ms`);
  },
);

Then('the STS acknowledged every fragment that media-service sent', function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const acknowledged = new Set(run.acknowledgements.map(({ data }) => data.fragment_id));
  const missing = run.sent.filter(({ data }) => !acknowledged.has(data.fragment_id));
  expectThat(run.sent.length > 0 && missing.length === 0, {
    what: 'not every fragment was acknowledged',
    where: `stream ${run.stream}`,
    seen: `${run.sent.length} sent, not acknowledged: ${missing.map((f) => f.data.fragment_id).join(', ') || 'none'}`,
    expected: 'fragment:ack for each',
  });
});

Then('the STS answered every fragment that media-service sent', function (this: DubbingWorld) {
  checkAnswered(this.broadcast.value);
});

Then(
  /^media-service tried at least (\d+) times to connect(?: again)?$/,
  function (this: DubbingWorld, times: string) {
    const run = this.broadcast.value;
    const refused = run.events('refused');
    expectThat(refused.length >= Number(times), {
      what: 'media-service did not keep trying to connect',
      where: `stream ${run.stream}`,
      seen: `${refused.length} refused attempts`,
      expected: `at least ${times}`,
    });
  },
);

Then('it waited longer before each further try', function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const times = run.events('refused').map(({ at }) => at);
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? at));
  const isGrowing = waits.every((wait, index) => wait > (waits[index - 1] ?? 0));
  this.log(`between the tries: ${waits.join(', ')} ms`);
  expectThat(waits.length >= 2 && isGrowing, {
    what: 'media-service did not wait longer each time',
    where: `stream ${run.stream}`,
    seen: `${times.length} tries; between them ${waits.map((ms) => `${ms} ms`).join(', ') || 'no wait'}`,
    expected: 'at least two waits, each longer than the one before',
  });
});
