/**
 * `npm run screenshots -- PAGE FILE [--width N] [--height N] [--dark] [--at SECONDS]`: makes a picture of the beginning of a
 * report's page, as README and docs show it. SECONDS is where its player stands.
 */
import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf } from '../support/base/errors';
import { openFile, startBrowser } from '../test/report/browser';

const USAGE =
  'usage: npm run screenshots -- PAGE FILE [--width N] [--height N] [--dark] [--at SECONDS]';
/** As README shows it; a picture of more is scaled down there. */
const [WIDTH, HEIGHT] = [1100, 1000];
const SETTLES_MS = 1000;

async function main(): Promise<void> {
  const { values, positionals } = readCommandLine(
    USAGE,
    {
      ...{ width: { type: 'string' }, height: { type: 'string' }, at: { type: 'string' } },
      dark: { type: 'boolean', default: false },
    },
    2,
  );
  const [page = '', file = ''] = positionals;
  if (file === '') usageError(USAGE, 'PAGE and FILE are needed');
  const viewport = {
    width: Number(values.width ?? WIDTH),
    height: Number(values.height ?? HEIGHT),
  };
  const browser = await startBrowser();
  try {
    const opened = await openFile(browser, page, {
      ...{ viewport, colorScheme: values.dark ? 'dark' : 'light' },
    });
    if (values.at !== undefined) {
      await opened.page.evaluate(`document.querySelector('video').currentTime = ${values.at}`);
      await opened.page.waitForFunction(
        '[...document.querySelectorAll("video")].every((one) => one.readyState >= 2 && !one.seeking)',
      );
      // The browser's own sign of waiting goes a little later.
      await opened.page.waitForTimeout(SETTLES_MS);
    }
    await opened.page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
