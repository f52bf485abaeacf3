/** Other conforming ways to say the same in Prometheus' text format, and wrong ones. Each takes and gives a whole page. */

import type { Page } from './clothes';

/** Name, labels and value of a sample; lines of `# HELP` and `# TYPE` are none. */
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
/** What names of series have behind that of their metric. */
const SUFFIXES = '(?:_bucket|_sum|_count)?';

/** Without a label: series that only it told apart are added up. */
export function withoutLabel(label: string): Page {
  const ofLabel = new RegExp(`(^|,)${label}="[^"]*",?`);
  return (text) => {
    const values = new Map<string, number | undefined>();
    for (const line of linesOf(text)) {
      const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
      if (name === undefined) {
        values.set(line, undefined);
        continue;
      }
      const rest = labels.replace(ofLabel, '$1').replace(/,$/, '');
      const series = rest === '' ? name : `${name}{${rest}}`;
      values.set(series, (values.get(series) ?? 0) + Number(value));
    }
    return joined(
      [...values].map(([key, value]) => (value === undefined ? key : `${key} ${value}`)),
    );
  };
}

/** Metrics by other names. */
export function renamed(names: Readonly<Record<string, string>>): Page {
  return (text) =>
    Object.entries(names).reduce(
      (page, [from, to]) =>
        page.replaceAll(
          new RegExp(`^(# (?:HELP|TYPE) )?${from}(?=${SUFFIXES}[ {])`, 'gm'),
          `$1${to}`,
        ),
      text,
    );
}

/** Without a metric. */
export function without(name: string): Page {
  const isOfIt = new RegExp(`^(?:# (?:HELP|TYPE) )?${name}${SUFFIXES}[ {]`);
  return (text) => joined(linesOf(text).filter((line) => !isOfIt.test(line)));
}

/** Other values of a metric's samples. */
export function valued(name: string, value: (value: number) => number): Page {
  const isOfIt = new RegExp(`^(${name}(?:\\{.*\\})?) (\\S+)$`, 'gm');
  return (text) =>
    text.replaceAll(
      isOfIt,
      (_line, series: string, said: string) => `${series} ${value(Number(said))}`,
    );
}

/**
 * A gauge of what was observed last, in place of a histogram without labels: between two pages that is the mean of what was
 * observed since the first.
 */
export function lastObserved(histogram: string, gauge: string): Page {
  let [sum, count, last] = [0, 0, 0];
  const others = without(histogram);
  return (text) => {
    const of = (suffix: string): number => {
      const [, value] = new RegExp(`^${histogram}${suffix} (\\S+)$`, 'm').exec(text) ?? [];
      return Number(value ?? 0);
    };
    const [newSum, newCount] = [of('_sum'), of('_count')];
    if (newCount > count) last = (newSum - sum) / (newCount - count);
    [sum, count] = [newSum, newCount];
    const added = count === 0 ? [] : [`# TYPE ${gauge} gauge`, `${gauge} ${last}`];
    return joined([...linesOf(others(text)), ...added]);
  };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
