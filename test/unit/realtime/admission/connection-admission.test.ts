import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { ConnectionAdmission } from '../../../../server/realtime/admission/connection-admission.ts';
import { RejectionCounts } from '../../../../server/realtime/admission/rejection-counts.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function open(limits = {}, trustProxy = 0) {
  const rejections = new RejectionCounts();
  const admission = new ConnectionAdmission({
    limits: { ...DEFAULTS.limits, ...limits },
    origins: ['https://museum.example'],
    trustProxy,
    clock: new FakeClock(),
    rejections,
  });
  return { admission, rejections };
}

function request(address: string, headers: Record<string, string> = {}): IncomingMessage {
  const socket = Object.assign(new EventEmitter(), { remoteAddress: address });
  return {
    socket,
    connection: socket,
    headers: { host: 'vivarium.local:8080', ...headers },
  } as never;
}

test('a connection counts as open until its TCP connection closes', () => {
  const { admission, rejections } = open({ connections: 1 });
  const first = request('192.0.2.1');
  expect(admission.admit(first)).toBeUndefined();
  expect(admission.admit(request('192.0.2.2'))).toBe('too-many-connections');
  expect(rejections.totals()).toMatchObject({ 'too-many-connections': 1 });
  first.socket.emit('close');
  expect(admission.open).toBe(0);
  expect(admission.admit(request('192.0.2.2'))).toBeUndefined();
});

test.each([
  [undefined, undefined],
  ['http://vivarium.local:8080', undefined],
  ['https://museum.example', undefined],
  ['https://elsewhere.example', 'wrong-origin'],
  ['null', 'wrong-origin'],
])('origin %s: %s', (origin, reason) => {
  const { admission } = open();
  expect(admission.admit(request('192.0.2.1', origin ? { origin } : {}))).toBe(reason);
});

test('forwarded addresses count only as far as proxies are trusted', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.9, 203.0.113.5' };
  expect(open().admission.addressKeyOf(request('192.0.2.1', forwarded))).toBe('192.0.2.1');
  const { admission } = open({}, 1);
  expect(admission.addressKeyOf(request('192.0.2.1', forwarded))).toBe('203.0.113.5');
  expect(admission.addressKeyOf(request('192.0.2.1', { 'x-forwarded-for': '?' }))).toBe(
    '192.0.2.1',
  );
});

test('addresses of one IPv6 network count as one, and IPv4-mapped IPv6 as IPv4', () => {
  const { admission } = open();
  const keyOf = (address: string) => admission.addressKeyOf(request(address));
  expect(keyOf('2001:db8:1:2::1')).toBe(keyOf('2001:0db8:1:2:ffff::7'));
  expect(keyOf('2001:db8:1:3::1')).not.toBe(keyOf('2001:db8:1:2::1'));
  expect(keyOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
});

test('page requests of one address have to wait beyond their limit', () => {
  const { admission, rejections } = open({ fetchesPerSecond: 1, fetchesAtOnce: 2 });
  const waits = [1, 2, 3].map(() => admission.admitRequest(request('192.0.2.1')));
  expect(waits).toEqual([0, 0, expect.any(Number)]);
  expect(waits[2]).toBeGreaterThan(0);
  expect(admission.admitRequest(request('192.0.2.2'))).toBe(0);
  expect(rejections.totals()).toMatchObject({ 'too-many-fetches': 1 });
});
