/**
 * Called with every program that is started in a process group of its own, so that it can be removed if this process is
 * killed; returns the function to call when the program has ended.
 */
export type Track = (name: string, pid: number | undefined) => () => void;
