// Every dependency is pinned to one version, and all places that name it name the same, as far as npm, pip and Go do not
// check that themselves. Reads files only; run by the linters. Debian's packages have no versions here: its release fixes
// them, and the archive keeps only the newest.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { filesBelow, root } from './commands.mjs';

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
/** Built here, for this checkout. */
const OWN_IMAGE = /^(live-dubbing\/|\$\{)/;
const DEBIAN_RELEASE = 'bookworm';

const faults = [];
const fault = (file, text) => faults.push(`${file}: ${text}`);
const read = (file) => readFileSync(join(root, file), 'utf8');

// npm: one version each; that the lock has the same is what `npm ci` checks.
function checkNpm() {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!EXACT.test(version)) fault('package.json', `${name} is "${version}", not one version`);
  }
}

/** Name of a Python package as registries compare them (PEP 503). */
const normal = (name) => name.toLowerCase().replace(/[-_.]+/g, '-');

// Python: what an .in names is in the lock beside it; versions and hashes are what `pip --require-hashes` checks.
function checkPython() {
  for (const source of filesBelow('.', (name) => name.endsWith('.in'))) {
    const lock = source.replace(/\.in$/, '.lock');
    if (!existsSync(join(root, lock))) {
      fault(source, `has no ${lock}`);
      continue;
    }
    const locked = [...read(lock).matchAll(/^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)/gm)].map(
      ([, name, version]) => [normal(name), version],
    );
    const versions = new Map(locked);
    for (const [, name, version] of read(source).matchAll(
      /^([A-Za-z][\w.-]*)(?:\[[\w,-]+\])?(?:==(\S+))?/gm,
    )) {
      const at = versions.get(normal(name));
      if (at === undefined) fault(lock, `${name} is missing, which ${source} names`);
      else if (version && version !== at) fault(lock, `${name} is ${at}, in ${source} ${version}`);
    }
  }
}

/** MediaMTX: one version in the Go module, the set-up, the image, the compositions and the README. */
function checkMediaMtx() {
  const module = 'compose/services/mediamtx/go.mod';
  const number = /github\.com\/bluenviron\/mediamtx v(\S+)/.exec(read(module))?.[1];
  if (!number) fault(module, 'does not require github.com/bluenviron/mediamtx');
  const places = [
    ['scripts/setup.mjs', /MEDIAMTX_VERSION = 'v([^']+)'/g],
    ['scripts/docker.mjs', /\/mediamtx:(\d+\.[\w.]+)/g],
    ['compose/media/docker-compose.yml', /\/mediamtx:(\d+\.[\w.]+)/g],
    ['compose/echo/docker-compose.yml', /\/mediamtx:(\d+\.[\w.]+)/g],
    ['README.md', /(?:MediaMTX |\/mediamtx:)(\d[\d.]*\d)/g],
  ];
  for (const [file, pattern] of places) {
    const found = [...read(file).matchAll(pattern)].map(([, one]) => one);
    if (found.length === 0) fault(file, 'names no version of MediaMTX');
    for (const one of found.filter((seen) => seen !== number))
      fault(file, `MediaMTX is ${one}, in go.mod ${number}`);
  }
}

// Images: each with a tag that is a version, Debian's with the release; what has none is "latest".
function checkImages() {
  const files = filesBelow('compose', (name) => /^Dockerfile$|\.ya?ml$/.test(name));
  for (const file of files) {
    const text = read(file);
    const images = [
      ...text.matchAll(/^\s*image:\s*(\S+)/gm),
      ...text.matchAll(/^FROM\s+(\S+)/gm),
      ...text.matchAll(/^ARG BASE_IMAGE=(\S+)/gm),
      ...text.matchAll(/\bBASE_IMAGE:\s*(\S+)/gm),
    ].map(([, image]) => image.replace(/^\$\{\w+:-(.*)\}$/, '$1'));
    for (const image of images) {
      if (image === 'scratch' || OWN_IMAGE.test(image)) continue;
      const tag = /:([^/]+)$/.exec(image)?.[1];
      if (!tag || tag === 'latest') fault(file, `${image} has no version`);
      else if (/^debian:/.test(image) && !tag.startsWith(DEBIAN_RELEASE))
        fault(file, `${image} is not of ${DEBIAN_RELEASE}`);
    }
  }
}

checkNpm();
checkPython();
checkMediaMtx();
checkImages();
faults.forEach((one) => console.error(one));
if (faults.length > 0) console.error('docs/ci.md, Versions, says how locks are made again');
process.exitCode = faults.length > 0 ? 1 : 0;
