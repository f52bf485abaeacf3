import type { MetricsText } from '../base/prometheus';
import type { Track } from '../base/track';
import type { Fixture } from '../broadcast/fixture';
import type { BroadcastRecord, TcpConnection } from '../broadcast/record';
import type { BroadcastRequest } from '../broadcast/request';
import type { StreamPaths } from '../broadcast/stream-paths';
import type { MediaMtxApi, MediaMtxPath } from './mediamtx-api';
import type { RtspServer } from './rtsp-relay';
import type { ServiceStatus } from './service-exits';
import type { SharedPoll } from './shared-poll';
import type { SocketIOMonitor } from './socket-io-monitor';

/** How far a broadcast has come; times in seconds since publishing began. */
export interface Progress {
  stream: string;
  elapsedSeconds: number;
  durationSeconds: number;
  fragmentsProcessed: number;
}

/** What one broadcast is observed with. */
export interface ObserveOptions {
  fixture: Fixture;
  /** The file that is published, where that of the fixture is not there yet. */
  publishedFrom?: string;
  /** What the scenario asked for; the tap makes its faults on the wire. */
  request: BroadcastRequest;
  faultSeed: number;
  /** Unique among all streams of the media server. */
  stream: string;
  folder: string;
  api: MediaMtxApi;
  /** Addresses seen from this host, without path. */
  mediaServer: RtspServer;
  rtmpUrl: string;
  /** How the broadcast gets to the media server, and whether its content is kept back until somebody reads it. */
  publishing: { protocol: 'rtsp' | 'rtmp'; holds: boolean };
  streamPaths: StreamPaths;
  /** Polls of all paths of the media server, and of the metrics of media-service. */
  paths: SharedPoll<MediaMtxPath[]>;
  metrics: SharedPoll<MetricsText>;
  monitor: SocketIOMonitor;
  /** How the media server makes the complete recording, and how that is fetched; or why it does not: a reader does then. */
  recording:
    | {
        /** File name pattern as MediaMTX sees it. */
        pattern: string;
        /** Puts the recording of the stream's output in `file`; says how many pieces there were. */
        fetch: (file: string) => Promise<number>;
      }
    | { whyNot: string };
  /** Puts the segments that media-service has written to disk in a folder; not given where nobody asks for them. */
  fetchSegments?: (folder: string) => Promise<void>;
  /** What media-service was told of the STS. */
  stsUrl: string;
  /** Its TCP connections, and the addresses that names have for it; undefined where nobody can know. */
  network:
    | {
        connections: () => Promise<TcpConnection[]>;
        addressOf: (name: string) => Promise<string | undefined>;
      }
    | undefined;
  /** What this system or configuration does not offer, and why. */
  notOffered: BroadcastRecord['notOffered'] | undefined;
  logs: () => Promise<Map<string, string>>;
  /** The services of the media composition; undefined where nobody can know. */
  states: (() => Promise<readonly ServiceStatus[]>) | undefined;
  runtime: string;
  monitorMode: BroadcastRecord['monitor'];
  track: Track;
  /** Whether somebody watches the output live, besides the recording. */
  withViewer: boolean;
  /** Whether somebody reads the broadcast besides media-service, to compare it with its file. */
  withInputReader: boolean;
  onProgress: (progress: Progress) => void;
  /** The worker has begun to read the broadcast, or it is over. */
  onIngested: () => void;
  /** Its publisher has ended: the STS soon has nothing more to dub of it. */
  onPublished: () => void;
  signal: AbortSignal;
}
