/** Outputs in which a viewer finds nothing wrong: every encoder, container and file name makes some of them. */
import { audio, audioPieces, both, COPY, END, type Variant, video, videoPieces } from './variant';

/** Another container; tracks and packets are the same. */
const CONTAINERS: Variant[] = [
  { name: 'as it is', args: COPY },
  ...['mkv', 'mov', 'flv', 'ts'].map((ending) => ({
    ...{ name: `copied to .${ending}`, args: COPY, file: `copied.${ending}` },
  })),
  { name: 'fragmented MP4', args: [...COPY, '-movflags', 'frag_keyframe+empty_moov'] },
  { name: 'MP4 that begins with its index', args: [...COPY, '-movflags', 'faststart'] },
  { name: 'with a timecode track', args: [...COPY, '-timecode', '01:00:00:00'], file: 'tc.mov' },
  { name: 'with a title', args: [...COPY, '-metadata', 'title=It\'s "one" of 100 %'] },
  { name: 'all timestamps 10 s later', args: [...COPY, '-output_ts_offset', '10'], file: 'l.ts' },
];

const NAMES: Variant[] = [
  `it's "quoted" output.mp4`,
  'with spaces  and\ttab.mp4',
  'salida – día señal 日本 🏈.mp4',
  '%d #1 50%.mp4',
  'a:b;c,d=[e].mkv',
  '-output $HOME `x` \\ back.ts',
  '..leading dots & ampersand.flv',
].map((file) => ({ name: `called ${JSON.stringify(file)}`, args: COPY, file }));

const bitrate = (kbps: number): string[] => [
  ...['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`, '-crf', '-1'],
];
const size = (width: number, height: number): string => `scale=${width}:${height}`;

const ENCODED: Variant[] = [
  ...[300, 500, 1000, 2000, 4000, 8000].map((kbps) => ({
    ...{ name: `${kbps} kb/s`, args: video('null', ...bitrate(kbps)) },
  })),
  { name: '1080p at 8 Mb/s', args: video(size(1920, 1080), ...bitrate(8000)) },
  { name: '720p at 2 Mb/s', args: video(size(1280, 720), ...bitrate(2000)) },
  { name: '480p at 1 Mb/s', args: video(size(854, 480), ...bitrate(1000)) },
  { name: '240p at 500 kb/s', args: video(size(426, 240), ...bitrate(500)) },
  { name: '240p at 300 kb/s', args: video(size(426, 240), ...bitrate(300)) },
  { name: 'B-frames', args: video('null', '-bf', '3') },
  { name: 'B-frames, MKV', args: video('null', '-bf', '3'), file: 'b.mkv' },
  { name: 'B-frames, TS, GOP of 2 s', args: video('null', '-bf', '3', '-g', '60'), file: 'b.ts' },
  { name: 'B-frames, FLV, GOP of 2 s', args: video('null', '-bf', '3', '-g', '60'), file: 'b.flv' },
  { name: 'GOP of 2 s', args: video('null', '-g', '60') },
  { name: 'GOP of 5 s, open', args: video('null', '-g', '150', '-bf', '2', '-flags', '-cgop') },
  { name: 'key frames only', args: video('null', '-g', '1') },
  { name: 'baseline profile, fastest preset', args: video('null', '-preset', 'ultrafast') },
  {
    name: 'pixels that are not square, of the same shape',
    args: video('scale=480:360,setsar=4/3'),
  },
];

const RATES: Variant[] = [
  ...(
    [
      ...[['24000/1001', 23.976] as const, ['24', 24] as const, ['25', 25] as const],
      ...[['30000/1001', 29.97] as const, ['50', 50] as const, ['60000/1001', 59.94] as const],
      ['60', 60] as const,
    ] as const
  ).map(([rate, outputFramesPerSecond]) => ({
    name: `converted to ${outputFramesPerSecond} fps, which the fixture allows`,
    args: video(`fps=${rate}`),
    outputFramesPerSecond,
  })),
  ...['24000/1001', '25', '30000/1001', '50', '60'].map((rate) => ({
    ...{ name: `a source of ${rate} fps`, args: video('null'), rate },
  })),
  {
    name: 'timestamps with a jitter of 8 ms',
    args: video(
      'setpts=PTS+0.008*random(1)/TB',
      ...['-fps_mode', 'passthrough', '-enc_time_base', '1/90000'],
    ),
  },
];

const HEARD: Variant[] = [
  ...[32, 48, 64, 96, 128].map((kbps) => ({
    name: `AAC of ${kbps} kb/s, mono`,
    args: audio('aformat=channel_layouts=mono', '-b:a', `${kbps}k`),
  })),
  ...[48, 64, 192].map((kbps) => ({
    name: `AAC of ${kbps} kb/s, stereo`,
    args: audio('anull', '-b:a', `${kbps}k`),
  })),
  ...[22050, 24000, 32000, 44100].map((hz) => ({
    name: `audio of ${hz} Hz`,
    args: audio(`aresample=${hz}`),
  })),
  {
    name: 'loudnorm',
    args: audio('loudnorm=I=-16,aresample=48000,aformat=channel_layouts=stereo'),
  },
  {
    name: 'loudnorm to -23 LUFS',
    args: audio('loudnorm=I=-23,aresample=48000,aformat=channel_layouts=stereo'),
  },
  { name: 'dynaudnorm', args: audio('dynaudnorm') },
  { name: 'a compressor', args: audio('acompressor=threshold=0.1:ratio=4:attack=20:release=250') },
  { name: 'a limiter', args: audio('volume=6dB,alimiter=limit=0.7') },
  { name: 'louder by 3 dB', args: audio('volume=3dB') },
  { name: 'softer by 6 dB', args: audio('volume=-6dB') },
  { name: 'a high-pass filter', args: audio('highpass=f=80') },
  { name: 'an equaliser', args: audio('bass=g=3,treble=g=-3') },
];

const IN_TIME: Variant[] = [
  { name: 'the dub is 40 ms late', args: audio(`adelay=40:all=1,atrim=0:${END}`) },
  { name: 'the dub is 40 ms early', args: audio('atrim=start=0.04,asetpts=PTS-STARTPTS') },
  { name: 'joined 0.2 s late', args: both(videoPieces([0.2, END]), audioPieces([0.2, END])) },
  { name: 'joined 0.4 s late', args: both(videoPieces([0.4, END]), audioPieces([0.4, END])) },
  { name: 'ends 0.3 s early', args: both(`trim=0:${END - 0.3}`, `atrim=0:${END - 0.3}`) },
  {
    name: 'a lead-in of 120 ms of its first frame and silence',
    args: both('tpad=start_duration=0.12:start_mode=clone', 'adelay=120:all=1'),
  },
  {
    name: 'a clock that is 50 ppm fast',
    args: audio('aresample=192000,asetrate=192010,aresample=48000'),
  },
];

export const BENIGN: readonly Variant[] = [
  ...[...CONTAINERS, ...NAMES, ...ENCODED, ...RATES, ...HEARD, ...IN_TIME],
];
