/** ffmpeg's arguments that turn a good recording (input 0; input 1 is the broadcast itself) into a faulty one. */

const AAC = ['-c:a', 'aac', '-b:a', '128k'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15'];

/** @param filter of the audio, from `[0:a]` and `[1:a]`, with no output label */
export function audioFilter(filter: string): string[] {
  const graph = ['-filter_complex', `${filter}[out]`];
  return [...graph, '-map', '0:v', '-map', '[out]', '-c:v', 'copy', ...AAC];
}

/** @param filter of the video, from `[0:v]`, with no output label */
export function videoFilter(filter: string): string[] {
  const graph = ['-filter_complex', `${filter}[out]`];
  return [...graph, '-map', '[out]', '-map', '0:a', ...H264, '-c:a', 'copy'];
}

/** Stretches of the audio in seconds, one after the other. */
export function stretches(...all: [number, number][]): string[] {
  const labels = all.map((_, i) => `[s${i}]`).join('');
  const split = `[0:a]asplit=${all.length}${all.map((_, i) => `[p${i}]`).join('')};`;
  const trims = all.map(
    ([from, to], i) => `[p${i}]atrim=${from}:${to},asetpts=PTS-STARTPTS[s${i}];`,
  );
  return audioFilter(`${split}${trims.join('')}${labels}concat=n=${all.length}:v=0:a=1`);
}

export const LATE_150_MS = audioFilter('[0:a]adelay=150:all=1');
export const SILENT = audioFilter('[0:a]volume=0');
export const ORIGINAL_KEPT = ['-map', '0:v', '-map', '1:a', '-c', 'copy'];
export const ORIGINAL_UNDER_THE_DUB = audioFilter(
  '[1:a]volume=-18dB[o];[0:a][o]amix=inputs=2:normalize=0:duration=first',
);
/** English as loud as it was published, and by a tenth faster, so that only a listener knows it again. */
export const ENGLISH_OVER_THE_DUB = audioFilter(
  '[1:a]atempo=1.1,adelay=3000:all=1[o];[0:a][o]amix=inputs=2:normalize=0:duration=first',
);
export const TWO_AUDIO_TRACKS = ['-map', '0', '-map', '0:a', '-c', 'copy'];
/** 13 packets of audio, 0.3 s, from the 400th on. */
export const GAP_IN_THE_AUDIO = [
  ...['-map', '0', '-c', 'copy'],
  ...['-bsf:a', "noise=drop='between(n,400,413)':amount=0"],
];

/** Audio and video drift apart by that much over the recording. */
export function drifting(seconds: number, byMs: number): string[] {
  return audioFilter(
    `[0:a]aresample=48000,asetrate=48000*${seconds}/${seconds + byMs / 1000},aresample=48000`,
  );
}

/** The video freezes on one frame for some frames. */
export function frozen(fromFrame: number, frames: number): string[] {
  const [first, last] = [fromFrame, fromFrame + frames - 1];
  return videoFilter(
    `[0:v]split[a][b];[a][b]freezeframes=first=${first}:last=${last}:replace=${first}`,
  );
}

/** Grey, but for the strip of numbers, which is so already. */
export const COLOURLESS = videoFilter('[0:v]hue=s=0');

/** Of another shape than the broadcast. */
export const SQUEEZED = videoFilter('[0:v]scale=960:720,setsar=1');

/** The audio ends after that many seconds, the video goes on. */
export function audioUntil(seconds: number): string[] {
  return audioFilter(`[0:a]atrim=0:${seconds}`);
}

/** Bits of the video are changed, as by a bad disk. */
export const BROKEN_VIDEO = [
  ...['-map', '0', '-c', 'copy'],
  ...['-bsf:v', "noise=amount='if(between(n,300,310),20,0)'"],
];

/** Without the first 18 packets of the video, three groups of pictures or more: it begins 0.6 s later. */
export const BEGINS_LATER = [
  ...['-map', '0', '-c', 'copy'],
  ...['-bsf:v', "noise=drop='lt(n,18)':amount=0"],
];

/** Ten frames follow at once, and the last of them stays until the next is due; none is missing. */
export const BUNCHED = [
  ...['-map', '0', '-c', 'copy', '-bsf:v'],
  `setts=${['pts', 'dts'].map((time) => `${time}='if(between(N,331,340),PREV_OUT${time.toUpperCase()}+10,${time.toUpperCase()})'`).join(':')}`,
];

export function cutAt(seconds: number): string[] {
  return ['-map', '0', '-c', 'copy', '-t', String(seconds)];
}

/** So many times as loud, from some moment on. */
export function louder(times: number, fromSeconds = 0): string[] {
  return audioFilter(`[0:a]volume=${times}:enable='gte(t,${fromSeconds})'`);
}

/** Nothing is heard from one moment to another. */
export function silentBetween(fromSeconds: number, toSeconds: number): string[] {
  return audioFilter(`[0:a]volume=0:enable='between(t,${fromSeconds},${toSeconds})'`);
}

/** Nothing in the right channel, and twice as much in the left one: the mean of the two is what it was. */
export const RIGHT_SILENT = audioFilter('[0:a]pan=stereo|c0=2*c0|c1=0*c0');

/** Clicks of 0.3 ms within the second segment. */
const CLICK = 'if(between(mod(t,1.3),0.5,0.5003)*between(t,7,10.9),0.8,val(0))';
export const CLICKS = audioFilter(`[0:a]aeval='${CLICK}|${CLICK}',aformat=channel_layouts=stereo`);
