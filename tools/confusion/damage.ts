/** What can be wrong with an output, each kind with neighbours, and by which criterion that has to be told. */
import { SIZE } from './movie';
import {
  audio,
  audioPieces,
  below,
  both,
  COPY,
  type Damage,
  END,
  STRIP,
  type Variant,
  video,
  videoPieces,
} from './variant';

const W = SIZE.width;
const H = SIZE.height - STRIP;

function of(kind: string, right: readonly string[], all: readonly Variant[]): Damage[] {
  return all.map((one) => ({ ...one, kind, right }));
}

/** @param when ffmpeg's expression of t */
const seen = (name: string, filter: string, when = 'between(t,7,10.999)'): Variant => ({
  ...{ name, args: video(below(filter, when)) },
});

/** From 7 s on, for 4 s, a part of the frame is as it was. @param at where it is */
const stillPart = (crop: string, at: string): string =>
  'split=3[all][p][q];[p][q]freezeframes=first=210:last=329:replace=210,' +
  `crop=${crop}[part];[all][part]overlay=${at}`;

/** Frames that are none of the source are said to be so by the one or the other. */
const OTHER_VIDEO = of(
  'another video',
  ['programme', 'frames'],
  [
    {
      name: 'a Mandelbrot in place of the programme, strip kept',
      args: video(`crop=iw:${STRIP}:0:0[s];[2:v][s]overlay=0:0`),
      inputs: ['-f', 'lavfi', '-t', String(END), '-i', `mandelbrot=s=${W}x${SIZE.height}:r=30`],
    },
    {
      name: 'a test card in place of the programme for 4 s',
      args: video(`null[k];[k][2:v]overlay=0:${STRIP}:enable='between(t,7,10.999)'`),
      inputs: ['-f', 'lavfi', '-t', String(END), '-i', `smptehdbars=s=${W}x${H}:r=30`],
    },
    {
      name: 'another video altogether',
      args: video('nullsink;[2:v]format=yuv420p'),
      inputs: ['-f', 'lavfi', '-t', String(END), '-i', `life=s=${W}x${SIZE.height}:r=30:mold=9`],
    },
    seen('mirrored', 'hflip'),
    seen('upside down', 'vflip'),
    seen('inverted', 'negate'),
    seen('a grey box in it', 'drawbox=x=iw*0.6:y=ih*0.5:w=iw*0.3:h=ih*0.4:color=gray:t=fill'),
  ],
);

const LOOK = of(
  'the look of the programme',
  ['programme'],
  [
    seen('grey', 'hue=s=0'),
    seen('half of the colour', 'hue=s=0.4'),
    seen('U and V exchanged', 'swapuv'),
    seen('another hue', 'hue=h=90'),
    seen(
      'a mosaic of 64 px (of 720p)',
      `scale=${W / 32}:-1:flags=area,scale=${W}:${H}:flags=neighbor`,
    ),
    seen('a mosaic of 32 px', `scale=${W / 16}:-1:flags=area,scale=${W}:${H}:flags=neighbor`),
    seen('blurred', 'gblur=sigma=8'),
    ...[0.75, 1.25, 2, 3].map((sigma) =>
      seen(`blurred by ${2 * sigma} px (of 720p)`, `gblur=sigma=${sigma}`),
    ),
    seen('blurred by a box of 3 px', 'boxblur=1'),
    {
      name: 'blurred by 2.5 px (of 720p), at 500 kb/s',
      args: video(
        below('gblur=sigma=1.25'),
        '-b:v',
        '500k',
        '-maxrate',
        '500k',
        '-bufsize',
        '500k',
      ),
    },
    seen('the lower half stands still', stillPart('iw:ih/2:0:ih/2', '0:main_h/2')),
    seen('a quarter stands still', stillPart('iw/2:ih/2:iw/4:ih/4', 'main_w/4:main_h/4')),
    seen('crushed levels', "lutyuv=y='clip((val-64)*1.6,16,235)'"),
    seen('full range taken for limited', "lutyuv=y='clip((val-16)*255/219,0,255)'"),
    seen('darker', "lutyuv=y='val*0.6'"),
    seen('noise', 'noise=c0s=60:allf=t'),
  ],
);

const FRAMES = of(
  'frames',
  ['frames', 'timestamps'],
  [
    {
      name: 'two segments exchanged',
      args: video(videoPieces([0, 6], [12, 18], [6, 12], [18, END])),
    },
    {
      name: 'two segments exchanged with their dubs',
      args: both(
        videoPieces([0, 6], [12, 18], [6, 12], [18, END]),
        audioPieces([0, 6], [12, 18], [6, 12], [18, END]),
      ),
    },
    {
      name: 'a segment is shown twice, another one never',
      args: video(videoPieces([0, 12], [6, 12], [18, END])),
    },
    ...(
      [
        [1, 30],
        [3, 90],
        [0.3, 9],
      ] as const
    ).map(([seconds, count]) => ({
      name: `frozen for ${seconds} s`,
      args: video(`split[f][g];[f][g]freezeframes=first=240:last=${239 + count}:replace=240`),
    })),
    { name: 'a slide show of 5 fps', args: video('fps=5,fps=30') },
    { name: '5 fps', args: video('fps=5') },
    { name: '10 fps', args: video('fps=10') },
    { name: 'converted to 25 fps, which the fixture does not allow', args: video('fps=25') },
    { name: 'a hole of 1 s', args: video(videoPieces([0, 8], [9, END])) },
    { name: 'video 440 ms early from 9 s on', args: video(videoPieces([0, 9], [9.44, END])) },
    {
      name: 'timestamps of video 440 ms early from 9 s on',
      args: video(
        "setpts='PTS-if(gte(T,9),0.44,0)/TB'",
        ...['-fps_mode', 'passthrough', '-enc_time_base', '1/90000'],
      ),
    },
    { name: 'a stretch of 1 s again', args: video(videoPieces([0, 9], [8, END])) },
    {
      name: 'black for 0.5 s',
      args: video("drawbox=color=black:t=fill:enable='between(t,8,8.5)'"),
    },
    { name: 'black for 3 s', args: video("drawbox=color=black:t=fill:enable='between(t,8,11)'") },
    {
      name: 'backwards for 1 s',
      args: video(
        'split=3[a][b][c];[a]trim=0:8[x];[b]trim=8:9,setpts=PTS-STARTPTS,reverse[y];[c]trim=9,setpts=PTS-STARTPTS[z];[x][y][z]concat=n=3',
      ),
    },
    {
      name: 'no video packet for 0.5 s',
      args: video("select='not(between(t,8,8.5))'", '-fps_mode', 'passthrough'),
    },
    {
      name: 'no audio packet for 300 ms at a splice',
      args: [...COPY, '-bsf:a', "noise=drop='between(n,555,568)':amount=0"],
    },
  ],
);

const FORMAT = of(
  'format',
  ['video-format'],
  [
    {
      name: '360p, then 180p',
      args: video('trim=0:12'),
      then: video('trim=start=12,scale=320:180'),
    },
    {
      name: 'pixels of another shape from the middle on',
      args: video('trim=0:12'),
      then: video('trim=start=12,setsar=4/3'),
    },
    { name: 'pixels that are not square', args: video('setsar=4/3') },
    { name: 'squeezed to 4:3', args: video('scale=480:360,setsar=1') },
    { name: 'turned by the header', args: [...COPY, '-metadata:s:v:0', 'rotate=90'] },
    { name: 'turned upright', args: video('transpose=1') },
    { name: 'letterbox', args: video('scale=640:272,pad=640:360:0:44,setsar=1') },
    { name: 'pillarbox', args: video('scale=480:360,pad=640:360:80:0,setsar=1') },
    { name: '4:4:4', args: video('format=yuv444p', '-pix_fmt', 'yuv444p') },
    { name: '4:2:2', args: video('format=yuv422p', '-pix_fmt', 'yuv422p') },
    { name: '10 bit', args: video('format=yuv420p10le', '-pix_fmt', 'yuv420p10le') },
    { name: 'one key frame in 24 s', args: video('null', '-g', '9999', '-sc_threshold', '0') },
    {
      name: 'a GOP of 12 s',
      args: video('null', '-g', '360', '-keyint_min', '360', '-sc_threshold', '0'),
    },
  ],
);

const STEREO = 'aformat=channel_layouts=stereo';
const CHANNELS = of(
  'channels',
  ['channels'],
  [
    { name: 'left only', args: audio('pan=stereo|c0=c0|c1=0*c0') },
    { name: 'right only', args: audio('pan=stereo|c0=0*c0|c1=c1') },
    { name: 'antiphase', args: audio('pan=stereo|c0=c0|c1=-1*c0') },
    {
      name: 'the left channel is 20 dB softer',
      args: audio(`${STEREO},pan=stereo|c0=0.1*c0|c1=c1`),
    },
    {
      name: 'left only from 10 s on',
      args: audio(`aeval='val(0)|val(1)*lt(t,10)':c=stereo,${STEREO}`),
    },
  ],
);

const HEARD = [
  // Of what it is heard with, a part is not heard unaltered.
  ...of(
    'damaged audio',
    ['dub-damage', 'dubs'],
    [{ name: 'an echo of 120 ms', args: audio('aecho=0.8:0.6:120:0.5') }],
  ),
  ...of(
    'damaged audio',
    ['dub-damage'],
    [
      {
        name: 'holes of 23 ms every 250 ms',
        args: audio("volume=0:enable='lt(mod(t,0.25),0.023)'"),
      },
      { name: 'holes of 10 ms every 100 ms', args: audio("volume=0:enable='lt(mod(t,0.1),0.01)'") },
      { name: '300 ms are silent in a dub', args: audio("volume=0:enable='between(t,8,8.3)'") },
      { name: 'a hole of 60 ms', args: audio("volume=0:enable='between(t,8.5,8.56)'") },
      { name: 'clipping by +24 dB', args: audio('volume=24dB,aformat=s16') },
      {
        name: 'clipping by +24 dB, then softer',
        args: audio('volume=24dB,aformat=s16,volume=0.3'),
      },
      {
        name: 'a click within a dub',
        args: audio("aeval='if(between(t,8.5,8.5003),0.8,val(0))':c=same"),
      },
      {
        name: 'crackle',
        args: audio("aeval='if(gt(random(0),0.9998),0.5*(random(1)*2-1),val(0))':c=same"),
      },
      { name: 'a hum of 50 Hz', args: audio('aeval=val(0)+0.02*sin(2*PI*50*t):c=same') },
      { name: 'a tone of 1 kHz', args: audio('aeval=val(0)+0.02*sin(2*PI*1000*t):c=same') },
      { name: 'noise', args: audio('aeval=val(0)+0.03*(random(0)*2-1):c=same') },
      { name: '4 bits a sample', args: audio('acrusher=bits=4:mode=lin:mix=0') },
      {
        name: '100 ms are heard twice, in place of the next',
        args: audio(audioPieces([0, 8.5], [8.4, 8.5], [8.6, END])),
      },
      {
        name: '200 ms are heard twice, in place of the next',
        args: audio(audioPieces([0, 8.5], [8.3, 8.5], [8.7, END])),
      },
      {
        name: '0.5 s of a dub are played backwards',
        args: audio(
          'asplit=3[p][q][r];[p]atrim=0:8[x];[q]atrim=8:8.5,asetpts=PTS-STARTPTS,areverse[y];[r]atrim=start=8.5,asetpts=PTS-STARTPTS[z];[x][y][z]concat=n=3:v=0:a=1',
        ),
      },
      ...[-10, 10].map((db) => ({
        name: `from 11.5 s on all is ${Math.abs(db)} dB ${db < 0 ? 'softer' : 'louder'}`,
        args: audio(`volume=-10dB,volume=${db}dB:enable='gte(t,11.5)'`),
      })),
      {
        name: 'the band of a telephone, with steep edges',
        args: audio("firequalizer=gain='if(between(f,300,3400),0,-60)':delay=0.02"),
      },
      {
        name: 'half of a dub at half its level',
        args: audio("volume=0.4:enable='between(t,8.5,12)'"),
      },
    ],
  ),
];

const atRate = (from: number, to: number): string =>
  `aresample=${from},asetrate=${to},aresample=48000,apad,atrim=0:${END}`;

const DUBS = of(
  'dubs',
  ['dubs'],
  [
    { name: 'two dubs exchanged', args: audio(audioPieces([0, 6], [12, 18], [6, 12], [18, END])) },
    { name: 'a dub is missing', args: audio("volume=0:enable='between(t,6,12)'") },
    { name: 'a dub is heard twice', args: audio(audioPieces([0, 12], [6, 12], [18, END])) },
    { name: 'half of a dub is missing', args: audio("volume=0:enable='between(t,8.2,12)'") },
    { name: '44.1 kHz played at 48 kHz', args: audio(atRate(44100, 48000)) },
    { name: '48 kHz played at 44.1 kHz', args: audio(atRate(48000, 44100)) },
    { name: '24 kHz played at 48 kHz', args: audio(atRate(24000, 48000)) },
    {
      name: 'one dub 44.1 kHz played at 48 kHz',
      args: audio(
        `asplit=3[p][q][r];[p]atrim=0:6[x];[q]atrim=6:12,asetpts=PTS-STARTPTS,aresample=44100,asetrate=48000,aresample=48000,apad,atrim=0:6[y];[r]atrim=start=12,asetpts=PTS-STARTPTS[z];[x][y][z]concat=n=3:v=0:a=1`,
      ),
    },
  ],
);

const SPEED = of(
  'the speed of dubs',
  ['dub-speed'],
  [
    ...['asetrate=48480,aresample=48000', 'atempo=1.01', 'atempo=0.97'].map((filter) => ({
      name: `each dub through ${filter}`,
      args: audio(
        `asplit=4[p0][p1][p2][p3];${[0, 1, 2, 3].map((i) => `[p${i}]atrim=${6 * i}:${6 * i + 6},asetpts=PTS-STARTPTS,${filter},apad=whole_dur=6,atrim=0:6[s${i}];`).join('')}[s0][s1][s2][s3]concat=n=4:v=0:a=1`,
      ),
    })),
    {
      name: 'all audio 1 % fast, at the same pitch',
      args: audio(`atempo=1.01,apad,atrim=0:${END}`),
    },
  ],
);

const ORIGINAL = of(
  'the original',
  ['original'],
  [
    {
      name: 'the original in place of the dub',
      args: ['-map', '0:v', '-map', '1:a', '-c', 'copy'],
    },
    {
      name: 'the original of one segment',
      args: audio(
        "volume=0:enable='between(t,6,12)'[q];[1:a]aresample=48000,volume=0:enable='not(between(t,6,12))'[o];[q][o]amix=inputs=2:normalize=0:duration=first",
      ),
    },
    ...[-6, -18].map((db) => ({
      name: `the original under the dub, at ${db} dB`,
      args: audio(
        `anull[q];[1:a]aresample=48000,volume=${db}dB[o];[q][o]amix=inputs=2:normalize=0:duration=first`,
      ),
    })),
  ],
);

const LOUDNESS = [
  ...of(
    'loudness',
    ['audio'],
    [
      { name: 'silent', args: audio('volume=0') },
      { name: 'hardly heard (-45 dB)', args: audio('volume=-45dB') },
    ],
  ),
  ...of(
    'loudness',
    ['splices', 'dub-damage', 'dub-loudness'],
    [
      { name: 'one dub is 16 dB softer', args: audio("volume=0.16:enable='between(t,6,12)'") },
      { name: 'one dub is 13 dB louder', args: audio("volume=0.22:enable='not(between(t,6,12))'") },
      {
        name: 'a click at a splice',
        args: audio("aeval='if(between(t,12,12.0005),0.8,val(0))':c=same"),
      },
    ],
  ),
];

const faster = (ppm: number): string => {
  const to = 192_000 + Math.round((192_000 * ppm) / 1e6);
  return `aresample=192000,asetrate=${to},aresample=48000,apad,atrim=0:${END}`;
};

const RATES = of(
  'rates and jumps',
  ['av-drift', 'av-offset'],
  [
    ...[1000, -1000, 5000, -10_000].map((ppm) => ({
      name: `the audio clock is ${Math.abs(ppm)} ppm ${ppm > 0 ? 'fast' : 'slow'}`,
      args: audio(faster(ppm)),
    })),
    {
      name: 'the audio jumps by -139 ms at 12 s',
      args: audio(audioPieces([0, 12], [12.139, END])),
    },
    {
      name: 'the audio jumps by 200 ms at 6 s',
      args: audio(`${audioPieces([0, 6], [5.8, END])},atrim=0:${END}`),
    },
    {
      name: 'the audio jumps by 90 ms at 12 s',
      args: audio(`${audioPieces([0, 12], [11.91, END])},atrim=0:${END}`),
    },
    {
      name: 'one dub is 150 ms late',
      args: audio(audioPieces([0, 6], [5.85, 11.85], [12, END])),
    },
  ],
);

const OFFSET = of(
  'A/V offset',
  ['av-offset'],
  [
    ...[150, 400, 1500].map((ms) => ({
      name: `the dub is ${ms} ms late`,
      args: audio(`adelay=${ms}:all=1,atrim=0:${END}`),
    })),
    { name: 'the dub is 200 ms early', args: audio('atrim=start=0.2,asetpts=PTS-STARTPTS') },
  ],
);

const ENDS = [
  ...of(
    'start and end',
    ['output-begins', 'timestamps', 'duration'],
    [
      {
        name: 'a hole at the start: frames at 0 s, then at 2.2 s',
        args: video("select='lt(n,1)+gte(t,2.2)'", '-fps_mode', 'passthrough'),
      },
      { name: 'joined 0.8 s late', args: both(videoPieces([0.8, END]), audioPieces([0.8, END])) },
      { name: 'joined 3 s late', args: both(videoPieces([3, END]), audioPieces([3, END])) },
      { name: 'video begins 1.5 s late', args: video('trim=start=1.5', '-avoid_negative_ts', '0') },
      { name: 'audio begins 1.5 s late', args: audio('atrim=start=1.5') },
    ],
  ),
  ...of(
    'start and end',
    ['output-ends', 'duration', 'frames'],
    [
      { name: 'ends 0.8 s early', args: both('trim=0:23.2', 'atrim=0:23.2') },
      { name: 'ends 5 s early', args: both('trim=0:19', 'atrim=0:19') },
      { name: 'the last 0.9 s of the audio are missing', args: audio('atrim=0:23.1') },
      {
        name: 'the last 0.9 s show other frames',
        args: video(videoPieces([0, 23.1], [2, 2.9])),
      },
      { name: '3 s of black at the end', args: both('tpad=stop_duration=3', 'apad=pad_dur=3') },
      {
        name: 'looped at 12 s',
        args: both(videoPieces([0, 12], [0, 12]), audioPieces([0, 12], [0, 12])),
      },
    ],
  ),
];

const FILES = [
  ...of(
    'the file',
    ['tracks'],
    [
      { name: 'no audio', args: ['-map', '0:v', '-c', 'copy'] },
      { name: 'no video', args: ['-map', '0:a', '-c', 'copy'] },
      { name: 'two audio tracks', args: ['-map', '0', '-map', '1:a', '-c', 'copy'] },
      {
        name: 'HEVC',
        args: video(
          'null',
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          'log-level=error',
        ),
      },
      { name: 'MP3', args: [...COPY, '-c:a', 'libmp3lame'] },
    ],
  ),
  ...of(
    'the file',
    ['decoding', 'duration', 'timestamps'],
    [
      { name: 'a third is missing', args: [...COPY, '-movflags', 'faststart'], share: 0.67 },
      { name: 'a third is missing (TS)', args: COPY, file: 'torn.ts', share: 0.67 },
      { name: 'packets of video are damaged', args: [...COPY, '-bsf:v', 'noise=amount=3000'] },
      { name: 'packets of audio are damaged', args: [...COPY, '-bsf:a', 'noise=amount=2000'] },
    ],
  ),
];

export const DAMAGE: readonly Damage[] = [
  ...[...OTHER_VIDEO, ...LOOK, ...FRAMES, ...FORMAT, ...CHANNELS, ...HEARD, ...DUBS, ...SPEED],
  ...ORIGINAL,
  ...[...LOUDNESS, ...RATES, ...OFFSET, ...ENDS, ...FILES],
];
