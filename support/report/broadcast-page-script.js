// Runs in the page of a broadcast, see broadcast-page.tsx: the player goes together with tables and charts, and the log can be
// searched. Without it everything can be read as well.
(() => {
  'use strict';
  /** So many lines of the log are shown at first: with more of them, the page answers slowly. */
  const FIRST_LINES = 500;

  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const { segments } = JSON.parse(byId('data').textContent);
  const video = document.querySelector('video');

  let current;

  /** Shows which fragment is played, without taking the reader anywhere. */
  function show(segment) {
    if (segment === current) return;
    current = segment;
    for (const row of all('tr[aria-current]')) row.removeAttribute('aria-current');
    byId(`fragment-${segment?.sequence}`)?.setAttribute('aria-current', 'true');
    byId('now-fragment').textContent = segment
      ? `Fragment ${segment.sequence}: ${segment.state}`
      : 'Between fragments';
    byId('now-original').textContent = segment?.original ?? '';
    byId('now-dub').textContent = segment?.dub ?? '';
  }

  function follow() {
    const now = video.currentTime;
    // A seek ends a little before or after what was asked for.
    show(segments.findLast(({ fromPts, toPts }) => fromPts <= now + 0.02 && now < toPts));
    for (const chart of all('svg[data-from-pts]')) {
      const { left, right, fromPts, toPts } = chart.dataset;
      const share = (now - fromPts) / (toPts - fromPts);
      const line = chart.querySelector('.playhead');
      const x = Number(left) + share * (right - left);
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      line.style.visibility = share >= 0 && share <= 1 ? 'visible' : 'hidden';
    }
  }

  function seek(pts) {
    if (!video) return;
    video.currentTime = pts;
    follow();
  }

  function seekTo(sequence) {
    const segment = segments.find((one) => one.sequence === Number(sequence));
    if (segment) seek(segment.fromPts);
    return segment;
  }

  function play() {
    // A browser may refuse, or the file may not be there: the player says so itself.
    video?.play().catch(() => undefined);
  }

  function fromHash() {
    seekTo(/^#fragment-(\d+)$/.exec(location.hash)?.[1]);
  }

  function addTexts() {
    const tracks = [
      ['Original', 'en', 'original'],
      ['Dub', 'es', 'dub'],
    ];
    for (const [label, language, key] of tracks) {
      const cues = segments.filter((segment) => segment[key] !== '');
      if (cues.length === 0) continue;
      const track = video.addTextTrack('subtitles', label, language);
      for (const { fromPts, toPts, [key]: text } of cues) {
        const shown = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
        // At its very end a text would be shown beside the next one.
        track.addCue(new VTTCue(Math.max(0, fromPts), toPts - 0.001, shown));
      }
      // Shown, it would cover what is written in the frame; both stand beside the player.
      track.mode = 'hidden';
    }
  }

  function onClick(event) {
    const link = event.target.closest('a[href^="#fragment-"]');
    if (link) {
      seekTo(link.hash.slice('#fragment-'.length));
      // From a chart, the reader stays where the chart is.
      if (!link.closest('svg')) return;
      event.preventDefault();
      history.replaceState(null, '', link.getAttribute('href'));
      return;
    }
    const button = event.target.closest('button');
    if (button?.dataset.seek) seek(Number(button.dataset.seek));
    if (button?.dataset.play && seekTo(button.dataset.play)) play();
    if (button?.dataset.step) {
      const now = video.currentTime + 0.02;
      const isNext = button.dataset.step === '1';
      const to = isNext
        ? segments.find(({ fromPts }) => fromPts > now)
        : segments.findLast(({ fromPts }) => fromPts < (current?.fromPts ?? now));
      if (to) seek(to.fromPts);
    }
    const chart = event.target.closest('svg[data-from-pts]');
    if (chart) {
      const { left, right, fromPts, toPts } = chart.dataset;
      const box = chart.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
      const share = (x - left) / (right - left);
      if (share >= 0 && share <= 1) seek(Math.max(0, Number(fromPts) + share * (toPts - fromPts)));
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
    addTexts();
    for (const event of ['timeupdate', 'seeked', 'loadedmetadata']) {
      video.addEventListener(event, follow);
    }
    video.addEventListener('error', () => {
      byId('player-trouble').hidden = false;
    });
    if (video.error) byId('player-trouble').hidden = false;
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
