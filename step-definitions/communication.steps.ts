import { Given, Then } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';
import { checkAnswered, checkConnection } from './judgements';

Given(
  'media-service is configured with the published port of the STS',
  async function (this: DubbingWorld) {
    const { manager, tap } = await this.session.services();
    const configured = manager.media.variables['STS_SERVICE_URL'] ?? '';
    const port = Number(new URL(tap ? tap.upstream : configured).port);
    expectThat(manager.publishedPorts().get(port) === 'sts-service', {
      what: 'media-service is configured with another address',
      where: 'STS_SERVICE_URL',
      seen: tap ? `${configured}, relayed to ${tap.upstream.href}` : configured,
      expected: `a port that sts-service publishes: ${JSON.stringify([...manager.publishedPorts()])}`,
    });
  },
);

Then(
  'the Socket.IO connection of media-service arrived at that port',
  function (this: DubbingWorld) {
    const { broadcast, session } = this;
    const opened = broadcast.value.events('open');
    const attempts = broadcast.value.events('refused');
    expectThat(opened.length > 0, {
      what: 'media-service did not connect to the STS',
      where: session.config.stsUrl,
      seen:
        attempts.length === 0
          ? `no attempt to connect: ${broadcast.value.evidence.run.outcome}`
          : `${attempts.length} refused attempts: ${JSON.stringify(attempts.at(-1)?.payload)}`,
      expected: 'a Socket.IO connection',
    });
  },
);

Then('the STS accepted the stream on it', function (this: DubbingWorld) {
  const run = this.broadcast.value;
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
