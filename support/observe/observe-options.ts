import type { MetricsText } from '../base/prometheus';
import type { Track } from '../base/track';
import type { Fixture } from '../broadcast/fixture';
import type { BroadcastRecord, TcpConnection } from '../broadcast/record';
import type { BroadcastRequest } from '../broadcast/request';
import type { MediaMtxApi, MediaMtxPath } from './mediamtx-api';
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
  /** What the scenario asked for; the tap makes its faults on the wire. */
  request: BroadcastRequest;
  faultSeed: number;
  /** Unique among all streams of the media server. */
  stream: string;
  folder: string;
  api: MediaMtxApi;
  /** Addresses seen from this host, without path. */
  rtspUrl: string;
  rtmpUrl: string;
  /** Polls of all paths of the media server, and of the metrics of media-service. */
  paths: SharedPoll<MediaMtxPath[]>;
  metrics: SharedPoll<MetricsText>;
  monitor: SocketIOMonitor;
  /** How the complete recording is made and fetched. */
  recording: {
    /** File name pattern as MediaMTX sees it. */
    pattern: string;
    /** Puts the recording of the stream's output in `file`; says how many pieces there were. */
    fetch: (file: string) => Promise<number>;
  };
  /** Puts the segments that media-service has written to disk in a folder; not given where nobody asks for them. */
  fetchSegments?: (folder: string) => Promise<void>;
  /** What media-service was told of the STS, its TCP connections, and the addresses that names have for it. */
  network: {
    stsUrl: string;
    connections: () => Promise<TcpConnection[]>;
    addressOf: (name: string) => Promise<string | undefined>;
  };
  logs: () => Promise<Map<string, string>>;
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
  signal: AbortSignal;
}
