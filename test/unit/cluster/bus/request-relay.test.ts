/** Requests that one server has another answer, over a bus. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Packr } from 'msgpackr';
import {
  REQUESTS,
  RelayError,
  RequestRelay,
} from '../../../../server/cluster/bus/request-relay.ts';
import { ANSWER_PATIENCE } from '../../../../shared/host/api.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LossyBus } from '../../../support/spread-room.ts';

const { beat, part, window, most, mostEach } = REQUESTS;
const BIG = Buffer.alloc(3 * window * part, 'vivarium ');

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function open({ hasOwner = true } = {}) {
  const [clock, bus] = [new FakeClock(), new LossyBus()];
  const seen: unknown[] = [];
  const owner: RequestRelay = await RequestRelay.open({
    ...{ bus, clock },
    isFor: (to) => hasOwner && 'room' in to && to.room === 'garden',
    serve: (request, response) => {
      seen.push([request.url, owner.addressOf(request)]);
      if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setImmediate(() => response.destroy());
      } else if (request.url === '/slow') {
        request.socket.once('close', () => seen.push('not wanted any more'));
      } else if (request.url === '/big') response.end(BIG);
      else if (request.url === '/json') response.end('{"rooms":3}');
      else if (request.method !== 'GET') {
        request.on('data', (bytes) => seen.push([request.headers['content-type'], `${bytes}`]));
        request.on('end', () => response.writeHead(409).end('{"reason":"room-busy"}'));
      } else response.writeHead(404, { 'x-why': 'none' }).end('not here');
    },
  });
  const gateway = await RequestRelay.open({
    ...{ bus, clock, isFor: () => false },
    serve: (_, response) => response.end(),
  });
  const failures: unknown[] = [];
  const visitor = { address: '10.0.0.7' };
  const server: Server = createServer((request, response) => {
    expect(gateway.addressOf(request)).toBeUndefined();
    // As Express does.
    if (request.method !== 'GET') Object.assign(request, { body: { seconds: 60 } });
    gateway.pass({ room: 'garden' }, request, response, visitor.address).catch((error) => {
      failures.push(error);
      response.writeHead(503).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closing.push(
    () => server.close().closeAllConnections(),
    () => owner.close(),
    () => gateway.close(),
  );
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Addresses can be forged, so one that a visitor sends does not count.
  const ask = (path: string, signal?: AbortSignal) =>
    fetch(origin + path, { headers: { 'x-vivarium-address': '1.2.3.4' }, signal: signal ?? null });
  return { bus, clock, seen, failures, visitor, ask, origin, gateway };
}

test('it is answered as there, with status, headers and all bytes, for the visitor who asks', async () => {
  const { ask, seen } = await open();
  const missing = await ask('/lineage/garden?x=1');
  expect([missing.status, missing.headers.get('x-why'), await missing.text()]).toEqual([
    ...[404, 'none', 'not here'],
  ]);
  const big = Buffer.from(await (await ask('/big')).arrayBuffer());
  expect(big.equals(BIG)).toBe(true);
  expect(seen).toEqual([
    ['/lineage/garden?x=1', '10.0.0.7'],
    ['/big', '10.0.0.7'],
  ]);
});

test.each(['POST', 'DELETE'])('the body of a %s is passed on', async (method) => {
  const { origin, seen } = await open();
  const answer = await fetch(`${origin}/undo`, { method });
  expect([answer.status, await answer.json()]).toEqual([409, { reason: 'room-busy' }]);
  expect(seen[1]).toEqual(['application/json', '{"seconds":60}']);
});

test('a server can ask for itself', async () => {
  const { gateway } = await open();
  expect(await gateway.get({ room: 'garden' }, '/json', 1e5)).toEqual({ rooms: 3 });
  await expect(gateway.get({ room: 'garden' }, '/broken', 1e5)).rejects.toThrow();
});

test('a server that asks for itself waits only as long as it says, and takes nobody’s turn after that', async () => {
  const { gateway, clock, seen } = await open();
  const asked = gateway.get({ room: 'garden' }, '/slow', 1_000);
  const failed = expect(asked).rejects.toThrow('The server that should answer did not respond.');
  while (seen.length === 0) await new Promise(setImmediate);
  await clock.advance(1_000);
  await failed;
  while (seen.length < 2) await new Promise(setImmediate);
  expect(seen[1]).toBe('not wanted any more');
});

test('visitors who fill the relay do not keep the host’s calls out', async () => {
  const { ask, origin, seen, failures, visitor } = await open();
  const leaving = new AbortController();
  const waiting = Array.from({ length: mostEach }, () => ask('/slow', leaving.signal));
  for (const one of waiting) one.catch(() => {});
  while (seen.length < mostEach) await new Promise(setImmediate);
  expect((await ask('/json')).status).toBe(503);
  expect(failures).toEqual([new RelayError('too-many')]);
  expect(visitor.address).toBe('10.0.0.7');
  expect((await fetch(`${origin}/undo`, { method: 'POST' })).status).toBe(409);
  leaving.abort();
});

test('an answer that breaks off, there or on its way, is not taken for a whole one', async () => {
  const { ask, bus } = await open();
  await expect(ask('/broken').then((response) => response.text())).rejects.toThrow();
  let parts = 0;
  bus.loses = (_, message) => message.length > part / 8 && ++parts === 3;
  await expect(ask('/big').then((response) => response.arrayBuffer())).rejects.toThrow();
});

test('one that nobody answers fails, and nothing has been sent', async () => {
  const { ask, clock, failures } = await open({ hasOwner: false });
  const asked = ask('/big');
  while (failures.length === 0) {
    await clock.advance(ANSWER_PATIENCE);
    await new Promise((go) => setImmediate(go));
  }
  expect((await asked).status).toBe(503);
  expect(failures).toEqual([new RelayError('no-answer')]);
});

test('the other server hears that nobody waits any more, also before it has answered', async () => {
  const { ask, seen } = await open();
  const leaving = new AbortController();
  const asked = ask('/slow', leaving.signal);
  while (seen.length === 0) await new Promise((go) => setImmediate(go));
  leaving.abort();
  await expect(asked).rejects.toThrow();
  while (seen.length === 1) await new Promise((go) => setImmediate(go));
  expect(seen[1]).toBe('not wanted any more');
});

test('an answer that takes long is waited for, but not when the other server has died', async () => {
  const { ask, bus, clock, seen, failures } = await open();
  const asked = ask('/slow');
  while (seen.length === 0) await new Promise((go) => setImmediate(go));
  for (let waited = 0; waited < 10 * ANSWER_PATIENCE; waited += beat) await clock.advance(beat);
  expect(failures).toEqual([]);
  bus.loses = () => true;
  await clock.advance(ANSWER_PATIENCE);
  expect((await asked).status).toBe(503);
  expect(failures).toEqual([new RelayError('no-answer')]);
});

test('while no messages get anywhere, nobody waits for an answer', async () => {
  const { ask, bus, failures } = await open();
  await bus.close();
  expect((await ask('/big')).status).toBe(503);
  expect(failures).toEqual([new RelayError('no-answer')]);
});

test('what is no answer in HTTP is not passed on', async () => {
  const { ask, bus, failures } = await open({ hasOwner: false });
  const packr = new Packr({ useRecords: false });
  await bus.subscribe('requests', (message) => {
    const { id, from } = packr.unpack(message);
    const bytes = Buffer.from('no HTTP\r\n\r\n');
    bus.publish(`requests:${from}`, packr.pack({ id, from: 'x', number: 0, bytes }));
  });
  expect((await ask('/big')).status).toBe(503);
  expect(failures).toEqual([new RelayError('no-answer')]);
});

test('a request with a whole URL, which others would not take, fails at once', async () => {
  const { origin, failures } = await open();
  const socket = connect({ port: Number(new URL(origin).port), host: '127.0.0.1' });
  closing.push(() => socket.destroy());
  socket.write('GET http://x/lineage/garden HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('503');
  expect(failures).toEqual([new RelayError('no-answer')]);
});

test('one address does not keep others from being answered', async () => {
  const { ask, seen, failures, visitor } = await open();
  const leaving = new AbortController();
  const slow = Array.from({ length: most }, () => ask('/slow', leaving.signal).catch(() => {}));
  while (seen.length + failures.length < most) await new Promise((go) => setImmediate(go));
  expect(failures).toEqual(Array(most - mostEach).fill(new RelayError('too-many')));
  visitor.address = '10.0.0.8';
  expect((await ask('/lineage/garden')).status).toBe(404);
  leaving.abort();
  await Promise.all(slow);
  while (seen.length < 2 * mostEach + 1) await new Promise((go) => setImmediate(go));
  visitor.address = '10.0.0.7';
  expect((await ask('/lineage/garden')).status).toBe(404);
});
