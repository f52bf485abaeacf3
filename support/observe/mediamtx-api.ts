import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { askHttp } from '../base/http';
import { jsonOf } from '../base/json';

const pathsSchema = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean(),
      tracks: z.array(z.string()),
      bytesReceived: z.number(),
      source: z.object({ type: z.string() }).nullable(),
      readers: z.array(z.object({ type: z.string() })),
    }),
  ),
});

/** One path as MediaMTX's API lists it. */
export type MediaMtxPath = z.infer<typeof pathsSchema>['items'][number];

/** MediaMTX's control API, version 3 (https://mediamtx.org/docs/references/control-api). */
export class MediaMtxApi {
  constructor(readonly url: string) {}

  /**
   * All paths that are published or configured by name.
   *
   * @throws SuiteError when it does not answer, refuses, or answers with something other than a list of paths
   */
  async paths(): Promise<MediaMtxPath[]> {
    const path = '/v3/paths/list?itemsPerPage=1000';
    const text = await this.#call('GET', path);
    const parsed = pathsSchema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data.items;
    const [issue] = parsed.error.issues;
    throw new SuiteError({
      what: 'the answer of MediaMTX is malformed',
      where: `GET ${this.url}${path}`,
      seen: `${issue?.path.join('.') || 'the whole answer'}: ${issue?.message}; ${text.slice(0, 300)}`,
      expected: 'a list of paths as MediaMTX 1.14 gives it',
      next: 'check whether services.mediaServer.api of acceptance.yaml is the address of its API',
    });
  }

  /**
   * Has MediaMTX record a path from its first packet, published or not yet.
   *
   * @param recordPath file name pattern as MediaMTX sees it, without extension
   */
  async record(path: string, recordPath: string): Promise<void> {
    await this.#call('POST', `/v3/config/paths/add/${path}`, {
      record: true,
      recordPath,
      recordFormat: 'fmp4',
      recordPartDuration: '1s',
      recordSegmentDuration: '24h',
      recordDeleteAfter: '0s',
    });
  }

  /** Has MediaMTX refuse every publisher of a path, by configuring the path as one that it pulls from elsewhere. */
  async refusePublishers(path: string): Promise<void> {
    await this.#call('POST', `/v3/config/paths/add/${path}`, {
      source: 'rtsp://127.0.0.1:9/nowhere',
      sourceOnDemand: true,
    });
  }

  /** Removes the configuration that `record` or `refusePublishers` has added. */
  async forget(path: string): Promise<void> {
    await this.#call('DELETE', `/v3/config/paths/delete/${path}`);
  }

  async #call(method: 'GET' | 'POST' | 'DELETE', path: string, json?: unknown): Promise<string> {
    const { status, text } = await askHttp(`${this.url}${path}`, { method, json });
    if (status === 200) return text;
    throw new SuiteError({
      what: 'MediaMTX refused a request',
      where: `${method} ${this.url}${path}`,
      seen: `${status} ${text.slice(0, 300)}`,
      expected: '200',
    });
  }
}
