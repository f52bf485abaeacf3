// Runs in pages that have a player, before their own script: which segment is played, its texts as tracks, and buttons that go
// from one to the next.
/* exported segmentPlayer -- the scripts of the pages, which follow, use it */
/**
 * @param segments in the order of time (PlayedSegment in facts.ts)
 * @param onTime called with the segment that is played, or undefined between two of them
 */
function segmentPlayer(video, segments, onTime) {
  'use strict';
  /** A seek ends a little before or after what was asked for. */
  const SEEK_SECONDS = 0.02;
  const byId = (id) => document.getElementById(id);
  let current;

  function follow() {
    const now = video.currentTime + SEEK_SECONDS;
    current = segments.findLast(
      ({ fromPts, toPts }) => fromPts <= now && now - SEEK_SECONDS < toPts,
    );
    const isBefore = now < (segments[0]?.fromPts ?? Infinity);
    const nothing = isBefore ? '' : 'Between segments';
    byId('now-fragment').textContent = current ? `${current.name}: ${current.state}` : nothing;
    byId('now-original').textContent = current?.original ?? '';
    byId('now-dub').textContent = current?.dub ?? '';
    onTime(current);
  }

  function seek(pts) {
    video.currentTime = pts;
    follow();
  }

  function step(isNext) {
    const now = video.currentTime + SEEK_SECONDS;
    const to = isNext
      ? segments.find(({ fromPts }) => fromPts > now)
      : segments.findLast(({ fromPts }) => fromPts < (current?.fromPts ?? now));
    if (to) seek(to.fromPts);
  }

  /** Hidden, as it would cover what is written in the frame; the texts stand beside the player. */
  function addTrack(label, language, key) {
    const cues = segments.filter((segment) => segment[key] !== '');
    if (cues.length === 0) return;
    const track = video.addTextTrack('subtitles', label, language);
    for (const { fromPts, toPts, [key]: text } of cues) {
      const shown = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      // At its very end a text would be shown beside the next one.
      track.addCue(new VTTCue(Math.max(0, fromPts), toPts - 0.001, shown));
    }
    track.mode = 'hidden';
  }

  addTrack('Original', byId('now-original').lang, 'original');
  addTrack('Dub', byId('now-dub').lang, 'dub');
  for (const event of ['timeupdate', 'seeked', 'loadedmetadata']) {
    video.addEventListener(event, follow);
  }
  const trouble = byId('player-trouble');
  video.addEventListener('error', () => {
    trouble.hidden = false;
  });
  if (video.error) trouble.hidden = false;
  for (const button of document.querySelectorAll('button[data-step]')) {
    button.addEventListener('click', () => step(button.dataset.step === '1'));
  }
  return { seek, follow };
}
