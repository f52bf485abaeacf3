// Every dependency is pinned to one version, and all places that name it name the same. Reads files only; run by the
// linters. Debian's packages have no versions here: its release fixes them, and the archive keeps only the newest.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { filesBelow, root } from './commands.mjs';

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
/** Built here, for this checkout. */
const OWN_IMAGE = /^(live-dubbing\/|\$\{)/;
/** Installed into an environment of its own. */
const AUDIT_LOCK = 'scripts/requirements-audit.lock';
const DEBIAN_RELEASE = 'bookworm';

const faults = [];
const fault = (file, text) => faults.push(`${file}: ${text}`);
const read = (file) => readFileSync(join(root, file), 'utf8');

// npm: package.json names one version each, the lock has the same, and a hash for every package.
function checkNpm() {
  const manifest = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json'));
  const own = lock.packages[''];
  for (const kind of ['dependencies', 'devDependencies']) {
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
      if (!EXACT.test(version)) fault('package.json', `${name} is "${version}", not one version`);
      if (own[kind]?.[name] !== version)
        fault('package-lock.json', `${name} is ${own[kind]?.[name]}, in package.json ${version}`);
      const locked = lock.packages[`node_modules/${name}`]?.version;
      if (locked !== version)
        fault('package-lock.json', `${name} is locked to ${locked}, not ${version}`);
    }
    for (const name of Object.keys(own[kind] ?? {})) {
      if (!(name in (manifest[kind] ?? {})))
        fault('package-lock.json', `${name} is not in package.json`);
    }
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.link || entry.inBundle) continue;
    if (!entry.version || !/^sha512-/.test(entry.integrity ?? ''))
      fault('package-lock.json', `${path} has no version or no sha512`);
  }
  return manifest;
}

/** Name of a Python package as registries compare them (PEP 503). */
const normal = (name) => name.toLowerCase().replace(/[-_.]+/g, '-');

/** Requirements of a lock file: name, version and hashes, continued lines joined. */
function lockedPython(file) {
  const lines = read(file).replaceAll('\\\n', ' ').split('\n');
  const locked = new Map();
  for (const line of lines.map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, version] = /^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)/.exec(line) ?? [];
    if (!name) fault(file, `not one version: ${line.slice(0, 80)}`);
    else if (!/--hash=sha256:[0-9a-f]{64}/.test(line)) fault(file, `${name} has no sha256`);
    else locked.set(normal(name), version);
  }
  return locked;
}

// Python: each lock holds all that its .in names, with hashes; what several locks hold is of one version, as it is
// installed into one environment.
function checkPython() {
  const seen = new Map();
  const names = filesBelow(
    '.',
    (name) => name.endsWith('.in') || /^requirements.*\.lock$/.test(name),
  );
  for (const file of names.filter((name) => name.endsWith('.in'))) {
    const lock = file.replace(/\.in$/, '.lock');
    if (!existsSync(join(root, lock))) fault(file, `has no ${lock}`);
  }
  for (const file of names.filter((name) => name.endsWith('.lock'))) {
    const source = file.replace(/\.lock$/, '.in');
    const locked = lockedPython(file);
    for (const [name, version] of file === AUDIT_LOCK ? [] : locked) {
      const other = seen.get(name);
      if (other && other.version !== version)
        fault(file, `${name} is ${version}, in ${other.file} ${other.version}`);
      else seen.set(name, { file, version });
    }
    if (!existsSync(join(root, source))) {
      fault(file, `has no ${source}`);
      continue;
    }
    for (const line of read(source).split('\n')) {
      const [, name, version] = /^([A-Za-z][\w.-]*)(?:\[[\w,-]+\])?(?:==(\S+))?/.exec(line) ?? [];
      if (!name) continue;
      const at = locked.get(normal(name));
      if (at === undefined) fault(file, `${name} is missing, which ${source} names`);
      else if (version && version !== at) fault(file, `${name} is ${at}, in ${source} ${version}`);
    }
  }
}

/** MediaMTX: one version in the Go module, its checksums, the set-up, the image, the compositions and the README. */
function checkMediaMtx() {
  const folder = 'compose/services/mediamtx';
  const module = read(join(folder, 'go.mod'));
  const sums = read(join(folder, 'go.sum'));
  const required = [...module.matchAll(/^\s*(?:require )?(\S+\.\S+\/\S+) (v\S+)/gm)];
  const version = required.find(([, name]) => name === 'github.com/bluenviron/mediamtx')?.[2];
  if (!version) fault(`${folder}/go.mod`, 'does not require github.com/bluenviron/mediamtx');
  if (required.length < 2) fault(`${folder}/go.mod`, 'names no modules');
  for (const [, name, wanted] of required) {
    if (!sums.includes(`${name} ${wanted}/go.mod h1:`))
      fault(`${folder}/go.sum`, `has no checksum of ${name} ${wanted}`);
  }
  const number = version?.slice(1);
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
if (faults.length > 0) console.error('README, Versions, says how locks are made again');
process.exitCode = faults.length > 0 ? 1 : 0;
