import { describe, it } from 'node:test';

import { expect } from 'chai';
import { z } from 'zod';

import { type ContractEvent, EVENTS, violationsOf } from '../../support/contract/contract';
import { isAccepted } from '../../support/contract/echo-controls';
import { ERROR_CODES, RETRYABLE_CODES } from '../../support/contract/error-codes';
import { dubDataOf, fragmentProcessed, statusOf, streamInit } from '../../support/contract/events';
import { EXAMPLES } from './examples';

type Fields = Record<string, unknown>;

/** The paths of the fields that an event has to have. */
function requiredIn(schema: z.core.JSONSchema.BaseSchema, prefix: string[] = []): string[][] {
  const { properties = {}, required = [], items } = schema;
  const inner = Object.entries(properties).flatMap(([name, field]) =>
    typeof field === 'object' ? requiredIn(field, [...prefix, name]) : [],
  );
  const listed =
    typeof items === 'object' && !Array.isArray(items) ? requiredIn(items, [...prefix, '0']) : [];
  return [...required.map((name) => [...prefix, name]), ...inner, ...listed];
}

/** A copy with another value at a path; without the field where the value is undefined. */
function withValue(
  payload: unknown,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): unknown {
  const copy = (
    Array.isArray(payload) ? [...(payload as unknown[])] : { ...(payload as Fields) }
  ) as Fields;
  copy[name] = rest.length > 0 ? withValue(copy[name], rest, value) : value;
  if (copy[name] === undefined) Reflect.deleteProperty(copy, name);
  return copy;
}

const schemaOf = ({ payload }: ContractEvent): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' });

describe('the contract', () => {
  it('has an example of every event', () => {
    expect(Object.keys(EXAMPLES)).to.have.members(EVENTS.map(({ name }) => name));
  });

  for (const event of EVENTS) {
    const { name, payload } = event;
    const examples = EXAMPLES[name] ?? [];
    const [whole = {}] = examples;

    it(`accepts every variant of ${name}`, () => {
      examples.forEach((example) => {
        expect(violationsOf(payload, example), JSON.stringify(example)).to.deep.equal([]);
        expect(violationsOf(payload, { ...example, more: 1 })).to.deep.equal([]);
      });
    });

    it(`refuses ${name} without a field that it has to have, and names it`, () => {
      for (const path of requiredIn(schemaOf(event))) {
        const violations = violationsOf(payload, withValue(whole, path, undefined));
        expect(violations.join('\n')).to.include(`${path.join('.')}: `);
      }
    });

    it(`refuses ${name} with a field of another kind, and names it`, () => {
      // A timestamp may be anything.
      for (const field of Object.keys(payload.shape).filter((one) => one !== 'timestamp')) {
        expect(violationsOf(payload, { ...whole, [field]: [[]] }).join('\n')).to.include(field);
      }
      expect(violationsOf(payload, 'text')).to.have.length(1);
    });
  }

  it('names the field of a dub that does not fit', () => {
    const [answer = {}] = EXAMPLES['fragment:processed'] ?? [];
    const broken = withValue(answer, ['dubbed_audio', 'sample_rate_hz'], '44100');
    expect(violationsOf(fragmentProcessed, broken).join()).to.match(
      /^dubbed_audio\.sample_rate_hz: /,
    );
  });

  it('takes timeouts of 1 to 30 seconds only', () => {
    const [init = {}] = EXAMPLES['stream:init'] ?? [];
    for (const timeout_ms of [999, 30_001, '8000']) {
      expect(violationsOf(streamInit, { ...init, timeout_ms }).join()).to.match(/^timeout_ms: /);
    }
  });

  it('tells how a fragment went, also where the answer has no status', () => {
    expect(statusOf({})).to.equal('success');
    expect(statusOf({ error: null })).to.equal('success');
    expect(statusOf({ status: null, error: null })).to.equal('success');
    expect(statusOf({ status: null, error: { code: 'TIMEOUT' } })).to.equal('failed');
    expect(statusOf({ error: { code: 'TIMEOUT' } })).to.equal('failed');
    expect(statusOf({ status: 'partial', error: { code: 'MODEL_ERROR' } })).to.equal('partial');
  });

  it('finds the dub of an answer in each of its forms', () => {
    const format = { format: 'm4a', sample_rate_hz: 1, channels: 1, duration_ms: 1 };
    const dubs = [{ ...format, data_base64: 'AAAA' }, 'AAAA', null, undefined, ''];
    const found = dubs.map((dubbed_audio) => dubDataOf({ dubbed_audio }));
    expect(found).to.deep.equal(['AAAA', 'AAAA', '', '', '']);
  });

  it('knows by its status whether a control was accepted', () => {
    expect([{ status: 'accepted' }, {}, undefined].map(isAccepted)).to.deep.equal([
      true,
      true,
      true,
    ]);
    expect([{ status: 'rejected' }, 'no'].map(isAccepted)).to.deep.equal([false, false]);
  });

  it('has five codes that are retryable, and four that are not', () => {
    expect([...RETRYABLE_CODES]).to.deep.equal([
      ...['TIMEOUT', 'MODEL_ERROR', 'GPU_OOM', 'QUEUE_FULL', 'RATE_LIMIT'],
    ]);
    expect(Object.keys(ERROR_CODES).filter((code) => !RETRYABLE_CODES.has(code))).to.deep.equal([
      ...['STREAM_NOT_FOUND', 'INVALID_CONFIG', 'FRAGMENT_TOO_LARGE', 'INVALID_SEQUENCE'],
    ]);
  });
});
