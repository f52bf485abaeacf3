declare module 'ffprobe-static' {
  /** Absolute path of the binary for this platform. */
  export const path: string;
}
