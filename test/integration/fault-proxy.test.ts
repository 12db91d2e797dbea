/**
 * The pace of the fault proxy that other tests use. What it breaks, stalls and leaves unanswered is
 * not tested here, since the tests that ask for it fail without it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createRandom } from '../../shared/random.ts';
import { afterTest } from '../support/closing.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultProxy, type FaultProxyOptions } from '../support/fault-proxy.ts';

/** Sends back what it is sent, and keeps count; anew for each test. */
class EchoServer {
  private readonly server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      this.heard += bytes.length;
      socket.write(bytes);
    });
  });
  heard = 0;

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

  constructor({ port }: FaultProxy) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    afterTest(() => this.socket.destroy());
    this.socket.on('data', (bytes) => this.received.push(bytes));
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
