import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

/** What `npm run benchmark` leaves in the results folder of a run. */
export const BENCHMARK_FILE = 'benchmark.json';

const figureSchema = z.object({
  name: z.string(),
  value: z.number(),
  /** Empty for a ratio, or a count. */
  unit: z.enum(['', 's', 'ms', 'MB']),
  /** At most so much. */
  limit: z.number().exactOptional(),
});

/** One line of the benchmark. */
export type BenchmarkFigure = z.infer<typeof figureSchema>;

/** What was measured of a run; nothing where it was not. */
export function readBenchmark(results: string): BenchmarkFigure[] {
  const file = join(results, BENCHMARK_FILE);
  if (!existsSync(file)) return [];
  return z.array(figureSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
}
