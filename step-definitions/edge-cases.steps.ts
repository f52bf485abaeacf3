import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { Given, Then, When } from '@cucumber/cucumber';

import { audioLevels, readAudio } from '../support/analyze/audio';
import { normalizeWords } from '../support/analyze/transcript';
import { projectRoot } from '../support/config';
import { messageOf, PrerequisiteMissing } from '../support/base/errors';
import { runSuite } from '../support/environment/nested-suite';
import { freePort } from '../support/environment/ports';
import { publish } from '../support/observe/publisher';
import { fixtureNames } from '../support/parameter-types';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { checkAnswered, checkBudget, checkConnection, checkDuration } from './judgements';

/** Enough to tell sound from silence. */
const LEVEL_RATE_HZ = 8000;

/** The scenarios that need services or broadcast, without those that bring services of their own. */
const DEPENDENT = '@021 and not @edge-case and not @021-US1-4';

async function runNested(
  world: DubbingWorld,
  name: string,
  options: { tags: string; environment: Record<string, string>; culprit: string },
): Promise<void> {
  world.suiteRun.value = await runSuite({
    ...options,
    projectRoot,
    reportsFolder: join(world.session.config.reportsFolder, 'nested', name),
    track: world.session.track,
  });
}

When(
  'the suite is run with a broadcast file that does not exist',
  async function (this: DubbingWorld) {
    const culprit = join(this.session.config.reportsFolder, 'nested', 'no-such-broadcast.mp4');
    await runNested(this, 'fixture-missing', {
      tags: '@021 and (@broadcast or @fixture or @judges-fixture)',
      environment: { FIXTURE_FILE: culprit },
      culprit,
    });
  },
);

When(
  'the suite is run with a counting broadcast that does not exist',
  async function (this: DubbingWorld) {
    const { yamlPath } = this.session.fixture(fixtureNames['counting broadcast']);
    const culprit = join(this.session.config.reportsFolder, 'nested', 'no-such-counting.mp4');
    await runNested(this, 'counting-missing', {
      tags: '@019 and @counting',
      environment: { FIXTURE_SCRIPT: yamlPath, FIXTURE_FILE: culprit },
      culprit,
    });
  },
);

const PORT_OF = {
  'media server': 'MEDIAMTX_RTMP_PORT',
  STS: 'STS_PORT',
  'media-service': 'MEDIA_SERVICE_PORT',
} as const;

When(
  'the suite is run while another program listens on the port of the {service}',
  async function (this: DubbingWorld, service: keyof typeof PORT_OF) {
    const { servicesHost } = await this.session.runtime();
    const port = await freePort();
    const listener = createServer();
    await new Promise<void>((done, failed) => {
      listener.once('error', failed).listen(port, servicesHost, done);
    }).catch((error: unknown) => {
      throw new PrerequisiteMissing(
        {
          what: 'this program cannot listen on the host that services are published on',
          where: servicesHost,
          seen: messageOf(error),
          expected: 'an address of this host',
          next: "with a remote Docker engine: --tags 'not @needs-local-host'",
        },
        'services',
      );
    });
    this.cleanups.push(() => new Promise((done) => listener.close(() => done())));
    await runWithPortTaken(this, PORT_OF[service], port);
  },
);

When('the suite is run with the port of the STS of that set', async function (this: DubbingWorld) {
  const { manager } = this;
  const port = manager.value.sts.compose.services.flatMap((one) => one.publishedPorts)[0];
  if (port === undefined) throw new Error('the STS of the second set publishes no port');
  await runWithPortTaken(this, PORT_OF.STS, port);
});

async function runWithPortTaken(
  world: DubbingWorld,
  variable: string,
  port: number,
): Promise<void> {
  await runNested(world, `${variable}-${port}`, {
    tags: `${DEPENDENT} and not @fixture and not @judges-fixture and not @judges-compose-files`,
    environment: { [variable]: String(port) },
    culprit: `port ${port}`,
  });
}

/** What is written to the file, by the STS's name and port; nothing is where the file is missing. */
const COMPOSE_FAULTS: Record<string, ((sts: string, port: string) => string) | undefined> = {
  'it is missing': undefined,
  'it is not YAML': (sts) => `services:\n  ${sts}:\n    image: "unclosed\n`,
  'it has a key that nobody knows': (sts, port) =>
    `services:\n  ${sts}:\n    image: sts\n    prots: ["${port}:80"]\n`,
  'it has neither image nor build': (sts, port) =>
    `services:\n  ${sts}:\n    ports: ["${port}:80"]\n`,
  'the STS is not in it': (_sts, port) =>
    `services:\n  another-service:\n    image: sts\n    ports: ["${port}:80"]\n`,
  'the port of the STS is not open': (sts) => `services:\n  ${sts}:\n    image: sts\n`,
};
/** Faults that no line of the file can be named for. */
const WITHOUT_LINE = ['it is missing', 'the STS is not in it', 'the port of the STS is not open'];

When(
  /^the suite is run with an STS compose file of which this is true: (.+)$/,
  async function (this: DubbingWorld, fault: string) {
    const name = fault.replaceAll(' ', '-');
    const culprit = join(this.session.config.reportsFolder, 'nested', `${name}.yml`);
    if (!(fault in COMPOSE_FAULTS)) throw new Error(`no such fault: ${fault}`);
    const content = COMPOSE_FAULTS[fault];
    // Of a recorded broadcast the suite reads no compose file.
    await this.session.runtime();
    const { sts } = (await this.session.settings()).services;
    mkdirSync(dirname(culprit), { recursive: true });
    if (content) writeFileSync(culprit, content(sts.name, new URL(sts.health).port));
    await runNested(this, `compose-file-${name}`, {
      tags: `${DEPENDENT} and not @fixture and not @judges-fixture`,
      environment: { STS_COMPOSE_FILE: culprit },
      culprit: WITHOUT_LINE.includes(fault) ? culprit : `${culprit}:`,
    });
  },
);

Then(
  /^the scenario "(.+)" fails, naming (?:that file|the port and who holds it|the file|the file and line)$/,
  function (this: DubbingWorld, name: string) {
    const { scenarios, culprit, output } = this.suiteRun.value;
    const result = scenarios.find((scenario) => scenario.name === name);
    const file = relativeCulprit(culprit);
    const isNamed =
      (result?.message.includes(file) ?? false) &&
      (!culprit.startsWith('port') ||
        /\(pid \d+\)|held by container \S+/.test(result?.message ?? '')) &&
      (!culprit.endsWith(':') || /\.yml:\d+/.test(result?.message ?? ''));
    expectThat(result?.status === 'FAILED' && isNamed, {
      what: 'the scenario did not fail with that message',
      where: name,
      seen: `${result?.status ?? 'did not run'}: ${result?.message || output.slice(-2000)}`,
      expected: `FAILED, naming ${file}`,
    });
    this.log(result?.message ?? '');
  },
);

Then(
  /^every scenario that needs the (?:broadcast|services) is skipped, naming (?:that file|the port|the file|the file and line)$/,
  function (this: DubbingWorld) {
    const { scenarios, culprit } = this.suiteRun.value;
    const others = scenarios.filter(({ tags }) => !tags.some((tag) => tag.startsWith('@judges-')));
    const file = relativeCulprit(culprit);
    const wrong = others.filter(
      ({ status, skipReason }) => status !== 'SKIPPED' || !skipReason?.includes(file),
    );
    expectThat(others.length > 0 && wrong.length === 0, {
      what: 'scenarios were not skipped for that reason',
      where: `${others.length} scenarios`,
      seen: wrong
        .map(
          ({ name, status, skipReason, message }) => `${name}: ${status} ${skipReason ?? message}`,
        )
        .join('\n'),
      expected: `all skipped, naming ${file}`,
    });
    this.log(`${others.length} scenarios skipped`);
  },
);

Then('the suite reports failure', function (this: DubbingWorld) {
  const { exitCode, output } = this.suiteRun.value;
  expectThat(exitCode !== undefined && exitCode !== 0, {
    what: 'the suite reported success',
    where: 'exit code',
    seen: `${exitCode}: ${output.slice(-500)}`,
    expected: 'not 0',
  });
});

/** Messages show paths inside the project without the project's folder. */
function relativeCulprit(culprit: string): string {
  return culprit.replace(`${projectRoot}/`, '').replace(/:$/, '');
}

Given('a media server that has been stopped', async function (this: DubbingWorld) {
  const { manager, settings } = await this.secondServices();
  const { name, rtsp } = settings.services.mediaServer;
  await manager.start(manager.media, { services: [name] });
  await manager.runtime.control(manager.media, name, 'stop');
  this.stoppedServer.value = rtsp;
});

When('the one-minute broadcast is published to it', async function (this: DubbingWorld) {
  const url = `${this.stoppedServer.value}/live/nowhere/in`;
  const started = performance.now();
  const result = await publish(this.session.fixture().path, url, this.session.track).result;
  this.publishing.value = { ...result, url, seconds: (performance.now() - started) / 1000 };
});

Then('publishing fails within {duration}', function (this: DubbingWorld, withinMs: number) {
  const { exitCode, seconds, url, stderr } = this.publishing.value;
  expectThat(exitCode !== 0 && seconds * 1000 <= withinMs, {
    what: 'publishing did not fail at once',
    where: url,
    seen: `exit code ${exitCode} after ${seconds.toFixed(1)} s: ${stderr}`,
    expected: `another exit code than 0 within ${withinMs / 1000} s`,
  });
});

Then('the message names the host and the port of the media server', function (this: DubbingWorld) {
  const { stderr } = this.publishing.value;
  const { hostname, port } = new URL(this.stoppedServer.value);
  expectThat(stderr.includes(hostname) && stderr.includes(port), {
    what: 'the message does not name where publishing failed',
    where: this.publishing.value.url,
    seen: stderr,
    expected: `${hostname} and ${port}`,
  });
  this.log(stderr);
});

/** What a judgement says about this broadcast; an empty text when it holds. */
function verdictOf(judge: () => unknown): string {
  try {
    judge();
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

Then(
  'judging its connection to the STS fails with {string}',
  function (this: DubbingWorld, message: string) {
    expectVerdict(
      this,
      message,
      verdictOf(() => checkConnection(this.broadcast.value, 5000)),
    );
  },
);

Then(
  'judging the answers to its fragments fails with {string}',
  function (this: DubbingWorld, message: string) {
    expectVerdict(
      this,
      message,
      verdictOf(() => checkAnswered(this.broadcast.value)),
    );
  },
);

Then(
  'judging its output fails with {string}',
  async function (this: DubbingWorld, message: string) {
    const { fixture } = this.broadcast.value;
    const judged = checkDuration(this.broadcast.value, 0, fixture.durationSeconds + 1);
    const verdict = await judged.then(() => '', messageOf);
    expectVerdict(this, message, verdict);
  },
);

Then('judging its time fails with {string}', function (this: DubbingWorld, message: string) {
  const { budgetSeconds } = this.broadcast.value.evidence.run;
  expectVerdict(
    this,
    message,
    verdictOf(() => checkBudget(this.broadcast.value, budgetSeconds)),
  );
});

function expectVerdict(world: DubbingWorld, message: string, verdict: string): void {
  world.log(verdict);
  expectThat(verdict.includes(message), {
    what: 'the judgement does not fail with that message',
    where: `stream ${world.broadcast.value.stream}`,
    seen: verdict || 'it holds',
    expected: message,
  });
}

Then('nothing was published as its output', function (this: DubbingWorld) {
  const { stream, evidence } = this.broadcast.value;
  const path = `live/${stream}/out`;
  const looks = evidence.mediamtx.flatMap(({ paths }) => paths);
  const output = looks.filter(({ name }) => name === path);
  const published = output.filter(({ ready, bytesReceived }) => ready || bytesReceived > 0);
  // The suite has configured the path, so the media server lists it whether it is published or not.
  expectThat(output.length > 0 && published.length === 0, {
    what: 'something was published, or nobody looked',
    where: path,
    seen: `${output.length} looks, published in ${published.length}: ${evidence.run.outcome}`,
    expected: 'looks in all of which nothing was published',
  });
  this.log(`${output.length} looks at ${path}; ${evidence.run.outcome}`);
});

Then('a fragment was in flight when the publisher was cut off', function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const { publisher, times } = run.evidence.run;
  const cutOffAt = times.publisherEnded ?? 0;
  const inFlight = run.fragments.filter(
    ({ sent, answer }) => sent.at < cutOffAt && (answer?.at ?? Infinity) > cutOffAt,
  );
  const trips = run.fragments.map(({ sequence, sent, answer }) => {
    const after = (at?: number): string => (at === undefined ? 'never' : `${at - cutOffAt} ms`);
    return `fragment ${sequence}: sent ${after(sent.at)}, answered ${after(answer?.at)}`;
  });
  this.log(`from the cut on: ${trips.join('; ')}`);
  // A publisher that ends by a signal has no exit code.
  expectThat(publisher.exitCode === null && inFlight.length > 0, {
    what: 'no fragment was in flight when the publisher was cut off, or it was not cut off',
    where: `stream ${run.stream}`,
    seen: `publisher's exit code ${publisher.exitCode}; from its end on: ${trips.join('; ') || 'no fragment'}`,
    expected: 'no exit code, and a fragment that was sent before and answered later',
  });
});

Then('no answer came within {duration}', function (this: DubbingWorld, withinMs: number) {
  const run = this.broadcast.value;
  const trips = run.fragments.map(({ sequence, roundTripMs: ms }) =>
    ms === undefined ? `fragment ${sequence}: no answer` : `fragment ${sequence}: ${ms} ms`,
  );
  const quick = run.fragments.filter(({ roundTripMs: ms = Infinity }) => ms <= withinMs);
  this.log(trips.join('; '));
  expectThat(run.fragments.length === run.fixture.script.length && quick.length === 0, {
    what: 'an answer came earlier, or not every segment was sent',
    where: `stream ${run.stream}`,
    seen: trips.join('; ') || `no fragment sent: ${run.evidence.run.outcome}`,
    expected: `${run.fixture.script.length} fragments, none answered within ${withinMs} ms`,
  });
});

Then(
  'no fragment has a transcript of more than {int} word',
  function (this: DubbingWorld, most: number) {
    const run = this.broadcast.value;
    const texts = run.fragments.map(({ answer }) => answer?.data.transcript ?? '');
    const wrong = texts.filter((text) => normalizeWords(text).length > most);
    expectThat(run.answers.length === run.fixture.script.length && wrong.length === 0, {
      what: 'words were heard that nobody said, or not every segment was answered',
      where: `stream ${run.stream}`,
      seen: `${run.answers.length} answers: ${texts.map((text) => `"${text}"`).join(', ')}`,
      expected: `${run.fixture.script.length} answers, each of at most ${most} words`,
    });
  },
);

Then(
  'the output has at most {duration} of sound',
  async function (this: DubbingWorld, mostMs: number) {
    const { outputFile } = this.broadcast.value;
    const levels = audioLevels(await readAudio(outputFile, LEVEL_RATE_HZ), LEVEL_RATE_HZ);
    const { nonSilentSeconds, peakDbfs } = observed(outputFile, 'the loudness', levels);
    const figures = `${nonSilentSeconds.toFixed(2)} s of sound, peak ${peakDbfs.toFixed(1)} dBFS`;
    this.log(figures);
    expectThat(nonSilentSeconds * 1000 <= mostMs, {
      what: 'there is sound where nobody spoke',
      where: outputFile,
      seen: figures,
      expected: `at most ${mostMs / 1000} s`,
    });
  },
);
