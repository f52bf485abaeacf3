import { request } from 'undici';

import { parsePrometheus, type MetricsText } from '../analyze/prometheus';

const WITHIN_MS = 5000;

/**
 * Reads the metrics of a service.
 *
 * @throws PrometheusTextInvalid when the text is not the format that Prometheus reads
 */
export async function readMetrics(url: string): Promise<MetricsText> {
  const { body } = await request(url, { headersTimeout: WITHIN_MS, bodyTimeout: WITHIN_MS });
  return parsePrometheus(await body.text(), url);
}
