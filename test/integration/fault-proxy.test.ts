/** The fault proxy that other tests use: real sockets, with a fake clock where time matters. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createRandom } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';

/** Sends back what it is sent, and keeps count; anew for each test. */
class EchoServer {
  private readonly server = createServer((socket) => {
    this.calls++;
    this.callerAddress = socket.remoteAddress;
    this.served.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.served.delete(socket));
    socket.on('data', (bytes) => {
      this.heard += bytes.length;
      socket.write(bytes);
    });
  });
  readonly served = new Set<Socket>();
  calls = 0;
  heard = 0;
  /** Of the last connection. */
  callerAddress: string | undefined;

  async open(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    afterTest(() => this.server.close());
    return (this.server.address() as AddressInfo).port;
  }
}

class Caller {
  readonly socket: Socket;
  readonly received: Buffer[] = [];
  error: string | undefined;

  constructor({ port }: FaultProxy) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    afterTest(() => this.socket.destroy());
    this.socket.on('data', (bytes) => this.received.push(bytes));
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.error = code;
    });
  }

  get bytes(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0);
  }
}

let server: EchoServer;

beforeEach(() => {
  server = new EchoServer();
});

async function open(options: Partial<FaultProxyOptions> = {}): Promise<FaultProxy> {
  const port = await server.open();
  const proxy = await FaultProxy.open({ port, random: createRandom(1), ...options });
  afterTest(() => proxy.close());
  return proxy;
}

/** All sockets of this process have had many a turn to pass on what they hold. */
async function turns(count = 200): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns(1);
}

test.each([
  [{}, '127.0.0.1'],
  [{ localAddress: '127.0.1.7' }, '127.0.1.7'],
])('given %p, the server sees a caller from %s', async (options, address) => {
  const caller = new Caller(await open(options));
  caller.socket.write('hello');
  await until(() => caller.bytes === 5);
  expect(server.callerAddress).toBe(address);
});

test('jitter, slicing and a changing bandwidth never lose, duplicate or reorder data', async () => {
  const random = createRandom(7);
  const proxy = await open({ faults: { latency: 1, jitter: 4, slice: 700, bandwidth: 4e6 } });
  const caller = new Caller(proxy);
  const sent: Buffer[] = [];
  for (let i = 0; i < 40; i++) {
    const piece = Buffer.from(
      Uint8Array.from({ length: 1 + random.integer(4_000) }, () => random.integer(256)),
    );
    sent.push(piece);
    caller.socket.write(piece);
    if (i % 10 === 0) proxy.set({ jitter: random.integer(6), slice: 1 + random.integer(2_000) });
    await turns(2);
  }
  caller.socket.end();
  await once(caller.socket, 'close');
  expect(Buffer.concat(caller.received).equals(Buffer.concat(sent))).toBe(true);
});

test('latency: data arrives after the delay, not earlier', async () => {
  const clock = new FakeClock();
  const caller = new Caller(await open({ clock, faults: { latency: 50 } }));
  caller.socket.write('ping');
  await until(() => clock.waiting === 1);
  await clock.advance(49);
  await turns();
  expect(server.heard).toBe(0);
  await clock.advance(1);
  await until(() => server.heard === 4 && clock.waiting === 1);
  await clock.advance(49);
  await turns();
  expect(caller.bytes).toBe(0);
  await clock.advance(1);
  await until(() => caller.bytes === 4);
});

test('bandwidth: bytes per second are limited', async () => {
  const clock = new FakeClock();
  new Caller(await open({ clock, faults: { bandwidth: 1_000 } })).socket.write(Buffer.alloc(100));
  // A first piece at once, then one every 20 ms.
  for (const passed of [20, 40, 60, 80]) {
    await until(() => server.heard === passed);
    await turns();
    expect(server.heard).toBe(passed);
    await clock.advance(20);
  }
  await until(() => server.heard === 100);
});

test.each(['down', 'both'] as const)(
  'a line stalled %s passes nothing until it is lifted, then all',
  async (stalled) => {
    const proxy = await open();
    const caller = new Caller(proxy);
    caller.socket.write('a');
    await until(() => caller.bytes === 1);
    proxy.set({ stalled });
    caller.socket.write('bc');
    if (stalled === 'down') await until(() => server.heard === 3);
    await turns();
    expect([server.heard, caller.bytes]).toEqual([stalled === 'down' ? 3 : 1, 1]);
    proxy.set({ stalled: 'none' });
    await until(() => caller.bytes === 3);
    expect(Buffer.concat(caller.received).toString()).toBe('abc');
  },
);

test('a reset breaks both ends, also in a stall; new connections get through', async () => {
  const proxy = await open();
  const [first, second] = [new Caller(proxy), new Caller(proxy)];
  for (const { socket } of [first, second]) socket.write('x');
  await until(() => first.bytes + second.bytes === 2);
  proxy.set({ stalled: 'both' });
  first.socket.write(Buffer.alloc(1_000_000));
  proxy.reset();
  await until(
    () => first.error !== undefined && second.error !== undefined && server.served.size === 0,
  );
  proxy.set({ stalled: 'none' });
  const third = new Caller(proxy);
  third.socket.write('y');
  await until(() => third.bytes === 1);
});

test('a deaf proxy accepts connections and never answers; afterwards, new connections are answered', async () => {
  const proxy = await open({ faults: { deaf: true } });
  const unheard = new Caller(proxy);
  await once(unheard.socket, 'connect');
  unheard.socket.write('anybody?');
  await turns();
  expect([server.calls, unheard.bytes, unheard.error]).toEqual([0, 0, undefined]);
  proxy.set({ deaf: false });
  const heardOne = new Caller(proxy);
  heardOne.socket.write('z');
  await until(() => heardOne.bytes === 1);
  expect(unheard.bytes).toBe(0);
});

test('unplugged, it drops the server but not the clients; plugged in again, it serves new ones, and old ones stay silent', async () => {
  const proxy = await open();
  const first = new Caller(proxy);
  first.socket.write('x');
  await until(() => first.bytes === 1);
  proxy.set({ unplugged: true });
  first.socket.write('anybody?');
  for (const socket of server.served) socket.destroy();
  await until(() => server.served.size === 0);
  const second = new Caller(proxy);
  await once(second.socket, 'connect');
  second.socket.write('y');
  await turns();
  proxy.set({ unplugged: false });
  const third = new Caller(proxy);
  third.socket.write('z');
  await until(() => third.bytes === 1);
  for (const { bytes, error, socket } of [first, second]) {
    expect([bytes <= 1, error, socket.destroyed, socket.readableEnded]).toEqual([
      ...[true, undefined, false, false],
    ]);
  }
  expect([first.bytes, second.bytes]).toEqual([1, 0]);
});
