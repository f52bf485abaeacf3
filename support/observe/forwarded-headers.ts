import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Headers of one hop; compressed answers could not be read. */
const HOP_HEADERS = new Set(['connection', 'upgrade', 'sec-websocket-key', 'accept-encoding']);

/**
 * The headers of a request as they are passed on. Servers compare Host and Origin: both are as the client has sent them, or
 * both are the upstream's, where that is known by its own name only.
 *
 * @param isDropped further headers that are not passed on, by their names in lower case
 */
export function forwardedHeaders(
  { headers }: Pick<IncomingMessage, 'headers'>,
  upstream: URL,
  isDropped: (name: string) => boolean = () => false,
): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !HOP_HEADERS.has(entry[0]) && !isDropped(entry[0]),
  );
  const { host, origin } = headers;
  const isSameOrigin =
    origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
  return {
    ...Object.fromEntries(kept),
    ...(hasOwnName(upstream)
      ? { host: upstream.host, ...(isSameOrigin ? { origin: upstream.origin } : {}) }
      : {}),
  };
}

/** Certificates and proxies that serve several names go by the name; an address of this machine or network does not care. */
function hasOwnName({ protocol, hostname }: URL): boolean {
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || hostname === 'localhost';
  return protocol === 'https:' || !isAddress;
}
