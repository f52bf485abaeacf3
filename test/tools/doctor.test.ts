import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { expect } from 'chai';
import { parse } from 'yaml';

import { NotObserved } from '../../support/base/errors';
import { projectRoot, readConfig } from '../../support/config';
import { draftOf } from '../../tools/doctor/draft';
import { asking, ok, shownLine } from '../../tools/doctor/line';
import { nearNames } from '../../tools/doctor/metric-names';
import { foundMetrics, metricLines } from '../../tools/doctor/metrics';

const { metrics: names } = readConfig({}).settings('127.0.0.1');

/** What a service in other clothes exports. */
const SEEN = new Map([
  ['media_service_worker_segments_processed', 'counter'],
  ['worker_audio_fragments_total', 'gauge'],
  ['dub_av_offset_ms', 'gauge'],
  ['sts_circuit_state', 'gauge'],
  ['process_cpu_seconds_total', 'counter'],
  ['worker_inflight_fragments', 'untyped'],
]);

test('a metric of another name is found by the words that both have in common', () => {
  expect(nearNames('worker_av_sync_delta_ms', SEEN.keys())).to.deep.equal(['dub_av_offset_ms']);
  expect(nearNames('worker_sts_breaker_state', SEEN.keys())[0]).to.equal('sts_circuit_state');
  expect(nearNames('worker_reconnection_total', ['worker_sts_reconnects_total'])).to.have.length(1);
});

test('metrics that have nothing in common with the wanted one are not named', () => {
  expect(nearNames('worker_fallback_total', ['process_cpu_seconds_total', 'go_gc'])).to.be.empty;
});

test('at most three near names are given, the best first', () => {
  const four = ['a_fallback_total', 'fallback', 'b_fallback', 'c_fallback'];
  const near = nearNames('worker_fallback_total', four);
  expect(near).to.have.length(3);
  expect(near[0]).to.equal('fallback');
});

test('a counter is found by its series and by its family', () => {
  const found = foundMetrics(names, SEEN).find(({ key }) => key === 'segmentsProcessed');
  expect(found).to.deep.equal({ key: 'segmentsProcessed', type: 'counter', near: [] });
});

test('a line says of each metric what is missing, of another kind, and what to write', () => {
  const lines = metricLines(names, SEEN).map(shownLine).join('\n');
  expect(lines).to.match(/ok +metrics +media_service_worker_segments_processed_total/);
  expect(lines).to.match(/missing +metrics +worker_av_sync_delta_ms \(histogram\): not there/);
  expect(lines).to.include('is it dub_av_offset_ms (gauge)?');
  expect(lines).to.match(
    /WRONG +metrics +worker_audio_fragments_total: a gauge, expected: a counter/,
  );
  expect(lines).to.match(
    /worker_fallback_total[^\n]*not there\n +→ say what it is called in metrics\.fallbacks/,
  );
});

test('the draft has what was found in place of what is not there, and says what is absent', (t) => {
  const file = join(projectRoot, 'acceptance.yaml');
  const text = draftOf(file, names, SEEN);
  const draft = parse(text) as { metrics: Record<string, unknown> };
  expect(draft.metrics['avSyncDelta']).to.deep.equal({ name: 'dub_av_offset_ms', kind: 'gauge' });
  expect(draft.metrics['fallbacks']).to.equal('absent');
  expect(draft.metrics['segmentsProcessed']).to.equal(names.segmentsProcessed);
  expect(text).to.include('# What the suite drives');
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'acceptance.yaml');
  writeFileSync(copy, text);
  const read = readConfig({ ACCEPTANCE_CONFIG: copy }).settings('127.0.0.1');
  expect(read.metrics.fallbacks).to.equal('absent');
});

test('without metrics the draft is the configuration', () => {
  const file = join(projectRoot, 'acceptance.yaml');
  const settings = parse(draftOf(file, names, undefined)) as { metrics: unknown };
  expect(settings.metrics).to.deep.equal(names);
});

test('an error is a line with its cause and what to do', async () => {
  const problem = { what: 'no answer', where: 'http://x', seen: 'nothing', expected: 'an answer' };
  const [line] = await asking(
    'handshake',
    () => Promise.reject(new NotObserved(problem)),
    'start it',
  );
  expect(line).to.deep.equal({
    ...{ topic: 'handshake', state: 'wrong', next: 'start it' },
    text: 'no answer (http://x): nothing; expected: an answer',
  });
});

test('a line of several lines is indented', () => {
  expect(shownLine(ok('health', 'a\nb'))).to.equal(
    `ok        health          a\n${' '.repeat(26)}b`,
  );
});
