import { describe, it } from 'node:test';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { messageOf, safeError, seenOf, SuiteError } from '../../support/base/errors';
import {
  hideSecretsOf,
  hidingSecrets,
  safeText,
  withoutSecrets,
} from '../../support/base/safe-text';

describe('texts that are shown or kept', () => {
  hideSecretsOf({
    GOOGLE_TRANSLATE_API_KEY: 'AIza/sy"D+1',
    NPM_TOKEN: 'npm_abcdef',
    DOCKER_AUTH_CONFIG: '{"auths":{"a":1}}',
    DB_PASSWORD: 'npm_abcdef_longer',
    STS_SERVICE_URL: 'https://somebody:pass%2Fword@sts:3000/x',
    SHORT_KEY: 'abc',
    EVERYDAY_TOKEN: 'required',
    LANG: 'en_US.UTF-8',
  });

  const hidden: [name: string, text: string, shown: string][] = [
    ['a key by its value', 'key AIza/sy"D+1!', 'key ***!'],
    ['a key in a URL', 'https://a/?x=AIza%2Fsy%22D%2B1&y=1', 'https://a/?x=***&y=1'],
    ['a key in JSON', JSON.stringify({ a: 'AIza/sy"D+1' }), '{"a":"***"}'],
    ['the longer of two secrets', 'npm_abcdef_longer', '***'],
    ['the password of an address', 'as pass/word and pass%2Fword', 'as *** and ***'],
    [
      'the header of an address',
      `Authorization: Basic ${Buffer.from('somebody:pass/word').toString('base64')}`,
      'Authorization: Basic ***',
    ],
    ['any header', '{"authorization":"Bearer abc.def"}', '{"authorization":"Bearer ***"}'],
    [
      'user and password of RTSP',
      'rtsp://u:p@127.0.0.1:8554/live',
      'rtsp://***@127.0.0.1:8554/live',
    ],
    ['a password with @', 'tcp://u:p@q@h:1', 'tcp://***@h:1'],
    ['a token as user', 'ssh://tok3n@h', 'ssh://***@h'],
    ['a query', 'http://h/?a=1&token=xyz&b=2', 'http://h/?a=1&token=***&b=2'],
    [
      'a command line',
      'node server --api-key abc --token=def x',
      'node server --api-key *** --token=*** x',
    ],
  ];
  for (const [name, text, shown] of hidden) {
    it(`hide ${name}`, () => {
      expect(withoutSecrets(text)).to.equal(shown);
      expect(safeText(safeText(text))).to.equal(shown);
    });
  }

  it('leave everything else as it is', () => {
    for (const text of [
      'abc',
      'required',
      'http://127.0.0.1:3000/a?b=c',
      'a@b.c',
      'the key is here',
    ]) {
      expect(safeText(text)).to.equal(text);
    }
    expect(
      JSON.parse(JSON.stringify({ at: 123456, a: ['npm_abcdef'] }, hidingSecrets)),
    ).to.deep.equal({
      ...{ at: 123456, a: ['***'] },
    });
  });

  it('show what would steer a terminal or break a report', () => {
    expect(safeText('a\u001b[31mb\u0000\r\nc\rd\te\u202e\ud800f\uffff\u009b')).to.equal(
      'a\\u001b[31mb\\u0000\nc\nd\te\\u202e\\ud800f\\uffff\\u009b',
    );
    expect(safeText('ñ é 漢 🎉')).to.equal('ñ é 漢 🎉');
  });

  it('have nothing left of any text that a terminal or XML cannot take', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(safeText(text)).to.not.match(/[^\P{Cc}\n\t]|\p{Cs}|[\ufffe\uffff]/u);
        expect(safeText(safeText(text))).to.equal(safeText(text));
      }),
    );
  });

  it('hide any secret, wherever it stands', () => {
    const secret = fc.stringMatching(/^[!-~]{8,30}$/);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, behind) => {
        hideSecretsOf({ SOME_SECRET: value });
        expect(withoutSecrets(`${before}${value}${behind}`)).to.not.include(value);
      }),
      { numRuns: 50 },
    );
  });

  it('are the parts of every error', () => {
    const error = new SuiteError({
      ...{ what: 'npm_abcdef', where: 'rtsp://u:p@h', seen: '\u001b[31m<script>', expected: '' },
      next: `--token npm_abcdef ${'x'.repeat(1e6)}`,
    });
    expect(JSON.stringify([error.message, error.problem, error.stack])).to.not.match(
      /npm_abcdef|u:p@/,
    );
    expect(error.message).to.not.include('\u001b');
    expect(error.message.length).to.be.below(30_000);
    expect(seenOf(error)).to.equal('\\u001b[31m<script>');
    const other = new TypeError('npm_abcdef', { cause: 'npm_abcdef' });
    const safe = safeError(other);
    expect([messageOf(other), safe.message, safe.name, safe.cause]).to.deep.equal([
      ...['***', '***', 'TypeError', undefined],
    ]);
    expect(safe.stack).to.include('safe-text.test').and.to.not.include('npm_abcdef');
    expect(safeError(error)).to.equal(error);
  });
});
