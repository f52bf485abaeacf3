import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'chai';

import { projectRoot } from '../../support/config';

const AXE = readFileSync(require.resolve('axe-core'), 'utf8');

/** Chromium or Chrome of this machine, without a window; to be closed after the tests. */
export async function startBrowser(): Promise<Browser> {
  const script: string = join(projectRoot, 'scripts/commands.mjs');
  const { BROWSERS, onPath } = (await import(script)) as {
    BROWSERS: string[];
    onPath: (program: string) => string | undefined;
  };
  return chromium.launch({
    executablePath: BROWSERS.map(onPath).find(Boolean) ?? 'chromium',
    args: [
      '--autoplay-policy=no-user-gesture-required',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}

export interface OpenPage {
  page: Page;
  /** What the browser complained of, and what it asked the network for. Empty for a good page. */
  complaints: string[];
}

/** Opens a page of a file, as a reader does by a double click. */
export async function openFile(
  browser: Browser,
  file: string,
  options: BrowserContextOptions & { hash?: string } = {},
): Promise<OpenPage> {
  const { hash = '', ...context } = options;
  const page = await (await browser.newContext(context)).newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!/^(?:file|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`${pathToFileURL(file).href}${hash}`);
  return { page, complaints };
}

/** A4 within the margins of a browser, at 96 dots per inch. */
export const PAPER = { width: 718, height: 1047 };

/** Opens all that is folded on a page. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate('document.querySelectorAll("details").forEach((one) => (one.open = true))');
}

/** How much wider than its window a page is, in CSS pixels: by so much it has to be scrolled sideways. */
export async function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
}

/** What axe finds wrong with a page for people who do not see or use it as most do; one line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Violation {
      id: string;
      help: string;
      nodes: { html: string; failureSummary: string }[];
    }
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: Violation[] }> };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary}`),
    );
  });
}

/** Two tests: that all of a page, with what is folded on it, can be used by everybody, light and dark. */
export function testAccessibility(
  open: (colorScheme: 'light' | 'dark') => Promise<OpenPage>,
): void {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`is accessible, ${colorScheme}`, async () => {
      const { page } = await open(colorScheme);
      await unfold(page);
      expect(await accessibilityFaults(page)).to.deep.equal([]);
      await page.context().close();
    });
  }
}
