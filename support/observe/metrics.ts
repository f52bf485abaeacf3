import { parsePrometheus, type MetricsText } from '../base/prometheus';
import { NotObserved } from '../base/errors';
import { askHttp } from '../base/http';

/**
 * Reads the metrics of a service.
 *
 * @throws NotObserved when it does not answer 200 within 5 s
 * @throws PrometheusTextInvalid when the text is not in Prometheus text format
 */
export async function readMetrics(url: string): Promise<MetricsText> {
  const { status, text } = await askHttp(url);
  if (status === 200) return parsePrometheus(text, url);
  throw new NotObserved({
    what: 'the request for the metrics was refused',
    where: url,
    seen: `${status} ${text.slice(0, 300)}`,
    expected: '200 and metrics',
  });
}
