/** One entry of Linux's table of TCP sockets. */
export interface TcpSocket {
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  state: 'established' | 'listening' | 'other';
  inode: string;
}

const STATES: Record<string, TcpSocket['state'] | undefined> = {
  '01': 'established',
  '0A': 'listening',
};

/** IPv4 or IPv6, and the port. */
const ADDRESS = /^(?:[\dA-F]{8}|[\dA-F]{32}):[\dA-F]{4}$/i;

/** Reads /proc/net/tcp and /proc/net/tcp6, or both joined (proc(5)); other lines are ignored. */
export function parseTcpTable(text: string): TcpSocket[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([number = '', local = '', remote = '']) =>
        /^\d+:$/.test(number) && ADDRESS.test(local) && ADDRESS.test(remote),
    )
    .map(([, local = '', remote = '', state = '', , , , , , inode = '']) => ({
      localPort: portOf(local),
      remoteAddress: addressOf(remote),
      remotePort: portOf(remote),
      state: STATES[state] ?? 'other',
      inode,
    }));
}

function portOf(hex: string): number {
  return parseInt(hex.split(':')[1] ?? '', 16);
}

/** The kernel prints 32-bit words in the byte order of the machine: little-endian on all supported ones. */
function addressOf(hex: string): string {
  const words = (hex.split(':')[0] ?? '').match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join('.');
  // IPv4 in IPv6: ::ffff:a.b.c.d
  if (/^0{20}ffff/i.test(bytes.join(''))) {
    return bytes
      .slice(12)
      .map((byte) => parseInt(byte, 16))
      .join('.');
  }
  return (bytes.join('').match(/.{4}/g) ?? []).join(':').toLowerCase();
}
