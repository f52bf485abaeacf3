import { describe, it } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown } from '../../support/base/errors';
import { requestOf } from '../../support/broadcast/request';
import { readConfig, type Settings } from '../../support/config';
import { configuredProtocol, publishingOf } from '../../support/session/publish-broadcast';

const usual = readConfig({}).settings('127.0.0.1');
const open = { mediaServerLogin: undefined };
const login = { mediaServerLogin: { user: 'suite', password: 'x' } };

function settingsWith(mediaServer: Partial<Settings['services']['mediaServer']>): Settings {
  const { services } = usual;
  return {
    ...usual,
    services: { ...services, mediaServer: { ...services.mediaServer, ...mediaServer } },
  };
}

describe('how a broadcast is published', () => {
  const minute = requestOf();
  const other = requestOf({ fixture: '12-s-nfl' });

  it('is by RTMP for that of spec 021, and by RTSP for all others', () => {
    expect(publishingOf(minute, usual, open)).to.deep.equal({ protocol: 'rtmp', holds: true });
    expect(publishingOf(other, usual, open)).to.deep.equal({ protocol: 'rtsp', holds: true });
    expect(configuredProtocol(usual, open)).to.be.undefined;
  });

  it('is what is configured, for all of them', () => {
    for (const request of [minute, other]) {
      const by = (publishing: 'rtmp' | 'rtsp') =>
        publishingOf(request, settingsWith({ publishing }), open);
      expect(by('rtmp')).to.deep.equal({ protocol: 'rtmp', holds: true });
      expect(by('rtsp')).to.deep.equal({ protocol: 'rtsp', holds: true });
    }
    const config = readConfig({ PUBLISH_PROTOCOL: 'rtsp' });
    expect(config.settings('127.0.0.1').services.mediaServer.publishing).to.equal('rtsp');
  });

  it('is what the scenario says, whatever is configured', () => {
    for (const publishing of ['as-specified', 'rtmp', 'rtsp'] as const) {
      const settings = settingsWith({ publishing });
      const by = (publishedBy: 'rtsp' | 'rtmp' | 'encoder') =>
        publishingOf(requestOf({ publishedBy }), settings, open);
      expect(by('encoder')).to.deep.equal({ protocol: 'rtmp', holds: false });
      expect(by('rtmp')).to.deep.equal({ protocol: 'rtmp', holds: true });
      expect(by('rtsp')).to.deep.equal({ protocol: 'rtsp', holds: true });
    }
  });

  it('is by RTSP where RTMP wants a login or TLS, unless it must be RTMP', () => {
    const tls = settingsWith({ rtmp: 'rtmps://media.example' });
    for (const [settings, config] of [
      [usual, login],
      [tls, open],
    ] as const) {
      expect(publishingOf(minute, settings, config)).to.deep.equal({
        protocol: 'rtsp',
        holds: true,
      });
      expect(configuredProtocol(settings, config)).to.equal('rtsp');
      const encoder = requestOf({ publishedBy: 'encoder' });
      expect(() => publishingOf(encoder, settings, config)).to.throw(CannotBeShown, /login or TLS/);
    }
    const asked = settingsWith({ publishing: 'rtmp' });
    expect(() => publishingOf(minute, asked, login)).to.throw(CannotBeShown);
  });

  it('is refused with a message that says what it may be', () => {
    const config = readConfig({ PUBLISH_PROTOCOL: 'srt' });
    expect(() => config.settings('127.0.0.1')).to.throw(/the configuration is not valid/);
  });
});
