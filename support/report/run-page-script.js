// Runs in the page of a run, see run-page.tsx: filters the requirements, and opens the scenario that a link leads to.
// Without it everything can be read as well.
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
    for (const spec of specs) spec.hidden = !spec.querySelector('.states > tr:not([hidden])');
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector('output').textContent = `${shown} of ${rows.length} shown`;
  }

  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!(target instanceof window.HTMLDetailsElement)) return;
    target.open = true;
    target.scrollIntoView();
  }

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
