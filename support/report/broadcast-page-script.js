// Runs in the page of a broadcast, see broadcast-page.tsx: the player goes together with tables and charts, and the log can be
// searched. Without it everything can be read as well.
/* global segmentPlayer -- of player-script.js, which comes before this in the page */
(() => {
  'use strict';
  /** So many lines of the log are shown at first: with more of them, the page answers slowly. */
  const FIRST_LINES = 500;
  /** A row of the table of segments. */
  const ROW = /^#((?:fragment|segment)-\d+)$/;

  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const { segments } = JSON.parse(byId('data').textContent);
  const video = document.querySelector('video');
  const player = video && segmentPlayer(video, segments, mark);

  /** Marks what is played, without taking the reader anywhere. */
  function mark(segment) {
    const row = segment && byId(segment.row);
    if (row?.getAttribute('aria-current') !== 'true') {
      for (const marked of all('tr[aria-current]')) marked.removeAttribute('aria-current');
      row?.setAttribute('aria-current', 'true');
    }
    for (const chart of all('svg[data-from-pts]')) {
      const { left, right, fromPts, toPts } = chart.dataset;
      const share = (video.currentTime - fromPts) / (toPts - fromPts);
      const line = chart.querySelector('.playhead');
      const x = Number(left) + share * (right - left);
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      line.style.visibility = share >= 0 && share <= 1 ? 'visible' : 'hidden';
    }
  }

  function seekTo(row) {
    const segment = segments.find((one) => one.row === row);
    if (segment) player.seek(segment.fromPts);
    return segment;
  }

  function fromHash() {
    seekTo(ROW.exec(location.hash)?.[1]);
  }

  function onClick(event) {
    const link = event.target.closest('a[href^="#"]');
    const row = ROW.exec(link?.hash ?? '')?.[1];
    if (row !== undefined) {
      seekTo(row);
      // From a chart, the reader stays where the chart is.
      if (!link.closest('svg')) return;
      event.preventDefault();
      history.replaceState(null, '', link.getAttribute('href'));
      return;
    }
    const button = event.target.closest('button');
    if (button?.dataset.seek) player.seek(Number(button.dataset.seek));
    // A browser may refuse, or the file may not be there: the player says so itself.
    if (button?.dataset.play && seekTo(button.dataset.play)) video.play().catch(() => undefined);
    const chart = event.target.closest('svg[data-from-pts]');
    if (chart) {
      const { left, right, fromPts, toPts } = chart.dataset;
      const box = chart.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
      const share = (x - left) / (right - left);
      const pts = Number(fromPts) + share * (toPts - fromPts);
      if (share >= 0 && share <= 1) player.seek(Math.max(0, pts));
    }
  }

  function withLog() {
    const search = byId('log-search');
    if (!search) return;
    const [service, level, button] = ['log-service', 'log-level', 'log-all'].map(byId);
    const lines = all('.log tbody tr').map((row) => ({
      row,
      service: row.cells[1].textContent,
      level: row.cells[2].textContent,
      text: row.textContent.toLowerCase(),
    }));
    let most = FIRST_LINES;
    const filter = () => {
      const wanted = search.value.trim().toLowerCase();
      let found = 0;
      for (const line of lines) {
        const isFound =
          line.text.includes(wanted) &&
          (service.value === '' || service.value === line.service) &&
          (level.value === '' || level.value === line.level);
        if (isFound) found += 1;
        line.row.hidden = !isFound || found > most;
      }
      const first = found > most ? `; the first ${most} are shown` : '';
      byId('log-count').textContent = `${found} of ${lines.length} lines${first}`;
      button.hidden = found <= most;
    };
    // Told once the reader stops typing, not at every letter.
    let timer;
    const soon = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(filter, 150);
    };
    search.addEventListener('input', soon);
    service.addEventListener('change', filter);
    level.addEventListener('change', filter);
    button.addEventListener('click', () => {
      most = Infinity;
      filter();
    });
    search.form.addEventListener('submit', (event) => event.preventDefault());
    filter();
  }

  if (video) {
    for (const moment of all('[data-seek]')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.seek = moment.dataset.seek;
      button.textContent = moment.textContent;
      button.setAttribute('aria-label', `watch at second ${moment.textContent}`);
      moment.replaceWith(button);
    }
    document.addEventListener('click', onClick);
    window.addEventListener('hashchange', fromHash);
    document.body.classList.add('can-seek');
    fromHash();
  }
  for (const element of all('.needs-script')) {
    element.hidden = !video && element.matches('[data-play]');
  }
  withLog();
})();
