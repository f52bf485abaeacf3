import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

import type { Format } from './end-of-run';

/** Where the suite's own lines go. */
export interface Console {
  write: (text: string) => void;
  /** In colour where the stream is a terminal; Node goes by NO_COLOR and FORCE_COLOR. */
  paint: (format: Format, text: string) => string;
}

let stdout: Console | undefined;

/** What cucumber-js tells a formatter that is a plugin. */
interface FormatterContext {
  stream: Writable;
  options: { colorsEnabled?: boolean };
}

/**
 * The formatter of the console. It writes nothing: it says that no other format was asked for on stdout, which is then
 * free for the lines of the suite (support/plugin.ts).
 */
export const consoleFormatter = {
  type: 'formatter',
  formatter: ({ stream, options }: FormatterContext): void => {
    stdout = consoleOn(stream, options.colorsEnabled);
  },
};

/** Stdout; stderr where another format is written to stdout. To be asked when formatters have been made. */
export function consoleOr(stderr: Writable): Console {
  return stdout ?? consoleOn(stderr);
}

function consoleOn(stream: Writable, hasColours = true): Console {
  return {
    write: (text) => void stream.write(text),
    paint: (format, text) =>
      hasColours ? styleText(format, text, { stream, validateStream: true }) : text,
  };
}
