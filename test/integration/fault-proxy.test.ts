/** The fault proxy that other tests use: real sockets, with a fake clock where time matters. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createRandom } from '../../shared/random.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';

/** Sends back what it is sent, and keeps count. */
const server = createServer((socket) => {
  calls++;
  callerAddress = socket.remoteAddress;
  served.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => {
    ends++;
    served.delete(socket);
  });
  socket.on('data', (bytes) => {
    heard += bytes.length;
    socket.write(bytes);
  });
});
const served = new Set<Socket>();
let calls = 0;
let ends = 0;
let heard = 0;
/** As the server sees it, of the last connection. */
let callerAddress: string | undefined;

class Caller {
  readonly socket: Socket;
  readonly received: Buffer[] = [];
  bytes = 0;
  error: string | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (bytes) => {
      this.received.push(bytes);
      this.bytes += bytes.length;
    });
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.error = code;
    });
  }
}

let proxies: FaultProxy[] = [];
let callers: Caller[] = [];

async function open(options: Partial<FaultProxyOptions> = {}): Promise<FaultProxy> {
  const { port } = server.address() as AddressInfo;
  const proxy = await FaultProxy.open({ port, random: createRandom(1), ...options });
  proxies.push(proxy);
  return proxy;
}

function call(proxy: FaultProxy): Caller {
  const caller = new Caller(proxy.port);
  callers.push(caller);
  return caller;
}

/** All sockets of this process have had many a turn to pass on what they hold. */
async function turns(count = 200): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns(1);
}

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

beforeEach(() => {
  calls = ends = heard = 0;
});

afterEach(async () => {
  for (const { socket } of callers) socket.destroy();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  [proxies, callers] = [[], []];
  await until(() => ends === calls);
});

afterAll(() => server.close());

test('without faults it forwards data and closes in both directions', async () => {
  const caller = call(await open());
  caller.socket.end('hello');
  await once(caller.socket, 'close');
  expect(Buffer.concat(caller.received).toString()).toBe('hello');
  await until(() => ends === 1);
});

test.each([
  [{}, '127.0.0.1'],
  [{ localAddress: '127.0.1.7' }, '127.0.1.7'],
])('given %p, the server sees a caller from %s', async (options, address) => {
  const caller = call(await open(options));
  caller.socket.write('hello');
  await until(() => caller.bytes === 5);
  expect(callerAddress).toBe(address);
});

test('jitter, slicing and a changing bandwidth never lose, duplicate or reorder data', async () => {
  const random = createRandom(7);
  const proxy = await open({ faults: { latency: 1, jitter: 4, slice: 700, bandwidth: 4e6 } });
  const caller = call(proxy);
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
  const caller = call(await open({ clock, faults: { latency: 50 } }));
  caller.socket.write('ping');
  await until(() => clock.waiting === 1);
  await clock.advance(49);
  await turns();
  expect(heard).toBe(0);
  await clock.advance(1);
  await until(() => heard === 4 && clock.waiting === 1);
  await clock.advance(49);
  await turns();
  expect(caller.bytes).toBe(0);
  await clock.advance(1);
  await until(() => caller.bytes === 4);
});

test('bandwidth: bytes per second are limited', async () => {
  const clock = new FakeClock();
  call(await open({ clock, faults: { bandwidth: 1_000 } })).socket.write(Buffer.alloc(100));
  // A first piece at once, then one every 20 ms.
  for (const passed of [20, 40, 60, 80]) {
    await until(() => heard === passed);
    await turns();
    expect(heard).toBe(passed);
    await clock.advance(20);
  }
  await until(() => heard === 100);
});

test.each(['down', 'both'] as const)(
  'a line stalled %s passes nothing until it is lifted, then all',
  async (stalled) => {
    const proxy = await open();
    const caller = call(proxy);
    caller.socket.write('a');
    await until(() => caller.bytes === 1);
    proxy.set({ stalled });
    caller.socket.write('bc');
    if (stalled === 'down') await until(() => heard === 3);
    await turns();
    expect([heard, caller.bytes]).toEqual([stalled === 'down' ? 3 : 1, 1]);
    proxy.set({ stalled: 'none' });
    await until(() => caller.bytes === 3);
    expect(Buffer.concat(caller.received).toString()).toBe('abc');
  },
);

test('a stall applies backpressure to the sender, and loses nothing', async () => {
  const proxy = await open({ faults: { stalled: 'up' } });
  const caller = call(proxy);
  const total = 32 * 2 ** 20;
  caller.socket.write(Buffer.alloc(total));
  await turns();
  expect(heard).toBe(0);
  expect(caller.socket.writableLength).toBeGreaterThan(0);
  proxy.set({ stalled: 'none' });
  await until(() => caller.bytes === total);
});

test('a reset breaks both ends, also in a stall; new connections get through', async () => {
  const proxy = await open();
  const [first, second] = [call(proxy), call(proxy)];
  for (const { socket } of [first, second]) socket.write('x');
  await until(() => first.bytes + second.bytes === 2);
  proxy.set({ stalled: 'both' });
  first.socket.write(Buffer.alloc(1_000_000));
  proxy.reset();
  await until(() => first.error !== undefined && second.error !== undefined && ends === 2);
  proxy.set({ stalled: 'none' });
  const third = call(proxy);
  third.socket.write('y');
  await until(() => third.bytes === 1);
});

test('a deaf proxy accepts connections and never answers; afterwards, new connections are answered', async () => {
  const proxy = await open({ faults: { deaf: true } });
  const unheard = call(proxy);
  await once(unheard.socket, 'connect');
  unheard.socket.write('anybody?');
  await turns();
  expect([calls, unheard.bytes, unheard.error]).toEqual([0, 0, undefined]);
  proxy.set({ deaf: false });
  const heardOne = call(proxy);
  heardOne.socket.write('z');
  await until(() => heardOne.bytes === 1);
  expect(unheard.bytes).toBe(0);
});

test('unplugged, it drops the server but not the clients; plugged in again, it serves new ones, and old ones stay silent', async () => {
  const proxy = await open();
  const first = call(proxy);
  first.socket.write('x');
  await until(() => first.bytes === 1);
  proxy.set({ unplugged: true });
  first.socket.write('anybody?');
  for (const socket of served) socket.destroy();
  await until(() => ends === 1);
  const second = call(proxy);
  await once(second.socket, 'connect');
  second.socket.write('y');
  await turns();
  proxy.set({ unplugged: false });
  const third = call(proxy);
  third.socket.write('z');
  await until(() => third.bytes === 1);
  for (const { bytes, error, socket } of [first, second]) {
    expect([bytes <= 1, error, socket.destroyed, socket.readableEnded]).toEqual([
      ...[true, undefined, false, false],
    ]);
  }
  expect([first.bytes, second.bytes]).toEqual([1, 0]);
});

test('without a listening server, connections are refused', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  const caller = call(await open({ port }));
  await until(() => caller.socket.destroyed);
  expect(caller.bytes).toBe(0);
});
