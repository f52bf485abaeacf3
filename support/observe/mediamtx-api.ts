import { request } from 'undici';

import { SuiteError } from '../errors';

/** One path as MediaMTX's API lists it. */
export interface MediaMtxPath {
  name: string;
  ready: boolean;
  readyTime: string | null;
  tracks: string[];
  bytesReceived: number;
  bytesSent: number;
  source: { type: string } | null;
  readers: { type: string }[];
}

/** MediaMTX's control API, version 3 (https://mediamtx.org/docs/references/control-api). */
export class MediaMtxApi {
  constructor(readonly url: string) {}

  /** All paths that are published or configured by name. */
  async paths(): Promise<MediaMtxPath[]> {
    const { items } = (await this.#call('GET', '/v3/paths/list?itemsPerPage=1000')) as {
      items: MediaMtxPath[];
    };
    return items;
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

  /** Has MediaMTX refuse everybody who wants to publish a path: it says that it gets the path from elsewhere. */
  async refusePublishers(path: string): Promise<void> {
    await this.#call('POST', `/v3/config/paths/add/${path}`, {
      source: 'rtsp://127.0.0.1:9/nowhere',
      sourceOnDemand: true,
    });
  }

  /** Takes back what `record` or `refusePublishers` has set. */
  async forget(path: string): Promise<void> {
    await this.#call('DELETE', `/v3/config/paths/delete/${path}`);
  }

  async #call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await request(`${this.url}${path}`, {
      method,
      headersTimeout: 5000,
      bodyTimeout: 5000,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) {
      throw new SuiteError({
        what: 'MediaMTX refused a request',
        where: `${method} ${this.url}${path}`,
        seen: `${response.statusCode} ${text}`,
        expected: '200',
      });
    }
    return text === '' ? undefined : JSON.parse(text);
  }
}
