import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createServer, isIP } from 'node:net';
import { release } from 'node:os';

import { z } from 'zod';

import { messageOf, PrerequisiteMissing } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { LEAST_COMPOSE, whyNoCompose } from './compose-config';
import { docker } from './docker-command';
import type { SessionState } from './session-state';

const ANSWER_MS = 10_000;
/**
 * What tells the docker command which engine to talk to, and how. They are written down for the sweep of a later run:
 * no DOCKER_AUTH_CONFIG, which has passwords of registries.
 */
const ENGINE_VARIABLES =
  /^(DOCKER_(HOST|CONTEXT|CONFIG|CERT_PATH|TLS|TLS_VERIFY|API_VERSION)|PATH|HOME|SSH_AUTH_SOCK)$/;

/** A Docker engine that answers, and how it and this host reach each other. */
export interface Engine {
  /** The endpoint of the engine's API (unix://…, tcp://…, ssh://…). */
  endpoint: string;
  isRemote: boolean;
  /** Environment variables that tell which engine it is. */
  environment: Record<string, string>;
  /** The address under which this host reaches published ports. */
  servicesHost: string;
  /** The name under which containers reach programs of this host, and the address that those must listen on. */
  testHost: { name: string; address: string };
  /** The address to publish ports on. */
  publishAddress: string;
  /** Where `host.docker.internal` leads, for ports that other compositions must reach. */
  gatewayAddress: string;
}

/**
 * The engine that the docker command talks to (DOCKER_HOST, or the current context).
 *
 * @returns the engine, or why there is none that can be used, in short in the first line
 */
export async function findEngine(
  variables: Variables,
  state: SessionState,
): Promise<Engine | string> {
  const environment = engineVariables(variables);
  const ask = async (...args: string[]): Promise<string> =>
    (await docker(args, { environment, state, withinMs: ANSWER_MS })).stdout.trim();
  let endpoint: string;
  try {
    await ask('version', '--format', '{{.Server.Version}}');
    endpoint = await ask('context', 'inspect', '--format', '{{.Endpoints.docker.Host}}');
  } catch (error) {
    return `no Docker engine answers\n${messageOf(error)}`;
  }
  const whyNot = await whyNoCompose({ environment, state });
  if (whyNot !== undefined) return `a Docker engine answers, but ${whyNot}`;
  const host = remoteHost(endpoint);
  if (host !== undefined) {
    const servicesHost = isIP(host) ? host : (await lookup(host)).address;
    const here = await addressTowards(servicesHost);
    return {
      ...{ endpoint, isRemote: true, environment, servicesHost },
      testHost: { name: here, address: here },
      // Published ports of another host are of no use on its loopback address.
      ...{ publishAddress: '0.0.0.0', gatewayAddress: '0.0.0.0' },
    };
  }
  const network = ['network', 'inspect', 'bridge', '--format', '{{json .IPAM.Config}}'];
  const named = gatewayOf(await ask(...network));
  // An engine in a virtual machine (Docker Desktop, Colima) has a kernel of its own. It leads the name to the loopback
  // address of this host, where another network may have the address of its bridge.
  const isHere = (await ask('info', '--format', '{{.KernelVersion}}')) === release();
  const gateway = isHere && (await isOwn(named)) ? named : '127.0.0.1';
  return {
    ...{ endpoint, isRemote: false, environment, servicesHost: '127.0.0.1' },
    testHost: { name: 'host.docker.internal', address: gateway },
    ...{ publishAddress: '127.0.0.1', gatewayAddress: gateway },
  };
}

/** Why there is no engine, for a run that must have one. */
export function engineMissing(reason: string): PrerequisiteMissing {
  return new PrerequisiteMissing(
    {
      what: 'the services cannot be started as containers',
      where: 'RUNTIME=docker',
      seen: reason,
      expected: `a Docker engine that answers, with Docker Compose ${LEAST_COMPOSE.join('.')} or newer`,
      next: 'npm run setup -- --docker, or unset RUNTIME to run the services as host processes',
    },
    'services',
  );
}

function engineVariables(variables: Variables): Record<string, string> {
  return z
    .record(z.string(), z.string())
    .parse(
      Object.fromEntries(
        Object.entries(variables).filter(
          ([name, value]) => ENGINE_VARIABLES.test(name) && value !== undefined,
        ),
      ),
    );
}

/** The host of an engine's endpoint; undefined for one on this host. */
export function remoteHost(endpoint: string): string | undefined {
  if (!/^(tcp|ssh|https?):/.test(endpoint)) return undefined;
  const host = new URL(endpoint.replace(/^\w+:/, 'http:')).hostname.replace(/^\[|\]$/g, '');
  return /^(localhost|127\.|::1$)/.test(host) ? undefined : host;
}

/** The address of this host on the route to another one; nothing is sent. */
async function addressTowards(host: string): Promise<string> {
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((connected, failed) => {
      socket.once('error', failed).connect(9, host, connected);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}

/** The gateway of the engine's default network, which is where `host.docker.internal` leads; "" when it has none. */
function gatewayOf(network: string): string {
  const [config] = z
    .array(z.object({ Subnet: z.string().optional(), Gateway: z.string().optional() }))
    .parse(JSON.parse(network));
  if (config?.Gateway) return config.Gateway;
  // Older engines do not say; it is the first address of the network.
  const [base = ''] = (config?.Subnet ?? '').split('/');
  return base.replace(/\d+$/, (last) => String(Number(last) + 1));
}

/** Whether an address is one of this host; found by listening on it, as an interface without traffic is not listed. */
async function isOwn(address: string): Promise<boolean> {
  if (isIP(address) === 0) return false;
  const server = createServer();
  const listens = await new Promise<boolean>((answer) => {
    server.once('error', () => answer(false)).listen(0, address, () => answer(true));
  });
  if (listens) await new Promise((done) => server.close(done));
  return listens;
}
