// Runs in the page of a run, see run-page.tsx: plays the original beside the output, filters the requirements, and opens the
// scenario that a link leads to. Without it everything can be read as well.
/* global segmentPlayer -- of player-script.js, which comes before this in the page */
(() => {
  'use strict';
  const form = document.querySelector('.filters');
  const { text, state } = form.elements;
  const rows = [...document.querySelectorAll('.states > tr')];
  const specs = [...document.querySelectorAll('.spec')];

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const content = row.textContent.toLowerCase();
      const isWanted =
        state.value === '' ||
        row.dataset.state === state.value ||
        (state.value === 'ran' && row.dataset.state !== 'not run');
      row.hidden = !isWanted || !words.every((word) => content.includes(word));
    }
    for (const spec of specs) {
      spec.hidden = !spec.querySelector('.states > tr:not([hidden])');
      if (words.length > 0 || state.value !== '') spec.querySelector('details').open = true;
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector('output').textContent = `${shown} of ${rows.length} shown`;
  }

  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(target instanceof window.HTMLDetailsElement)) return;
    target.open = true;
    target.scrollIntoView();
  }

  /** Two players that go together: the original follows the output, and one of the two is heard. */
  function playTogether(output, original, sourceAtZero) {
    /** A difference that is seen, and that is not corrected by itself. */
    const APART_SECONDS = 0.15;
    const follow = () => {
      const wanted = Math.max(0, output.currentTime - sourceAtZero);
      if (Math.abs(original.currentTime - wanted) > APART_SECONDS) original.currentTime = wanted;
    };
    original.controls = false;
    original.muted = true;
    for (const event of ['play', 'playing']) {
      output.addEventListener(event, () => original.play().catch(() => undefined));
    }
    for (const event of ['pause', 'waiting', 'ended']) {
      output.addEventListener(event, () => original.pause());
    }
    for (const event of ['seeked', 'timeupdate', 'loadedmetadata']) {
      output.addEventListener(event, follow);
    }
    original.addEventListener('loadedmetadata', follow);
    for (const choice of document.querySelectorAll('input[name="audio"]')) {
      choice.addEventListener('change', () => {
        output.muted = choice.value === 'original';
        original.muted = !output.muted;
      });
    }
  }

  const { segments, sourceAtZero } = JSON.parse(document.getElementById('data').textContent);
  const output = document.getElementById('output');
  const original = document.getElementById('original');
  if (output) segmentPlayer(output, segments, () => undefined).follow();
  if (output && original) playTogether(output, original, sourceAtZero);
  for (const element of document.querySelectorAll('.needs-script')) element.hidden = false;

  form.hidden = false;
  const ran = rows.filter((row) => row.dataset.state !== 'not run').length;
  // Of a part of the suite, what ran comes first.
  if (ran > 0 && ran < rows.length) state.value = 'ran';
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  window.addEventListener('hashchange', openTarget);
  filter();
  openTarget();
})();
