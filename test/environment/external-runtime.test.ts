import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown, messageOf } from '../../support/base/errors';
import { loginHeader } from '../../support/base/http';
import { readConfig, type Settings } from '../../support/config';
import { ExternalRuntime, ExternalServices } from '../../support/environment/external-runtime';
import { rejection } from '../analyze/make-media';

const LOGINS = {
  ...{ MEDIA_SERVICE_USER: 'suite', MEDIA_SERVICE_PASSWORD: 'p@ss/word' },
  ...{ STS_USER: 'other', STS_PASSWORD: 'hunter22' },
};

describe('services that run elsewhere', () => {
  const asked: string[] = [];
  let status = 200;
  const server = createServer(({ url, headers }, response) => {
    asked.push(`${url} ${headers.authorization ?? 'nobody'}`);
    // Of any content.
    response.writeHead(status).end('I am fine');
  });
  let address = '';
  before(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  function settings(): Settings {
    return readConfig({
      ...{
        RUNTIME: 'external',
        ...LOGINS,
        MEDIA_SERVER_API_URL: address,
        STS_SERVICE_URL: address,
      },
      ...{ STS_HEALTH_URL: `${address}/sts`, MEDIA_SERVICE_HEALTH_URL: `${address}/service` },
    }).settings('127.0.0.1');
  }

  function services(healthTimeoutMs = 2000): ExternalServices {
    const { signal } = new AbortController();
    const options = { settings: settings(), stsUrl: address, healthTimeoutMs, signal };
    return ExternalServices.of(new ExternalRuntime({}), options);
  }

  it('are waited for at their addresses, the STS first, with the login of each', async () => {
    asked.length = 0;
    await services().startAll();
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(asked).to.deep.equal([
      `/sts ${basic('other:hunter22')}`,
      '/v3/paths/list nobody',
      `/service ${basic('suite:p@ss/word')}`,
    ]);
  });

  it('that are not healthy are named, with what they answer, and without the password', async () => {
    status = 401;
    const refusal = messageOf(await rejection(services(150).startAll()));
    status = 200;
    expect(refusal)
      .to.match(/sts-service.*401 I am fine/s)
      .and.to.match(/acceptance\.yaml/);
    expect(refusal).to.not.include('hunter22');
    expect(refusal).to.not.include('log lines');
  });

  it('are left alone when the session ends', async () => {
    asked.length = 0;
    await services().stopAll();
    expect(asked).to.deep.equal([]);
  });

  it('have no logs to collect', async () => {
    expect([...(await services().logs())]).to.deep.equal([]);
  });

  const runtime = new ExternalRuntime({});
  const needs: [string, () => unknown][] = [
    ['starts', () => services().starts],
    ['published ports', () => services().publishedPorts()],
    ['free ports', () => services().checkPortsFree()],
    ['compose files', () => services().sts.compose],
    ['a path of a service', () => runtime.pathInService()],
    ['reading compose files', () => runtime.read()],
    ['processes', () => runtime.ps()],
    ['leftovers', () => runtime.leftovers()],
    ['a log', () => runtime.logs()],
    ['stopping one', () => runtime.control()],
    ['files', () => runtime.copyOut()],
    ['connections', () => runtime.connections()],
    ['host names', () => runtime.addressOf()],
    ['networks', () => runtime.networks()],
    ['holders of ports', () => runtime.holderOf()],
  ];
  for (const [name, need] of needs) {
    it(`what needs ${name} is not shown, with the reason`, async () => {
      const error = await rejection(Promise.resolve().then(need));
      expect(error).to.be.instanceOf(CannotBeShown);
      expect(messageOf(error)).to.include('RUNTIME=external starts and stops nothing');
    });
  }

  it('are on the host that SERVICES_HOST names, where no address does', () => {
    expect(new ExternalRuntime({ SERVICES_HOST: 'media.example' }).servicesHost).to.equal(
      'media.example',
    );
    expect(runtime.servicesHost).to.equal('127.0.0.1');
  });

  it('are addressed with the logins of the environment, RTSP and RTMP without', () => {
    const { mediaServer, mediaService, sts } = readConfig({
      ...{ ...LOGINS, MEDIA_SERVER_USER: 'suite', MEDIA_SERVER_PASSWORD: 'secret99' },
      MEDIA_SERVICE_METRICS_URL: 'https://own:login77@media.example/metrics',
    }).settings('127.0.0.1').services;
    expect(mediaServer.api).to.equal('http://suite:secret99@127.0.0.1:9997');
    expect(mediaServer.rtsp).to.equal('rtsp://127.0.0.1:8554');
    expect(mediaService.metrics).to.equal('https://own:login77@media.example/metrics');
    expect(loginHeader(sts.url)).to.deep.equal(loginHeader('http://other:hunter22@127.0.0.1'));
  });
});
