import { parsePrometheus, type MetricsText } from '../base/prometheus';
import { NotObserved } from '../base/errors';
import { askFollowing } from '../base/http';

/**
 * Reads the metrics of a service.
 *
 * @throws NotObserved when it does not answer 200 within 5 s
 * @throws PrometheusTextInvalid when the text is not in Prometheus text format
 */
export async function readMetrics(url: string): Promise<MetricsText> {
  const { status, text, address } = await askFollowing(url);
  const where = address === url ? url : `${url}, which leads to ${address}`;
  if (status === 200) return parsePrometheus(text, where);
  throw new NotObserved({
    what: 'the request for the metrics was refused',
    where,
    seen: `${status} ${text.slice(0, 300)}`,
    expected: '200 and metrics',
  });
}
